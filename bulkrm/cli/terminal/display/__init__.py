"""Displays of the progress on standard error: a bar on a terminal, plain lines elsewhere, or nothing."""
