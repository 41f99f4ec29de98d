"""Statistics over samples: quantiles, resampled intervals, comparisons, curves. Words nothing."""
