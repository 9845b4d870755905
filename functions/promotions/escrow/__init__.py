"""The escrows: one adapter each."""
