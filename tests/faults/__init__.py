"""Processes of a run that are killed at random moments, and what is left of the run: `make faults`."""
