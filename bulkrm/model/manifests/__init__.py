"""Manifests, what they name, and what is known of the images that they describe."""
