"""Monitoring: detectors that ask for checks, the checks, and runs over all participations."""
