"""Run a command, and say how much memory it had at most, in KiB, on standard error.

python -m tests.bench.peak COMMAND
"""

import resource
import subprocess
import sys

if __name__ == "__main__":
    code = subprocess.run(sys.argv[1:], check=False).returncode  # noqa: S603 (that is what it is for)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)  # noqa: T201
    sys.exit(code)
