"""The manual on the command line: its pages, and how a terminal shows them."""
