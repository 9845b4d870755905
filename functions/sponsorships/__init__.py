"""Sponsorships: campaigns that pay a streamer when enough viewers saw the advertisement."""
