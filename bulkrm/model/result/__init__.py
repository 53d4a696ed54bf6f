"""Results: the outcome of an image, the effect of a request, the report of a run, and why something failed."""
