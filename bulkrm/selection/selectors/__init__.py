"""What an entry may say about its images: a file for each kind of condition, with a constant `SELECTOR`."""
