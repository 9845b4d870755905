"""Hooks: tell others of events, by signed webhooks (S1-62)."""
