"""The registry protocol as pure functions: messages, challenges, tokens, what follows from an answer. `remote` sends."""
