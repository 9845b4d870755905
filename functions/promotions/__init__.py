"""Promotions: a campaign is published as posts, tracked, closed, rewarded and refunded, each exactly once (S4)."""
