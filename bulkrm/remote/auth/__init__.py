"""Authorization of requests: tokens, and the credentials that a request carries."""
