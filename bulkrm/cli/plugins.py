"""`bulkrm --version -v`: the version, and what other distributions add."""

from bulkrm import __version__
from bulkrm.api.plugins import loaded_plugins
from bulkrm.cli.terminal.console import show


def show_plugins() -> int:
    """Show them, a line each; return the exit code. Raises InputError where one cannot be used."""
    show(f"bulkrm {__version__}")
    lines = [f"plugin {plugin}" for plugin in loaded_plugins()] or ["no plugins are installed"]
    return 0 if all(show(line) for line in lines) else 1
