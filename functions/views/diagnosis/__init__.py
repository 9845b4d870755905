"""Diagnosis: the state of tracking and the sync, and why a view would count or not."""
