"""Values that conditions of a list have: ages, dates, numbers, versions."""
