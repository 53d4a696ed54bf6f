"""Access to registries: transport, limiter, tokens, credentials, and the requests that a run needs."""
