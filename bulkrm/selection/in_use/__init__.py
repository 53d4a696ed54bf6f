"""Images in use: the output of other tools becomes references, which keep manifests and tags. Pure."""
