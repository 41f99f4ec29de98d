"""A hostile server: behaviours as rows of bytes and pauses, each with what a client must make of it."""
