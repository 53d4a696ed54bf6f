"""The transport: HTTP sessions, reused connections, TLS, proxies, time limits."""
