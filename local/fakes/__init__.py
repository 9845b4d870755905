"""Fakes of what Sluice talks to outside: never part of a layer or a function."""
