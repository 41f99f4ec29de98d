"""The embedded target: a real HTTP server in its own process, with an account of what it saw."""
