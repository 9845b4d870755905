"""Bearer tokens, signed with the stack's own secrets: one for the tokens that open routes, one for viewers' tokens."""

import argparse
import json
import time

import jwt
from botocore.exceptions import BotoCoreError, ClientError

from local.aws import DeployedStack
from local.errors import LocalError, run

ROLES = ("admin", "operator", "service", "user")
VIEWER = "viewer"


def mint(stack: DeployedStack, role: str, subject: str | None = None, hours: float = 12) -> str:
    """A token for `subject` (default: the role's name) that the stack accepts for `hours`.

    The authorizer accepts it; a token of `VIEWER` names its viewer to tracking, and opens nothing.
    """
    if role not in (*ROLES, VIEWER):
        raise LocalError(f"ROLE={role} is not a role: give one of {', '.join((*ROLES, VIEWER))}.")
    if hours <= 0:
        raise LocalError(f"HOURS={hours:g} is no lifetime: give a number above 0.")
    outputs = stack.outputs()
    kind = "ViewerToken" if role == VIEWER else "Token"
    if not {f"{kind}SecretArn", f"{kind}Audience"} <= outputs.keys():
        raise LocalError(
            f"The stack {stack.name} has no outputs {kind}SecretArn and {kind}Audience: is it one of Sluice's?"
        )
    try:
        answer = stack.client("secretsmanager").get_secret_value(SecretId=outputs[f"{kind}SecretArn"])
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"The token secret of {stack.name} could not be read: {error}") from error
    now = int(time.time())
    claims = {
        "sub": subject or role,
        "aud": outputs[f"{kind}Audience"],
        "iat": now,
        "exp": now + int(hours * 3600),
    }
    if role != VIEWER:
        claims["role"] = role
    return jwt.encode(claims, json.loads(answer["SecretString"])["current"], algorithm="HS256")


def main() -> None:
    from local.choice import add_stack_options, chosen_stack

    parser = argparse.ArgumentParser(prog="python -m local.tokens", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--role", default="")
    parser.add_argument("--subject", default="")
    parser.add_argument("--hours", default="")
    given = parser.parse_args()
    try:
        hours = float(given.hours or 12)
    except ValueError as error:
        raise LocalError(f"HOURS={given.hours} is not a number.") from error
    print(mint(chosen_stack(given), given.role or "admin", given.subject or None, hours))


if __name__ == "__main__":
    run(main)
