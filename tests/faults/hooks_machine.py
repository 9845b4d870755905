"""The webhooks' state machine: two endpoints, some events, and receivers that answer as they like."""

from hypothesis import strategies as st

from tests.faults.chain import act, platform
from tests.faults.hooks import (
    RECEIVERS,
    URLS,
    HooksInTheWorld,
    begun,
    change,
    create,
    delete,
    happens,
    hook,
    replay,
    replay_all,
)
from tests.faults.hooks_outside import BUSY, GONE, MOVED, WELL, WRONG
from tests.faults.hooks_watch import HOOKS, check_rows
from tests.faults.machine import Machine
from tests.faults.script import Command

_HOOKS = st.integers(0, 1)
_NUMBERS = st.integers(0, 3)


def _says(number: int, answers: list[str]) -> Command:
    """How a receiver answers its next requests."""
    return act(lambda _world: RECEIVERS.answers[URLS[number]].extend(answers))


def _edit(number: int, *, wants_all: bool) -> Command:
    return change(number, body={"events": [] if wants_all else ["boost.*", "hook.test"]})


_COMMANDS = st.one_of(
    st.builds(happens, _NUMBERS, st.integers(1, 2)),
    st.builds(happens, _NUMBERS),
    st.builds(change, _HOOKS),
    st.builds(hook, st.sampled_from(("enable", "enable", "rotate", "test")), _HOOKS),
    st.builds(replay, _NUMBERS, _HOOKS),
    st.builds(replay_all, st.sampled_from(("held", "failed", "delivered")), _HOOKS),
    st.builds(
        _says, _HOOKS, st.lists(st.sampled_from((WELL, WRONG, WRONG, BUSY, MOVED, GONE)), min_size=1, max_size=4)
    ),
    st.builds(_edit, _HOOKS, wants_all=st.booleans()),
    st.builds(delete, st.just(1)),
    st.builds(create, st.just(2)),
    st.builds(platform, st.sampled_from(("stop", "resume", "resume"))),
)


class HooksMachine(Machine):
    """An endpoint that is never deleted, one that may be, and one more."""

    of = HooksInTheWorld
    commands = _COMMANDS
    creates = HOOKS
    most_made = 1
    worker = "HooksWorkerFunction"
    # The bus tells once: what is lost of the queue of events is not told again.
    queues = ("HooksQueue",)
    first = (happens(),)
    waits_seconds = (1, 5, 60, 300, 3600)
    runs = 5

    def prepare(self) -> None:
        begun()(self.world)

    def may_be_answered(self, command: Command, status: int) -> bool:
        return status == 404 or super().may_be_answered(command, status)

    def check(self) -> None:
        check_rows(self.world, int(self.base))

    def heal(self) -> None:
        """The receivers are well again."""
        RECEIVERS.answers.clear()
