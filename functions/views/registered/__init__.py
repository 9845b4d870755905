"""Registered content: what it is called and whose it is, and the sets that tracking asks."""
