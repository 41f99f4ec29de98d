"""Samples to numbers. Knows no socket and draws nothing."""
