"""How fast requests go, and how many at a time: arithmetic with the time as an argument."""
