"""Patterns of repositories, tags and texts, and what they match."""
