"""Hooks: events, sent to other systems by signed webhooks (S1-62)."""
