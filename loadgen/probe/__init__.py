"""Probes: each finds out one thing about a server, or the chain before it, by a few requests of its own.

`registry.py` is the table of them, and `audit.py` runs them for `loadgen probe`. `before_load.py` has what each run
looks at before its load.
"""
