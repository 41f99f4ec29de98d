"""The summary of a run, as `summary.json` holds it, and the verdict in words."""
