"""Counts: the views of contents, as shown."""
