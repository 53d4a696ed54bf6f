"""What became of an image, of a request and of a run, and why."""
