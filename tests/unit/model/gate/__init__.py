"""Tests of loadgen.model.gate."""
