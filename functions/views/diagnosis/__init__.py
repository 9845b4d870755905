"""Diagnosis: how tracking and the sync stand, and why a view would count or not."""
