"""The kernel: only what two contexts share. It imports no context."""
