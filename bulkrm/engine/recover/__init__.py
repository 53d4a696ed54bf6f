"""Recovery: reconciles the requests that a killed run left in flight, and restores the images that a run deleted."""
