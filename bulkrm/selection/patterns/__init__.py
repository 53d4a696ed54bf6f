"""Patterns of repositories, tags and texts, and their matching."""
