"""Run against run: what changed from earlier runs to a new one, beyond noise. Draws and prints nothing."""
