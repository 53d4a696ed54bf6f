"""Text for people: its layout, its colours, and how it is made safe to show."""
