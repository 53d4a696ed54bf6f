"""The kinds of conditions: a file for each, with a constant `SELECTOR`."""
