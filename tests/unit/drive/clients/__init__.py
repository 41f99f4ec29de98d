"""Clients with several requests under way, or with shared connections."""
