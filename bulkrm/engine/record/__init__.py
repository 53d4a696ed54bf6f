"""Recording: a run and an undo write their intents and outcomes, so that the run can be resumed and undone."""
