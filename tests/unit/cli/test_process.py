"""The process of a command: garbage is collected less often while it runs, and more files may be open."""

import gc
import subprocess
import sys

import pytest

from bulkrm.cli.process import rare_collections


def test_seldom() -> None:
    """While a command runs, much has to be made before it is looked for."""
    before = gc.get_threshold()

    with rare_collections():
        assert gc.get_threshold()[0] > 10 * before[0]

    assert gc.get_threshold() == before


def test_after_an_error() -> None:
    """Afterwards all is as it was, also after an error."""
    before = gc.get_threshold()

    with pytest.raises(ValueError, match="wrong"), rare_collections():
        raise ValueError("wrong")

    assert gc.get_threshold() == before


def test_the_end_of_a_process() -> None:
    """What is there when the process ends is not looked through once more."""
    # Python 3.12 begins with some objects that are frozen already.
    text = "import atexit, gc; from bulkrm.cli.process import rare_collections\nat_first = gc.get_freeze_count()\n"
    text += "atexit.register(lambda: print(gc.get_freeze_count() > at_first))\n"
    text += "with rare_collections(): pass\nprint(gc.get_freeze_count() - at_first)"

    ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)  # noqa: S603

    assert ended.stdout.split() == ["0", "True"]


def test_as_many_files_as_connections() -> None:
    """A process with a low limit of open files raises it, as far as it may."""
    asked = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 2048)); "
    asked += "from bulkrm.cli.process import allow_connections; allow_connections(); "
    asked += "print(resource.getrlimit(resource.RLIMIT_NOFILE))"

    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)  # noqa: S603 (ours)

    assert shown.stdout == "(2048, 2048)\n"
