"""Single tags: read right before they change, taken off before their manifests, and put back."""
