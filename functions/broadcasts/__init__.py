"""Bulk messages: each recipient is a row, each message is claimed before it is sent, and nobody gets one twice (S5)."""
