"""Audits of real servers."""
