"""The sponsorships' state machine: begins with a campaign that runs, two streamers, and keys for two."""

from hypothesis import strategies as st

from tests.faults.chain import platform
from tests.faults.machine import RESUME, Machine
from tests.faults.script import Command
from tests.faults.sponsorships import (
    CAMPAIGNS,
    REASON,
    SCHEDULE,
    TABLE,
    Sponsorships,
    begun,
    click,
    command,
    full_check,
    hand,
    hand_on_tally,
    join,
    leave,
    load,
    of_nina,
    record,
    void,
)
from tests.faults.sponsorships_watch import Watch, items

_STREAMERS = st.sampled_from(("nina", "nina", "omar", "pia"))
_PEOPLE = st.sampled_from(("ada", "bob"))
_VIEWERS = st.lists(st.sampled_from(("v0", "v1", "v2", "v3", "v4")), min_size=1, max_size=3, unique=True)
_RECORDS = st.builds(lambda streamer, viewers: record(*viewers, streamer=streamer), _STREAMERS, _VIEWERS)
_COMMANDS = st.one_of(
    _RECORDS,
    _RECORDS,
    st.builds(join, _STREAMERS),
    st.builds(leave, _STREAMERS),
    st.builds(click, st.sampled_from(("v0", "v1"))),
    st.builds(lambda viewers: of_nina("void", void(*viewers)), _VIEWERS),
    st.builds(lambda who: of_nina("reject", REASON, subject=who), _PEOPLE),
    st.builds(lambda who: of_nina("refunds", {"amount": 100} | REASON, subject=who), _PEOPLE),
    st.builds(lambda who, number: of_nina(f"refunds/{number}/approve", subject=who), _PEOPLE, st.integers(1, 2)),
    st.builds(lambda who: of_nina("adjustments", {"impressions": 1} | REASON, subject=who), _PEOPLE),
    st.builds(lambda who, number: of_nina(f"adjustments/{number}/approve", subject=who), _PEOPLE, st.integers(0, 4)),
    st.builds(lambda name, value: hand({name: value}), st.sampled_from(("impressions", "earnings")), st.integers(0, 4)),
    st.builds(hand_on_tally, st.sampled_from((1, -1))),
    st.builds(full_check),
    st.builds(load, st.just("KEY-3")),
    st.builds(command, st.sampled_from(("pause", "resume", "resume", "close"))),
    st.builds(platform, st.sampled_from(("stop", "resume", "resume"))),
)


class SponsorshipsMachine(Machine):
    """What is reached is held for an hour; what is not when the campaign is closed is paid in part."""

    of = Sponsorships
    commands = _COMMANDS
    creates = CAMPAIGNS
    most_made = 1
    worker = "SponsorshipsWorkerFunction"
    queues = ("SponsorshipsQueue", "SponsorshipsChecksQueue")
    first = (leave("omar"),)
    silent = (SCHEDULE,)
    waits_seconds = (1, 10, 60, 3600)
    runs = 5

    watch: Watch

    def prepare(self) -> None:
        begun(streamers=("nina", "omar"), seen=1, gkeys="required", hold_hours=1, at_end="pro_rata")(self.world)

    def may_be_answered(self, command: Command, status: int) -> bool:
        is_of_nothing = status == 404 or (status == 400 and command.path.endswith("/void"))
        return is_of_nothing or super().may_be_answered(command, status)

    def check(self) -> None:
        self.watch.books(self.world).check()

    def heal(self) -> None:
        """A deep run puts right what hands edited."""
        self.give(RESUME)
        while items(self.world, TABLE, kind="check", status="checking"):
            self.world.step()
        self.give(full_check())
