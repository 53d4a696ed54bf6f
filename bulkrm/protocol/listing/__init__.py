"""Paged listings of tags, repositories and referrers: one page, the link to the next, and the progress over all."""
