"""Adjustments: organic views are corrected by hand, each with its reason."""
