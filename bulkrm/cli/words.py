"""The command words: what may stand first on the command line and is no image."""

COMMANDS = ("delete", "plan", "apply", "runs", "resume", "undo", "demo", "schema")
