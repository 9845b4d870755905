"""Sponsorships: impression campaigns that complete, pay and unlock by themselves (S3), by evidence alone."""
