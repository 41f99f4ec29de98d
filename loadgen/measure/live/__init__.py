"""Figures while a run goes on: from block reports, without samples."""
