"""Wallets: what users have in the ledger, and the money that comes to them from outside and goes there again."""
