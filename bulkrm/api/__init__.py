"""The front door: what a program calls, and what the command line is a client of. `bulkrm` exports it."""
