"""Where one registry family departs from the specification: a file each, with a constant `FAMILY`."""
