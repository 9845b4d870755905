"""The rules of the step chain (design section 3), clause by clause, on a campaign in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from sluice.errors import Unavailable, Unreadable
from sluice.steps import Step, StepChain
from tests.factories import NOON, FixedClock


@dataclass(frozen=True)
class Counted:
    """A campaign whose steps count."""

    id: str = "bst_1"
    is_live: bool = True
    step: int = 5
    wake_at: datetime | None = NOON
    committed_by: str | None = None
    effects: int = 0


@dataclass(frozen=True)
class Seen:
    campaign: Counted
    is_stopped: bool = False


@dataclass
class Batches:
    """Commits a step if nobody did since it was read. `meanwhile` is what others do before each commit."""

    campaign: Counted | None = field(default_factory=Counted)
    meanwhile: list[Counted] = field(default_factory=list)
    ends: bool = False
    is_stopped: bool = False
    loses_answers: bool = False
    """Whether a commit is done and the chain hears that it failed, as when the SDK repeats what was done."""

    def read(self, campaign_id: str, now: datetime) -> Seen | None:
        return Seen(self.campaign, self.is_stopped) if self.campaign and self.campaign.id == campaign_id else None

    def commit(self, state: Seen, committed_by: str, now: datetime) -> Counted | None:
        if self.meanwhile:
            self.campaign = self.meanwhile.pop(0)
            return None
        assert self.campaign
        if self.campaign != state.campaign:
            return None
        self.campaign = replace(
            self.campaign,
            step=state.campaign.step + 1,
            wake_at=now + timedelta(seconds=1),
            committed_by=committed_by,
            effects=self.campaign.effects + 1,
            is_live=not self.ends,
        )
        return None if self.loses_answers else self.campaign


@dataclass
class Wakes:
    """Remembers what was woken; `dies` is a worker that is killed between its commit and its send."""

    sent: list[tuple[str, int, datetime]] = field(default_factory=list)
    dies: bool = False

    def __call__(self, campaign_id: str, step: int, at: datetime) -> None:
        if self.dies:
            raise KeyboardInterrupt
        self.sent.append((campaign_id, step, at))


@dataclass
class Acts:
    """Calls somebody outside after each commit, and records that on the campaign."""

    batches: Batches
    wakes: Wakes
    calls: list[str] = field(default_factory=list)
    """The `committed_by` of each call."""
    sent_before: list[int] = field(default_factory=list)
    """The steps that were woken before a call."""
    records: bool = True
    ends: bool = False
    dies: bool = False
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self, committed: Counted, committed_by: str, now: datetime) -> Counted | None:
        if self.dies:
            raise KeyboardInterrupt
        self.calls.append(committed_by)
        self.sent_before = [step for _, step, _ in self.wakes.sent]
        self.meanwhile()
        if not self.records:
            return None
        recorded = replace(committed, step=committed.step + 1, is_live=not self.ends, wake_at=now)
        self.batches.campaign = recorded
        return recorded


class Chain:
    """A chain on a campaign in memory, at noon."""

    def __init__(self, act: bool = False, **batches: object) -> None:
        self.batches = Batches(**batches)
        self.wakes = Wakes()
        self.clock = FixedClock()
        self.acts = Acts(self.batches, self.wakes)
        self.chain = StepChain(self.batches, self.wakes, self.clock, self.acts if act else None)

    def deliver(self, step: int, message_id: str = "message-1", campaign_id: str = "bst_1") -> None:
        self.chain.run(Step(campaign_id, step), message_id)

    @property
    def woken(self) -> list[int]:
        return [step for _, step, _ in self.wakes.sent]

    @property
    def effects(self) -> int:
        assert self.batches.campaign
        return self.batches.campaign.effects


def test_a_due_step_is_run_once_and_wakes_the_next() -> None:
    chain = Chain()

    chain.deliver(5)

    assert chain.effects == 1
    assert chain.wakes.sent == [("bst_1", 6, NOON + timedelta(seconds=1))]


def test_the_last_step_wakes_nothing() -> None:
    chain = Chain(ends=True)

    chain.deliver(5)

    assert chain.effects == 1
    assert chain.wakes.sent == []


@pytest.mark.parametrize("campaign", [None, Counted(is_live=False)])
def test_the_message_of_a_campaign_that_does_not_run_is_dropped(campaign: Counted | None) -> None:
    chain = Chain(campaign=campaign)

    chain.deliver(5)

    assert chain.wakes.sent == []
    assert chain.batches.campaign == campaign


def test_a_step_ahead_of_its_campaign_is_dropped() -> None:
    chain = Chain()

    chain.deliver(6)

    assert chain.effects == 0
    assert chain.wakes.sent == []


def test_a_stale_step_is_dropped() -> None:
    chain = Chain()

    chain.deliver(5)
    chain.deliver(5, "message-2")

    assert chain.effects == 1
    assert len(chain.wakes.sent) == 1


def test_a_worker_killed_between_commit_and_send_sends_when_its_message_comes_again() -> None:
    chain = Chain()
    chain.wakes.dies = True
    with pytest.raises(KeyboardInterrupt):
        chain.deliver(5)
    chain.wakes.dies = False

    chain.deliver(5)

    assert chain.effects == 1
    assert chain.wakes.sent == [("bst_1", 6, NOON + timedelta(seconds=1))]


def test_no_other_message_resends_so_that_copies_die_at_the_next_commit() -> None:
    chain = Chain(campaign=Counted(step=6, committed_by="message-1"))

    chain.deliver(5, "message-2")

    assert chain.wakes.sent == []


def test_a_message_two_steps_behind_never_resends() -> None:
    chain = Chain(campaign=Counted(step=7, committed_by="message-1"))

    chain.deliver(5, "message-1")

    assert chain.wakes.sent == []


def test_a_commit_whose_answer_was_lost_wakes_the_next_step() -> None:
    chain = Chain(loses_answers=True)

    chain.deliver(5)

    assert chain.effects == 1
    assert chain.woken == [6]


def test_an_act_comes_after_the_commit_and_after_the_wake_of_the_step_that_judges_it() -> None:
    chain = Chain(act=True)

    chain.deliver(5)

    assert chain.effects == 1
    assert chain.acts.sent_before == [6]
    assert len(chain.acts.calls) == 1


def test_what_an_act_recorded_wakes_the_step_after_the_record() -> None:
    chain = Chain(act=True)

    chain.deliver(5)

    assert chain.woken == [6, 7]
    assert chain.batches.campaign == Counted(step=7, committed_by=chain.acts.calls[0], effects=1, wake_at=NOON)


@pytest.mark.parametrize("record", [{"records": False}, {"ends": True}])
def test_an_act_without_a_live_record_wakes_no_more(record: dict[str, bool]) -> None:
    chain = Chain(act=True)
    vars(chain.acts).update(record)

    chain.deliver(5)

    assert len(chain.acts.calls) == 1
    assert chain.woken == [6]


def test_a_campaign_that_ended_is_not_acted_on() -> None:
    chain = Chain(act=True, ends=True)

    chain.deliver(5)

    assert chain.acts.calls == []


def test_an_invocation_whose_commit_answer_was_lost_finds_its_own_commit_and_acts() -> None:
    chain = Chain(act=True, loses_answers=True)

    chain.deliver(5)

    assert chain.effects == 1
    assert len(chain.acts.calls) == 1
    assert chain.woken == [6, 7]


def test_a_worker_killed_before_it_acts_does_not_act_when_its_message_comes_again() -> None:
    """Whether the call was made is not known: the next step judges it."""
    chain = Chain(act=True)
    chain.acts.dies = True
    with pytest.raises(KeyboardInterrupt):
        chain.deliver(5)
    chain.acts.dies = False

    chain.deliver(5)

    assert chain.acts.calls == []
    assert chain.woken == [6, 6]


def test_a_copy_of_the_message_beside_the_acting_one_does_not_act() -> None:
    chain = Chain(act=True)
    chain.acts.meanwhile = lambda: chain.deliver(5)

    chain.deliver(5)

    assert chain.effects == 1
    assert len(chain.acts.calls) == 1
    assert chain.woken == [6, 6, 7]


def test_a_worker_killed_between_its_record_and_its_second_wake_sends_when_its_message_comes_again() -> None:
    chain = Chain(act=True, campaign=Counted(step=7, committed_by="message-1/0123456789abcdef"))

    chain.deliver(5)

    assert chain.woken == [7]
    assert chain.acts.calls == []


@pytest.mark.parametrize(("step", "message_id"), [(7, "message-2"), (8, "message-1")])
def test_after_a_record_no_other_message_resends_and_none_that_is_three_steps_behind(
    step: int, message_id: str
) -> None:
    chain = Chain(act=True, campaign=Counted(step=step, committed_by="message-1/0123456789abcdef"))

    chain.deliver(5, message_id)

    assert chain.woken == []


def test_a_message_whose_id_begins_like_that_of_the_one_that_committed_is_another() -> None:
    chain = Chain(campaign=Counted(step=6, committed_by="message-12/0123456789abcdef"))

    chain.deliver(5, "message-1")

    assert chain.woken == []


def test_a_step_before_its_time_is_put_back_without_effect() -> None:
    chain = Chain(campaign=Counted(wake_at=NOON + timedelta(microseconds=1)))

    chain.deliver(5)

    assert chain.effects == 0
    assert chain.wakes.sent == [("bst_1", 5, NOON + timedelta(microseconds=1))]


def test_while_the_platform_is_stopped_a_step_is_put_back_without_effect_for_a_minute() -> None:
    chain = Chain(is_stopped=True)

    chain.deliver(5)

    assert chain.effects == 0
    assert chain.wakes.sent == [("bst_1", 5, NOON + timedelta(minutes=1))]


def test_after_a_failed_condition_the_rules_begin_again_from_the_first() -> None:
    paused = Counted(is_live=False, step=6)
    chain = Chain(meanwhile=[paused])

    chain.deliver(5)

    assert chain.batches.campaign == paused
    assert chain.wakes.sent == []


def test_when_only_a_cap_was_in_the_way_the_batch_is_computed_again() -> None:
    chain = Chain(meanwhile=[Counted(), Counted()])

    chain.deliver(5)

    assert chain.effects == 1
    assert len(chain.wakes.sent) == 1


def test_a_stampede_is_handed_back_to_the_queue() -> None:
    chain = Chain(meanwhile=[Counted()] * 100)

    with pytest.raises(Unavailable):
        chain.deliver(5)

    assert chain.effects == 0


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"campaign_id": "bst_1"}',
        '{"campaign_id": "bst_1", "step": "1"}',
        '{"campaign_id": "bst_1", "step": true}',
        '{"campaign_id": "bst_1", "step": -1}',
        '{"campaign_id": "bst_1", "step": 1.0}',
        '{"campaign_id": "", "step": 1}',
        '{"campaign_id": 7, "step": 1}',
        '{"campaign_id": "bst_1", "step": 1, "views": 1000}',
    ],
)
def test_anything_but_a_campaign_and_a_step_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        Step.parse(body)
