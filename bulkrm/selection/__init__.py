"""The images that a run is about: list files and arguments become entries, and with listings targets. Pure."""
