"""Who may do what in the sandbox: accounts, tokens, keys."""
