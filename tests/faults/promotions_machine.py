"""The promotions' state machine: begins with one that is published, or a draft, and a network that loses answers."""

from hypothesis import strategies as st

from local.fakes.network import Fault, Operation
from promotions.ports import Kind, Metrics
from tests.faults.chain import act, platform
from tests.faults.machine import RESUME, Machine
from tests.faults.promotions import (
    CAMPAIGNS,
    OUTSIDE,
    REASON,
    PromotionsInTheWorld,
    begun,
    cancel,
    claim,
    command,
    delete,
    edit,
    link_all,
    publish,
    resolve,
    track,
)
from tests.faults.promotions_outside import Wrong
from tests.faults.promotions_watch import Books, Watch, error_of, promotions
from tests.faults.script import Command
from tests.faults.world import World

_HANDLES = st.sampled_from(("bob", "nina", "nina2", "omar", "pia"))
_SOME = st.lists(_HANDLES, max_size=5, unique=True)
_POSTS = (None, Fault.LATER, Fault.HIDDEN, Fault.HANG, Fault.UNREADABLE, Fault.LIMITED, Fault.REFUSED, Fault.EXPIRED)
_READS = (None, Fault.LIMITED, Fault.UNAVAILABLE, Fault.HANG)


def _engage(likes: list[str], reposts: list[str]) -> Command:
    """Accounts engage with what there is to see of the promotion."""

    def do(_world: World) -> None:
        for each in OUTSIDE.network.live():
            engaged = {Kind.REPOST: reposts} if each.reply_to else {Kind.LIKE: likes, Kind.REPOST: reposts}
            OUTSIDE.network.engage(each.id, engaged)

    return act(do)


def _count(likes: int) -> Command:
    """The network counts so many likes."""

    def do(_world: World) -> None:
        for each in OUTSIDE.network.live():
            OUTSIDE.network.engage(each.id, each.engaged, Metrics(likes=likes))

    return act(do)


def _of_network(operation: Operation, faults: list[Fault | None]) -> Command:
    """The next requests of an operation go wrong."""
    return act(lambda _world: OUTSIDE.network.script(operation, *faults))


def _of_escrow(wrong: list[Wrong | None]) -> Command:
    return act(lambda _world: OUTSIDE.wrong.extend(wrong))


def _faults(*some: Fault | None) -> st.SearchStrategy[list[Fault | None]]:
    return st.lists(st.sampled_from(some), min_size=1, max_size=3)


_COMMANDS = st.one_of(
    st.builds(publish),
    st.builds(publish),
    st.builds(cancel),
    st.builds(command, st.just("close")),
    st.builds(command, st.just("resume")),
    st.builds(command, st.just("resume")),
    st.builds(command, st.just("abandon"), st.just(REASON)),
    st.builds(resolve, st.just("not_sent")),
    st.builds(edit),
    st.builds(delete),
    st.builds(claim, st.sampled_from(("nina", "omar", "ada"))),
    st.builds(lambda: act(link_all)),
    st.builds(lambda: act(track)),
    st.builds(_engage, _SOME, _SOME),
    st.builds(_count, st.integers(0, 120)),
    st.builds(_of_network, st.just(Operation.POST), _faults(*_POSTS)),
    st.builds(_of_network, st.just(Operation.DELETE), _faults(*_READS, Fault.UNREADABLE, Fault.REFUSED)),
    st.builds(_of_network, st.just(Operation.FIND_OWN), _faults(Fault.HANG, None)),
    st.builds(_of_network, st.sampled_from((Operation.METRICS, Operation.ENGAGED)), _faults(*_READS, Fault.EXPIRED)),
    st.builds(_of_escrow, st.lists(st.sampled_from((None, *Wrong)), min_size=1, max_size=3)),
    st.builds(platform, st.sampled_from(("stop", "resume", "resume"))),
)


class PromotionsMachine(Machine):
    """One promotion, which a metric closes at a hundred likes, else its time does, after an hour."""

    of = PromotionsInTheWorld
    commands = _COMMANDS
    creates = CAMPAIGNS
    most_made = 0
    worker = "PromotionsWorkerFunction"
    queues = ("PromotionsQueue",)
    first = (publish(),)
    waits_seconds = (1, 10, 90, 300, 3600)
    runs = 5

    watch: Watch

    def prepare(self) -> None:
        begun(
            duration_minutes=60,
            claim_window_hours=1,
            auto_close=[{"metric": "likes", "at_least": 100}],
        )(self.world)

    def may_be_answered(self, command: Command, status: int) -> bool:
        return status == 404 or super().may_be_answered(command, status)

    def check(self) -> None:
        Books(self.world).check()
        OUTSIDE.check()

    def heal(self) -> None:
        """The network and the escrow are well again, and people go on with what has halted."""
        self.give(RESUME)
        OUTSIDE.network._script.clear()
        OUTSIDE.wrong.clear()
        for _ in range(3):
            if any(map(error_of, promotions(self.world))):
                self.give(command("resume"))
