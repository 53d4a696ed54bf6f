"""The options: what each is called, where its value may come from, and what it may be."""
