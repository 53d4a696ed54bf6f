"""The rules that keep a manifest although the list names it, and what they rest on."""
