"""Delete container images in bulk from any OCI / Docker v2 registry."""

__version__ = "0.1.0"
