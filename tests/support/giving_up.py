"""When a test gives up on what hangs. Nothing that works takes so long, also on a machine that is very slow."""

SECONDS = 600.0
