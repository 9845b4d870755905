"""The reference chain's state machine: any commands, any faults, of several campaigns that call outside."""

from hypothesis import strategies as st

from tests.faults.chain import platform
from tests.faults.machine import Machine
from tests.faults.reference import CAMPAIGNS, Reference, check_calls, command, create

_MOST_CAMPAIGNS = 3
_VERBS = ("execute", "execute", "pause", "pause", "cancel")


class ReferenceMachine(Machine):
    """Begins with a campaign that runs."""

    of = Reference
    commands = st.one_of(
        st.builds(create, st.integers(1, 6), st.sampled_from((0, 1, 1_000))),
        st.builds(command, st.sampled_from(_VERBS), st.integers(0, _MOST_CAMPAIGNS - 1)),
        st.builds(command, st.sampled_from(_VERBS), st.integers(0, _MOST_CAMPAIGNS - 1)),
        st.builds(platform, st.sampled_from(("stop", "resume", "resume"))),
    )
    creates = CAMPAIGNS
    most_made = _MOST_CAMPAIGNS
    worker = "BoostsWorkerFunction"
    queues = ("BoostsQueue",)
    first = (create(), command("execute"))
    runs = 11

    def check(self) -> None:
        check_calls(self.world)
