"""The list file: parsed to its end, with the place of every mistake."""
