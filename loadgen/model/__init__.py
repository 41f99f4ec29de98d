"""Values that every other room shares. Knows no socket, no clock, no file, no screen."""
