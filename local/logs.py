"""Follows the functions' logs, of the embedded stack or of one on AWS, as lines for people."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.aws import DeployedStack
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError, run

_PLATFORM = ("START RequestId", "END RequestId", "REPORT RequestId", "INIT_START")
_SHOWN_ELSEWHERE = {
    *("level", "location", "message", "timestamp", "service", "function_name", "function_arn", "function_memory_size"),
    *("function_request_id", "cold_start", "xray_trace_id", "exception", "exception_name", "stack_trace"),
}
_SECONDS_BETWEEN_LOOKS = 1
_LATE_MILLISECONDS = 10_000
"""CloudWatch serves a line some seconds after its time: this far back is looked again, and known lines are left out."""


def follow(stack: DeployedStack, minutes: float, *, forever: bool = True) -> Iterator[str]:
    """The lines of the last `minutes`, then new ones as they come."""
    groups = {
        physical: logical.removesuffix("Logs")
        for logical, physical in stack.resources().items()
        if logical.endswith("Logs")
    }
    since = int((time.time() - minutes * 60) * 1000)
    seen: dict[tuple[object, ...], int] = {}
    while True:
        fresh = []
        for group, name in groups.items():
            alike: Counter[tuple[object, ...]] = Counter()
            for event in _events(stack, group, since):
                # MiniStack's events have no ids: equal lines of one stream and moment are told apart by counting.
                same = (group, event["logStreamName"], event["timestamp"], event["message"])
                alike[same] += 1
                key = (*same, event.get("eventId", alike[same]))
                if key not in seen:
                    seen[key] = event["timestamp"]
                    fresh.append((event["timestamp"], name, event["message"]))
        for timestamp, name, message in sorted(fresh, key=lambda line: line[0]):
            line = readable(timestamp, name, message)
            if line:
                yield line
        if not forever:
            return
        since = max([since, *(timestamp - _LATE_MILLISECONDS for timestamp, _, _ in fresh)])
        seen = {key: timestamp for key, timestamp in seen.items() if timestamp >= since}
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def readable(timestamp: int, function: str, message: str) -> str | None:
    """One line of a log, or None for what the platform adds to every invocation."""
    text = message.rstrip()
    if not text or text.startswith(_PLATFORM):
        return None
    at = datetime.fromtimestamp(timestamp / 1000, UTC).strftime("%H:%M:%S")
    try:
        entry = json.loads(text)
    except ValueError:
        return f"{at}  {function:<22}  {text}"
    if not isinstance(entry, dict):
        return f"{at}  {function:<22}  {text}"
    if str(entry.get("type", "")).startswith("platform."):
        return None
    said = entry.get("message", "")
    rest = " ".join(
        f"{key}={_plain(value)}" for key, value in entry.items() if key not in _SHOWN_ELSEWHERE and value is not None
    )
    lines = [f"{at}  {function:<22}  {entry.get('level', ''):<7} {_plain(said)}  {rest}".rstrip()]
    if entry.get("exception"):
        lines.append(str(entry["exception"]))
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _events(stack: DeployedStack, group: str, since: int) -> Iterator[dict[str, Any]]:
    pages = stack.client("logs").get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=group, startTime=since):
            yield from page["events"]
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"The log group {group} could not be read: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.logs", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--minutes", type=float, default=5, help="how far back to begin (default: 5)")
    parser.add_argument("--once", action="store_true", help="print what there is and end")
    given = parser.parse_args()
    for line in follow(chosen_stack(given), given.minutes, forever=not given.once):
        print(line, flush=True)


if __name__ == "__main__":
    run(main)
