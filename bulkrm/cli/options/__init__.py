"""The options: their names, the layers that set them (command line, environment, file), and their values."""
