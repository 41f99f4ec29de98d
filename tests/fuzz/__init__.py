"""Fuzzing of all that reads a peer's bytes: `make fuzz`. By atheris, which is libFuzzer for Python."""
