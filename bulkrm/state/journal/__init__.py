"""The journal of a run, and what follows from its events."""
