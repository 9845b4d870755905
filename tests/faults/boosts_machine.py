"""The boosts' state machine: begins with a campaign that runs, and little room."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from tests.faults.boosts import CAMPAIGNS, Boosts, check_numbers, command, create, left
from tests.faults.chain import platform
from tests.faults.machine import Machine
from tests.faults.script import Command
from tests.faults.world import START

_DAILY_LIMIT = 30_000
_MOST_CAMPAIGNS = 4
_VERBS = ("execute", "execute", "pause", "pause", "cancel", "revert")


def _created(videos: list[str], days: int, total: int, pattern: str, waits: int) -> Command:
    return create(
        total=min(total, days * _DAILY_LIMIT),
        days=days,
        limit=_DAILY_LIMIT,
        starts_in=timedelta(seconds=waits) if waits else None,
        pattern=pattern,
        video_ids=videos,
        video_id=None,
    )


_CREATIONS = st.builds(
    _created,
    st.sampled_from((["a"], ["a", "b"], ["c", "b", "a"])),
    st.integers(1, 3),
    st.sampled_from((20_000, 2_500, 45_000)),
    st.sampled_from(("steady", "burst", "progressive")),
    st.sampled_from((0, 0, 600)),
)
_COMMANDS = st.builds(command, st.sampled_from(_VERBS), st.integers(0, _MOST_CAMPAIGNS - 1))
_SWITCHES = st.builds(platform, st.sampled_from(("stop", "resume", "resume")))


class BoostsMachine(Machine):
    """In the evening, when others have left little room: in this month, and on this day."""

    of = Boosts
    commands = st.one_of(_CREATIONS, _COMMANDS, _COMMANDS, _SWITCHES)
    creates = CAMPAIGNS
    most_made = _MOST_CAMPAIGNS
    worker = "BoostsWorkerFunction"
    queues = ("BoostsQueue",)
    first = (_created(["a"], 1, 2_500, "steady", 0), command("execute"))
    begins_at = START + timedelta(hours=10)

    def prepare(self) -> None:
        left(month=90_000, day=33_000)(self.world)

    def check(self) -> None:
        base: Any = self.base
        check_numbers(self.world, base)
