"""Counts: what is shown of contents' views."""
