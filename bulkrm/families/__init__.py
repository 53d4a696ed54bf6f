"""Registry families and where each departs from the specification: a file for each, with a constant `FAMILY`."""
