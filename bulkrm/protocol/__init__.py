"""The registry protocol as pure functions: messages, challenges, tokens, decisions after answers. `remote` sends requests."""
