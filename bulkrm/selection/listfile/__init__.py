"""The list file. It is parsed to its end, so that all mistakes are shown at once, each with its place."""
