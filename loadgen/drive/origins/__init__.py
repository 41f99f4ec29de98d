"""Requests of several origins: each origin has slots of its own, under one policy."""
