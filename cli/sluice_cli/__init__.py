"""The command line of Sluice. It speaks HTTP and nothing else."""

VERSION = "0.1.0"
