"""Garbage is accepted, or raises the one error of its parser: in bounded time and memory, and nothing else happens.

Each input has a number, from which it can be made again: BULKRM_FUZZ_NUMBER=12345 reads that one alone.
BULKRM_FUZZ_SECONDS=600 is for how long all of them are fed in all, from a number that nobody chose; without it, each gets
a few hundred inputs, the same ones every time.
"""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from tests.fuzz.mutate import mutated
from tests.fuzz.parsers import PARSERS, Parser
from tests.support.work import work

_FEW = 300
_MOST_WORK = 500  # times that of `work`, for one input of up to 256 KiB; it takes far less, where nothing grows faster than its input
_MEMORY = 512 * 1024  # KiB that a parser may take more than what was taken before


def numbers() -> Iterator[int]:
    """The numbers of the inputs that this run of the tests makes."""
    if one := os.environ.get("BULKRM_FUZZ_NUMBER"):
        yield int(one)
    elif seconds := os.environ.get("BULKRM_FUZZ_SECONDS"):
        end = time.monotonic() + float(seconds) / len(PARSERS)
        for number in count(int.from_bytes(os.urandom(6), "big")):
            if time.monotonic() > end:
                return
            yield number
    else:
        yield from range(_FEW)


@pytest.mark.parametrize("parser", PARSERS, ids=str)
def test_garbage(parser: Parser, tmp_path: Path) -> None:
    """Whatever is fed to a parser is read or refused with its own error."""
    memory, most = _peak(), _MOST_WORK * work()
    for number in numbers():
        content = mutated(parser.seeds, number)
        began = time.process_time()
        try:
            with suppress(*([parser.error] if parser.error else [])):
                parser.read(content, tmp_path)
        except BaseException as error:
            error.add_note(f"{parser}: BULKRM_FUZZ_NUMBER={number}, input {content[:300]!r}")
            raise
        took = time.process_time() - began
        assert took < most, f"{parser}: BULKRM_FUZZ_NUMBER={number} took {took:.1f} s, input {content[:300]!r}"
    assert _peak() - memory < _MEMORY


@pytest.mark.parametrize("parser", PARSERS, ids=str)
def test_seeds(parser: Parser, tmp_path: Path) -> None:
    """What garbage is made of is good input: the first of it is read, and so the way of a parser is gone to its end."""
    if parser.name != "torn archive":
        parser.read(parser.seeds[0], tmp_path)


def _peak() -> int:
    """The most memory that this process has had, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
