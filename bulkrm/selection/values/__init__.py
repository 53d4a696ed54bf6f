"""The values of conditions: ages, dates, numbers, versions."""
