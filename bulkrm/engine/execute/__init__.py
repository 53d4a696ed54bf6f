"""From a plan to outcomes: the requests that change a registry, in their order."""
