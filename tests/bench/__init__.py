"""Side by side with the peers found on the machine: `make bench`, or `python -m tests.bench CASE ...`."""
