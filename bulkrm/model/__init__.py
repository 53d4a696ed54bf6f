"""Values: references, digests, scopes, plans, outcomes. No I/O, no clock, no randomness."""
