"""bulkrm without the record of its run, which no option can switch off: it shows what the record costs.

python -m tests.bench.unrecorded OPTIONS
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkrm.api import client
from bulkrm.cli import main
from bulkrm.engine.job import Job


@contextmanager
def _nothing(job: Job, root: Path | None) -> Iterator[None]:  # noqa: ARG001 (the shape of `run_folder`)
    yield None


if __name__ == "__main__":
    setattr(client, "run_folder", _nothing)  # noqa: B010 (it is no name that the module gives away)
    main.main()
