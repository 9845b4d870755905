"""Moves the pending views to the database now, and follows the sync until it is done (S2-15, S2-26)."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import httpx

from local.choice import add_stack_options, chosen_api
from local.errors import LocalError, run

SYNC = "/api/admin/views/sync"
TOKEN_HOURS = 6
STILL_SECONDS = 600
"""How long a sync may stand still: three attempts at a step, and a while."""
_SECONDS_BETWEEN_LOOKS = 0.5

Tell = Callable[[str], None]


def sync(http: httpx.Client, *, force: bool, tell: Tell, still_seconds: float = STILL_SECONDS) -> dict[str, Any] | None:
    """The epoch as it was closed; None when nothing was pending."""
    started = _answer(http.post(SYNC, json={"force": force}))
    match started["outcome"]:
        case "nothing_pending":
            tell("Nothing is pending. FORCE=1 opens an epoch all the same.")
            return None
        case "waiting":
            before = (
                f"Epoch {started['epoch']} was closed a moment ago" if started["epoch"] else "This is the first sync"
            )
            tell(f"{before}: epoch {started['epoch'] + 1} opens by itself in a few seconds.")
            number = started["epoch"] + 1
        case outcome:
            tell(f"Epoch {started['epoch']} {'goes on' if outcome == 'running' else 'is open'}.")
            number = started["epoch"]
    closed = _follow(http, number, tell, still_seconds)
    for failure in closed["failures"]:
        aside = "moved aside until the next epoch" if failure["is_parked"] else "applied later"
        tell(f"  {failure['content']} failed {failure['failures']} times ({failure['reason']}): {aside}")
    return closed


def summary(closed: dict[str, Any]) -> str:
    """What an epoch moved, in one line."""
    aside = f", {closed['parked']:,} contents moved aside" if closed["parked"] else ""
    return (
        f"Epoch {closed['epoch']} is done: {closed['views']:,} views of {closed['contents']:,} contents moved, "
        f"{closed['folded']:,} from the time without Redis, {closed['refusals']:,} refusals{aside}."
    )


def _follow(http: httpx.Client, number: int, tell: Tell, still_seconds: float) -> dict[str, Any]:
    told = ""
    moved_at = time.monotonic()
    while True:
        state = _answer(http.get(SYNC))
        if state["epoch"] > number:
            state = _answer(http.get(f"{SYNC}/{number}"))
        if state["epoch"] == number and state["phase"] == "done":
            return state
        line = (
            f"  {state['phase']:<9} {state['pages']:,} pages, {state['contents']:,} contents, {state['views']:,} views"
        )
        if state["epoch"] == number and line != told:
            tell(line)
            told, moved_at = line, time.monotonic()
        if time.monotonic() - moved_at > still_seconds:
            raise LocalError(
                f"The sync stands still in step {state['step']} of epoch {state['epoch']}. `make logs` says why; "
                "when that is mended, `make sync` goes on from here."
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        try:
            reason = response.json()["message"]
        except (ValueError, KeyError, TypeError):
            reason = response.text[:500]
        raise LocalError(f"The sync was answered {response.status_code}: {reason}")
    answer: dict[str, Any] = response.json()
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.sync", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--force", action="store_true", help="open an epoch even when nothing is pending")
    given = parser.parse_args()
    with chosen_api(given, "operator", TOKEN_HOURS) as http:
        closed = sync(http, force=given.force, tell=lambda line: print(line, flush=True))
    if closed is not None:
        print(summary(closed))


if __name__ == "__main__":
    run(main)
