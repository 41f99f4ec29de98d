"""A laboratory for time: a network whose round trips have a set length, and whose losses are chosen. Needs root."""
