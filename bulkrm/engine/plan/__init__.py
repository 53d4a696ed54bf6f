"""Planning: expands globs, reads the registry, and judges the facts; judges a stale plan again."""
