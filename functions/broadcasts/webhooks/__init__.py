"""Webhooks: what providers tell, from their requests to the rows."""
