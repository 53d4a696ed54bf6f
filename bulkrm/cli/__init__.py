"""Commands, options, terminal."""
