"""How a report looks: a file for each format, with a constant `FORMAT`."""
