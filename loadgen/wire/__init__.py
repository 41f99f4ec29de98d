"""One connection: sans-IO protocol cores, the transport under them, and the state machine that marks phases."""
