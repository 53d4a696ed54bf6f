"""The journal of a run, and what follows from its events: progress, losses, and whether the run can be resumed."""
