"""What standard error shows while a run goes on: a live screen on a terminal, a line now and then in a log."""
