"""Decides which manifests and tags a run may delete: facts about repositories become a plan, and plans are compared."""
