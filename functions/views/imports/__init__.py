"""Imports: the counts of another system become organic views, once."""
