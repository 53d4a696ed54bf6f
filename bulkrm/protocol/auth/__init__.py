"""Challenges, realms, tokens and rights: what an answer says about who may do what."""
