"""Gates: what a field of a result is, a limit for it, and whether it keeps that. Knows no run and no shell."""
