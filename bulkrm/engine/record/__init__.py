"""Recording: runs and undos write their intents and outcomes, so that a run can be resumed and undone."""
