"""How a registry lists, reads, deletes, untags and restores: a file each, with a constant `BACKEND`."""
