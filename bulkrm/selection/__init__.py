"""Which images a run is about: list files and arguments become entries, entries and listings become targets. Pure."""
