"""Manifests, the digests that they name, and facts about the images that they describe."""
