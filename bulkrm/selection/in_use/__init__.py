"""Images in use: the files of other tools become references, and the references keep manifests and tags. Pure."""
