"""The order of a plan's requests, and how many they are."""
