"""The command words: what may stand first on the command line and is no image."""

COMMANDS = ("delete", "plan", "apply", "runs", "resume", "undo", "demo", "schema")

# What people type who know other tools, and which command that is here.
MEANT = {
    "rm": "delete",
    "rmi": "delete",
    "del": "delete",
    "remove": "delete",
    "ls": "runs",
    "list": "runs",
    "history": "runs",
    "prune": "runs prune",
    "restore": "undo",
    "revert": "undo",
    "rollback": "undo",
    "continue": "resume",
    "help": "-h",
    "version": "--version",
}
