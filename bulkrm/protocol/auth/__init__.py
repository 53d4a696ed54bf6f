"""Authentication: challenges, realms, token answers, and what a 401 or 403 means for a user."""
