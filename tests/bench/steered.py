"""bulkrm whose `--concurrency auto` is steered by something else, which no option can choose.

python -m tests.bench.steered NAME OPTIONS
"""

import sys
from functools import partial

from bulkrm.cli import main
from bulkrm.protocol.pacing.pace import ConcurrencyLimit
from bulkrm.remote import limiter
from tests.bench.steering import STEERINGS

if __name__ == "__main__":
    steering = STEERINGS[sys.argv.pop(1)]
    setattr(limiter, "Concurrency", partial(ConcurrencyLimit, steering=steering))  # noqa: B010 (no name it gives away)
    main.main()
