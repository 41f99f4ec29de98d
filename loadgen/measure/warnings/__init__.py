"""What a reader of a run has to know before believing it: one module a subject. Draws nothing."""
