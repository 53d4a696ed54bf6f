"""The rules that keep a manifest although the list names it."""
