"""The order of the requests of a plan, and what it costs."""
