"""Registry families: where each departs from the specification. A file for each, with a constant `FAMILY`."""
