"""Authentication: challenges, realms, answers of token servers, and the failures that a 401 or 403 means."""
