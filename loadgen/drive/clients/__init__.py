"""Clients for greenlets that have several requests under way, or share connections. Knows no Locust."""
