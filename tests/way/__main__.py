"""`python -m tests.way`: print the way of one tag."""

import sys

from tests.way.page import page
from tests.way.recording import growth, record

for line in page(record(), growth()):
    sys.stdout.write(f"{line}\n")
