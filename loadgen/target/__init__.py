"""The embedded target: a real HTTP/1.1 server in its own process, with an account of what it saw."""
