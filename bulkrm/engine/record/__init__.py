"""What a run writes down so that it can be resumed and undone."""
