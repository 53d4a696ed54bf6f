"""From entries to a plan: expand, read, judge."""
