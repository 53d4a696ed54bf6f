"""All that waits for a registry: transport, limiter, tokens, credentials, and the requests that a run needs."""
