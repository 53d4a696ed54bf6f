"""What may go: grouping, guards, the second judgement. Facts come in, a plan comes out."""
