"""What must be known before a run is believed: one module for each subject. Draws nothing."""
