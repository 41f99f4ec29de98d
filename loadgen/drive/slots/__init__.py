"""Places for connections and who uses them: one user, a pool, concurrent exchanges. Times no arrival."""
