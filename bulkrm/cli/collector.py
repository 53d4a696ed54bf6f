"""How often Python looks for garbage in circles: seldom, while hundreds of thousands of small values stay to the end."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# The default of Python 3.11 is 700: a dozen requests make as many new objects, and nearly none of them is in a circle. That
# looking was a tenth of the processor's time (docs.python.org, `gc.set_threshold`; python -m tests.bench tools).
_THRESHOLD = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage less often, and not through everything once more when the process ends."""
    atexit.register(gc.freeze)
    before = gc.get_threshold()
    gc.set_threshold(_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
