"""`python -m tests.way`: print the way of one tag."""

import sys

from tests.way.page import page
from tests.way.recording import record

for line in page(record()):
    sys.stdout.write(f"{line}\n")
