"""`bulkrm check`: read list files as a run does, and say what is in them or what is wrong."""

from collections import Counter
from collections.abc import Sequence

from bulkrm.cli.inputs import Wanted, read_inputs
from bulkrm.cli.terminal.console import show
from bulkrm.model.reference import HTTPS_PORT
from bulkrm.model.text.layout import counted


def check_lists(files: Sequence[str]) -> int:
    """Read them. Returns the exit code; raises InputError with all mistakes of all files."""
    wanted = Wanted((), files, None, (), HTTPS_PORT, hide_arguments=False)
    selected = read_inputs(wanted)
    counts = Counter(entry.source.name for entry in selected.images.entries if entry.source)
    lines = [f"{name}: {counted(count, 'entry', 'entries')}" for name, count in counts.items()]
    if selected.images.protect:
        lines.append(f"protected: {', '.join(str(pattern) for pattern in selected.images.protect)}")
    return 0 if all(show(line) for line in lines) else 1
