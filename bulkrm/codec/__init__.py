"""Plan, run, journal and report as text and back. Each field stands here once."""
