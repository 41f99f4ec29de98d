"""Numbers to pictures and pages, from results/<run>/ alone. Measures nothing, prints nothing."""
