"""Where things are kept. All that this package writes is below .local, which git ignores."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
BIN = ROOT / ".venv" / "bin"
STACK_NAME = "sluice"
"""Of the embedded stack, and the id of its API."""
ENV_FILE = LOCAL / "env"
"""What `make up` writes, for `source .local/env`."""
CONSOLE_FILE = LOCAL / "console"
"""The address of the console with a token, where there is no terminal to print it on."""
