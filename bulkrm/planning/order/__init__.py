"""The order of a plan's requests, and their number."""
