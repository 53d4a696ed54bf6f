"""What tools write about running containers and images: a file for each shape, with a constant `READER`."""
