"""Which stack a command is for: `make up`'s, or with STACK=<name> one on AWS."""

import argparse

from local.aws import DeployedStack
from local.errors import LocalError
from local.stack import running


def add_stack_options(parser: argparse.ArgumentParser) -> None:
    """Empty values count as not given, so that `make` can pass its variables as they are."""
    parser.add_argument("--stack", default="", help="a stack on AWS, by its name (default: the embedded one)")
    parser.add_argument("--profile", default="", help="profile of your AWS configuration")
    parser.add_argument("--region", default="", help="region of the stack on AWS")


def chosen_stack(given: argparse.Namespace) -> DeployedStack:
    if given.stack:
        return DeployedStack.on_aws(given.stack, given.profile, given.region)
    if given.profile or given.region:
        raise LocalError("PROFILE and REGION are for a stack on AWS: give STACK=<its name> too.")
    return running().deployed
