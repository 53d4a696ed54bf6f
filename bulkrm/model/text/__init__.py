"""Text for people: laid out, coloured, and made safe to show."""
