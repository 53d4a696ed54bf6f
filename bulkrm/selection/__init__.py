"""Which images: a list file or arguments become entries, entries and listings become targets. Pure."""
