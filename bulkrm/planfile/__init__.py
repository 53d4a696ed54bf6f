"""Plans as files, to be reviewed, compared and applied later; and as text for people."""
