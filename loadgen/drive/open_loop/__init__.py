"""Arrivals whose times are fixed beforehand: when they are due, and who starts them. Knows no policy."""
