"""Bytes over the network: sessions, connections that are used again, TLS, proxies, time limits."""
