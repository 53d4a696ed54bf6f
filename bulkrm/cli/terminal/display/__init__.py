"""How far a run is, on standard error: a bar on a terminal, plain lines elsewhere, or nothing."""
