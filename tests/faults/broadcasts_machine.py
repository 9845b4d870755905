"""The broadcasts' state machine: begins with two campaigns on one number, and a provider that loses answers."""

from hypothesis import strategies as st

from tests.faults.broadcasts import (
    CAMPAIGNS,
    OUTSIDE,
    BroadcastsInTheWorld,
    begun,
    create,
    delete,
    do,
    edit,
    opts_out,
    phone,
    suppress,
    terms,
)
from tests.faults.broadcasts_outside import Tells, Wrong
from tests.faults.broadcasts_watch import Watch, campaigns, check_counters
from tests.faults.chain import act, platform
from tests.faults.machine import RESUME, Machine
from tests.faults.script import Command

_NUMBERS = st.integers(0, 3)
_CAMPAIGNS = st.integers(0, 1)


def _wrong(number: int, wrong: list[Wrong | None]) -> Command:
    """The next calls to a recipient go wrong."""
    return act(lambda _world: OUTSIDE.goes_wrong(phone(number), *wrong))


def _told(number: int, tells: Tells) -> Command:
    """What webhooks tell of the next messages to a recipient."""
    return act(lambda _world: OUTSIDE.tells.update({phone(number): tells}))


def _retry(of: int, *, unknown: bool, final: bool) -> Command:
    return do("retry", of, {"include_unknown": unknown, "include_final": final})


_COMMANDS = st.one_of(
    st.builds(do, st.just("start"), _CAMPAIGNS),
    st.builds(do, st.just("start"), _CAMPAIGNS),
    st.builds(do, st.just("pause"), _CAMPAIGNS),
    st.builds(do, st.just("resume"), _CAMPAIGNS),
    st.builds(do, st.just("cancel"), _CAMPAIGNS),
    st.builds(_retry, _CAMPAIGNS, unknown=st.booleans(), final=st.booleans()),
    st.builds(edit, st.builds(terms, st.integers(1, 3), st.integers(0, 2))),
    st.builds(delete),
    st.builds(suppress, _NUMBERS),
    st.builds(opts_out, _NUMBERS, st.sampled_from(("SAIR", "VOLTAR"))),
    st.builds(_wrong, _NUMBERS, st.lists(st.sampled_from((None, *Wrong)), min_size=1, max_size=3)),
    st.builds(_told, _NUMBERS, st.sampled_from(Tells)),
    st.builds(platform, st.sampled_from(("stop", "resume", "resume"))),
)


class BroadcastsMachine(Machine):
    """Two campaigns, to three people each, of whom two are in both."""

    of = BroadcastsInTheWorld
    commands = _COMMANDS
    creates = CAMPAIGNS
    most_made = 0
    worker = "BroadcastsWorkerFunction"
    # A provider tells once: what is lost of its queue is not told again.
    queues = ("BroadcastsQueue",)
    first = (do("start"),)
    waits_seconds = (1, 10, 90, 300, 3600)
    runs = 5

    watch: Watch

    def prepare(self) -> None:
        begun(create(3, maxRetries=1), create(3, first=1, maxRetries=1))(self.world)

    def may_be_answered(self, command: Command, status: int) -> bool:
        return status == 404 or super().may_be_answered(command, status)

    def check(self) -> None:
        check_counters(self.world)
        self.watch.accepted(self.world)

    def heal(self) -> None:
        """The provider is well again, and the owner goes on with what has paused."""
        self.give(RESUME)
        OUTSIDE.wrong.clear()
        for number, each in enumerate(campaigns(self.world)):
            if each["status"] in ("pausing", "PAUSED"):
                self.give(do("resume", number))
