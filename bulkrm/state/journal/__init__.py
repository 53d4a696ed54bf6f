"""The journal of a run, and what its events tell: progress, losses, how the run stands."""
