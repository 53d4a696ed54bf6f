"""Backends: how a registry lists, reads, deletes, untags and restores. A file for each, with a constant `BACKEND`."""
