"""Formats in which tools list running containers and images: a file for each format, with a constant `READER`."""
