"""Registered content: its titles and owners, and the sets that tracking reads."""
