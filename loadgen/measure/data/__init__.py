"""Samples on their way: a worker's rows, a run's columns, its folder. Imports nothing here: recorders stay small."""
