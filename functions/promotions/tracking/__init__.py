"""Tracking: reads what the networks count, and closes what has reached its number."""
