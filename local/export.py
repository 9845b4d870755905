"""Writes a campaign's batches as CSV, or with no id all campaigns, following every page (S1-61)."""

import argparse
import sys
from typing import TextIO
from urllib.parse import urljoin

import httpx

from local import tokens
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError, run
from local.stack import running

CAMPAIGNS = "/api/admin/fake-views"


def export(api_url: str, token: str, campaign_id: str, output: TextIO) -> int:
    """How many lines were written, header included."""
    url = f"{api_url}{CAMPAIGNS}/{campaign_id + '/' if campaign_id else ''}export"
    lines = 0
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=60, trust_env=False) as client:
        while url:
            answer = client.get(url)
            if answer.is_error:
                raise LocalError(f"The export was answered {answer.status_code}: {answer.text[:500]}")
            output.write(answer.text)
            lines += answer.text.count("\n")
            following = answer.links.get("next", {}).get("url")
            url = urljoin(url, following) if following else ""
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.export", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--id", default="", help="a campaign's id; none for a list of all campaigns")
    given = parser.parse_args()
    stack = chosen_stack(given)
    api_url = stack.output("ApiUrl") if given.stack else running().api_url
    try:
        lines = export(api_url, tokens.mint(stack, "operator", hours=1), given.id, sys.stdout)
    except httpx.HTTPError as error:
        raise LocalError(f"The API of {stack.name} was not reached: {error}") from error
    print(f"{lines} lines", file=sys.stderr)


if __name__ == "__main__":
    run(main)
