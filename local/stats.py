"""Shows how tracking and the sync stand: the rules, what is pending, memory, and each shard (S2-28)."""

import argparse
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from local.choice import add_stack_options, chosen_api
from local.errors import LocalError, run

STATS = "/api/admin/views/stats"
_NOTHING = "-"


def stats(http: httpx.Client) -> dict[str, Any]:
    """What the API answers."""
    response = http.get(STATS)
    if response.is_error:
        try:
            reason = response.json()["message"]
        except (ValueError, KeyError, TypeError):
            reason = response.text[:500]
        raise LocalError(f"The stats were answered {response.status_code}: {reason}")
    answer: dict[str, Any] = response.json()
    return answer


def show(found: dict[str, Any], console: Console) -> None:
    """The sums, then a line for each shard."""
    sums = Table(show_header=False, box=None)
    for name, value in _sums(found):
        sums.add_row(name, value)
    console.print(sums)
    shards = Table(title="Shards", title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    columns = ("shard", "epoch", "pending views", "contents", "being moved", "moved aside", "refusals")
    for column in columns:
        shards.add_column(column, justify="right")
    shards.add_column("registered")
    for shard in found["shards"]:
        shards.add_row(
            *(_number(shard[name]) for name in ("shard", "epoch", "pending_views", "pending_contents")),
            *(_number(shard[name]) for name in ("syncing_contents", "parked_contents", "refused_fields")),
            "all" if shard["registry_complete"] else _NOTHING,
        )
    console.print(shards)


def _sums(found: dict[str, Any]) -> list[tuple[str, str]]:
    epoch = f"{found['open_epoch']} ({found['open_epoch_phase']})" if found["open_epoch"] is not None else _NOTHING
    oldest = _NOTHING
    if found["oldest_pending_at"] is not None:
        oldest = f"{found['oldest_pending_at']} ({found['oldest_pending_seconds']:,} s ago)"
    memory = _NOTHING
    if found["used_memory_bytes"] is not None:
        memory = f"{found['used_memory_bytes'] / 2**20:,.1f} MiB"
    return [
        ("Views per session", _limit(found["max_views_per_session"])),
        ("Views per viewer and day", _limit(found["max_daily_views_per_user"])),
        ("Cooldown in minutes", _limit(found["view_cooldown_minutes"])),
        ("Session in hours", _limit(found["session_duration_hours"])),
        ("Contents with pending views", f"{found['total_view_keys']:,}"),
        ("Sessions begun today", f"{found['total_session_keys']:,}"),
        ("Viewers today", f"{found['total_daily_limit_keys']:,}"),
        ("Pending views", _number(found["pending_views"])),
        ("Oldest pending view", oldest),
        ("Open epoch", epoch),
        ("Contents being moved", f"{found['syncing_contents']:,}"),
        ("Contents moved aside", f"{found['parked_contents']:,}"),
        ("Rows of refusals", f"{found['refused_fields']:,}"),
        ("Redis memory", memory),
    ]


def _number(value: int | None) -> str:
    return _NOTHING if value is None else f"{value:,}"


def _limit(value: float) -> str:
    return f"{value:,}" if value else "off"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.stats", description=__doc__)
    add_stack_options(parser)
    given = parser.parse_args()
    with chosen_api(given, "operator", hours=1) as http:
        found = stats(http)
    show(found, Console())


if __name__ == "__main__":
    run(main)
