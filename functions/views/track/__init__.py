"""Tracking: views are counted, or refused by the rules."""
