"""Statistics over samples: quantiles, intervals, comparisons, curves. Words nothing."""
