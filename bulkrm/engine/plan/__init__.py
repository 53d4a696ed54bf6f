"""Planning: globs are expanded, the registry is read, and the facts are judged; a stale plan is judged again."""
