"""The list file as text: read to its end, every mistake with its place."""
