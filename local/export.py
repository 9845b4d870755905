"""Writes a campaign's batches as CSV, or with no id all campaigns, following every page (S1-61)."""

import argparse
import sys
from typing import TextIO
from urllib.parse import urljoin

import httpx

from local.choice import add_stack_options, chosen_api
from local.errors import LocalError, run

CAMPAIGNS = "/api/admin/fake-views"


def export(http: httpx.Client, campaign_id: str, output: TextIO) -> int:
    """How many lines were written, header included."""
    url = f"{CAMPAIGNS}/{campaign_id + '/' if campaign_id else ''}export"
    lines = 0
    while url:
        answer = http.get(url)
        if answer.is_error:
            raise LocalError(f"The export was answered {answer.status_code}: {answer.text[:500]}")
        output.write(answer.text)
        lines += answer.text.count("\n")
        following = answer.links.get("next", {}).get("url")
        url = urljoin(str(answer.url), following) if following else ""
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.export", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--id", default="", help="a campaign's id; none for a list of all campaigns")
    given = parser.parse_args()
    with chosen_api(given, "operator", hours=1) as http:
        lines = export(http, given.id, sys.stdout)
    print(f"{lines} lines", file=sys.stderr)


if __name__ == "__main__":
    run(main)
