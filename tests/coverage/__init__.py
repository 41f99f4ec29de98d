"""How often intervals cover the truth, and claims are wrong, in simulated experiments whose truth is known."""
