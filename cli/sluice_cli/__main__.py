"""`python -m sluice_cli`, as the script `sluice`."""

from sluice_cli.main import run

run()
