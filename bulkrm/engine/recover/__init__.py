"""Recovery: reconciles the requests that a killed run left in flight, and restores what a run deleted."""
