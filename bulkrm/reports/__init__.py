"""The formats of reports: a file for each, with a constant `FORMAT`."""
