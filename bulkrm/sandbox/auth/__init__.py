"""Authentication and authorization in the sandbox: accounts, tokens, keys."""
