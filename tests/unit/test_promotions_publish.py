"""The publish of a promotion, stage by stage, with a store in memory and a network that loses answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from promotions import campaign as promotions
from promotions.outside import Outside
from promotions.ports import NOT_CONNECTED
from promotions.promotion import Change, Promotion, PromotionStatus, Stage, halt
from promotions.publishing import Calls, PromotionBatches
from promotions.texts import code
from sluice.campaign import State
from sluice.errors import Conflicting
from sluice.outward import (
    Absent,
    CallState,
    CannotTell,
    Done,
    Found,
    NotTaken,
    Outcome,
    Patience,
    Refused,
    Seen,
    Unknown,
    answered,
    begin,
)
from sluice.steps import Step, StepChain
from tests.factories import a_promotion

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ID = "prm_01KAJ3W5V0SM0FKVYVXB9EQT6N"


@dataclass
class Memory:
    """A store of one promotion, with the condition that each commit has: the step is as it was read."""

    campaign: Promotion
    events: list[str] = field(default_factory=list)
    postings: list[str] = field(default_factory=list)
    is_stopped: bool = False

    def get(self, _: str) -> Promotion:
        return self.campaign

    def read_with(self, _: str) -> State[Promotion]:
        return State(self.campaign, self.is_stopped)

    def commit(self, change: Change, _actor: str, _now: datetime) -> Promotion | None:
        if change.before is None or change.before.step != self.campaign.step:
            return None
        self.campaign = change.after
        self.events += [event.name for event in change.events]
        self.postings += [change.posting.id] if change.posting else []
        return self.campaign


@dataclass
class World:
    """A network and an escrow that do what they are asked, and answer what the script says."""

    present: datetime = NOON
    posts: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    contract: list[str] = field(default_factory=list)
    answers: dict[str, list[Outcome]] = field(default_factory=dict)
    """What a call answers instead of what it did, by its stage; Unknown after it happened."""
    in_the_call: Callable[[], None] = lambda: None
    looks: list[Seen] = field(default_factory=list)
    patience = Patience(30, 0)
    is_another: bool = False
    """Whether the stack was deployed with another kind of escrow since."""

    def make(self) -> tuple[Memory, StepChain[Promotion], list[tuple[int, datetime]]]:
        memory = Memory(promotions.publish(a_promotion(), "sandbox", NOON, "acme").after)
        outside = Outside(self, self, self)  # type: ignore[arg-type]
        sent: list[tuple[int, datetime]] = [(memory.campaign.step, NOON)]
        chain = StepChain(
            PromotionBatches(memory, outside, lambda *_: pytest.fail("it closes")),  # type: ignore[arg-type]
            lambda _id, step, at: sent.append((step, at)),  # type: ignore[arg-type]
            self,  # type: ignore[arg-type]
            Calls(memory, outside, self),  # type: ignore[arg-type]
        )
        return memory, chain, sent

    def now(self) -> datetime:
        return self.present

    # Networks, media, publisher and escrow in one.

    def policy(self, _: str) -> Any:
        return type("Policy", (), {"call_seconds": 10, "settle_seconds": 120})

    def publisher(self, *_: Any) -> "World":
        return self

    def revoked(self, network: str, owner: str) -> None:
        self.deleted.append(f"token of {owner} at {network}")

    def read(self, _: Promotion) -> Sequence[Any]:
        return ()

    def post(self, text: str, _media: Any, reply_to: str | None, _key: str) -> Outcome:
        stage = "second_post" if reply_to else "first_post"
        return self._answer(stage, lambda: self.posts.setdefault(text, f"post {len(self.posts) + 1}"))

    def delete(self, post_id: str) -> Outcome:
        return self._answer("delete", lambda: self.deleted.append(post_id) or post_id)

    def submit(self, ref: str, function: str, _arguments: Any) -> Outcome:
        return self._answer("contract", lambda: self.contract.append(function) or ref)

    def find_own(self, text: str, *_: Any) -> Seen:
        if self.looks:
            return self.looks.pop(0)
        return Found(self.posts[text]) if text in self.posts else Absent()

    def outcome(self, ref: str, function: str, _: Mapping[str, str | int]) -> Seen:
        return Found(ref) if function in self.contract else Absent()

    def made(self, _ref: str) -> bool:
        return not self.is_another

    def new_ref(self, _key: str, _now: datetime) -> str:
        return "0.0.1@1"

    def _answer(self, stage: str, do: Callable[[], str]) -> Outcome:
        self.in_the_call()
        script = self.answers.get(stage, [])
        answer = script.pop(0) if script else None
        if answer is None or isinstance(answer, Unknown):
            result = do()
            return answer or Done(result)
        return answer


def run_until_running(
    world: World, memory: Memory, chain: StepChain[Promotion], sent: list[tuple[int, datetime]]
) -> None:
    """Deliver the steps in the order of their times until the promotion runs, rests or has halted."""
    while sent and memory.campaign.is_live and memory.campaign.status is PromotionStatus.PENDING:
        sent.sort(key=lambda each: each[1])
        step, at = sent.pop(0)
        world.present = max(world.present, at)
        chain.run(Step(ID, step), f"message {step}")


def said(promotion: Promotion, result: str | None) -> promotions.Resolution:
    assert promotion.call is not None
    return promotions.Resolution(promotion.call.attempt_id, result, "I looked")


def test_a_publish_posts_records_the_contract_posts_again_and_runs() -> None:
    """S4-7, S4-8, S4-9, S4-17."""
    world = World()
    memory, chain, sent = world.make()

    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert (memory.campaign.tweet_id, memory.campaign.last_thread_tweet_id) == ("post 1", "post 2")
    assert memory.campaign.contract_status == "active"
    assert memory.campaign.campaign_close_time == NOON + timedelta(minutes=60)
    assert memory.events == [
        "CAMPAIGN_PUBLISH_DO_SM_TRANSACTION",
        "CAMPAIGN_PUBLISH_SECOND_CONTENT",
        "PromotionStarted",
    ]
    assert memory.campaign.operation is not None
    assert [each.stage for each in memory.campaign.operation.stages] == ["first_post", "contract", "second_post"]
    assert memory.campaign.operation.state == "done"


@pytest.mark.parametrize("stage", ["first_post", "second_post", "contract"])
def test_a_call_whose_answer_is_lost_is_found_and_never_made_again(stage: str) -> None:
    world = World(answers={stage: [Unknown("504")] * 5})
    memory, chain, sent = world.make()

    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert len(world.posts) == 2
    assert world.contract == ["createCampaign"]


def test_a_call_that_was_not_taken_is_made_again_when_the_network_says_so() -> None:
    later = NOON + timedelta(minutes=5)
    world = World(answers={"first_post": [NotTaken("429", later)]})
    memory, chain, sent = world.make()

    run_until_running(world, memory, chain, sent)

    assert memory.campaign.campaign_start_time == later
    assert memory.campaign.operation is not None
    assert memory.campaign.operation.stages[0].attempts == 2


def test_a_contract_that_is_refused_deletes_the_first_post_and_gives_the_money_back() -> None:
    """S4-8, S4-18, S4-19."""
    world = World(answers={"contract": [Refused("CONTRACT_REVERT_EXECUTED")]})
    memory, chain, sent = world.make()

    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.DRAFT
    assert world.deleted == ["post 1"]
    assert memory.postings == [f"unfund#{ID}#1"]
    assert memory.campaign.operation is not None
    refused = [each.stage for each in memory.campaign.operation.stages if each.reason == "CONTRACT_REVERT_EXECUTED"]
    assert refused == ["contract"]
    assert memory.events == [
        "CAMPAIGN_PUBLISH_DO_SM_TRANSACTION",
        "CAMPAIGN_CONTRACT_ERROR",
        "CAMPAIGN_PUBLISH_ERROR",
        "PromotionRolledBack",
    ]


def test_a_cancel_during_the_second_post_undoes_all_three_in_reverse_order() -> None:
    world = World()
    memory, chain, sent = world.make()

    def cancel() -> None:
        if memory.campaign.stage is Stage.SECOND_POST:
            change = promotions.cancel(memory.campaign, world.present)
            memory.campaign = change.after if change else memory.campaign

    world.in_the_call = cancel
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.DRAFT
    assert world.deleted == ["post 2", "post 1"]
    assert world.contract == ["createCampaign", "closeCampaign"]


def test_a_token_that_is_refused_at_the_second_post_halts_and_resume_goes_on_there() -> None:
    world = World(answers={"second_post": [Refused(NOT_CONNECTED)]})
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)
    assert memory.campaign.error is not None
    assert (memory.campaign.error.reason, memory.campaign.error.event) == (NOT_CONNECTED, "CAMPAIGN_PUBLISH_ERROR")
    assert world.deleted == ["token of acme at sandbox"]

    memory.campaign = promotions.resume(memory.campaign, world.present).after
    sent.append((memory.campaign.step, world.present))
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert len(world.posts) == 2


def test_what_nobody_can_look_up_is_stuck_until_an_operator_resolves_it() -> None:
    world = World(answers={"first_post": [Unknown("timeout")]}, looks=[CannotTell("401")] * 20)
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)
    assert memory.campaign.error is not None
    assert (memory.campaign.error.reason, memory.campaign.error.retriable) == ("outcome_unknown", False)

    resolved = promotions.resolve(memory.campaign, said(memory.campaign, "post 1"), world.present)
    assert resolved.after.seq == memory.campaign.seq + len(resolved.events), "each event is counted once"
    assert resolved.before is memory.campaign
    memory.campaign = resolved.after
    sent.append((memory.campaign.step, world.present))
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert memory.campaign.tweet_id == "post 1"


def test_the_events_of_a_resolution_are_numbered_without_a_gap() -> None:
    """S4-4: a consumer that orders events by `seq` would wait for the missing one for ever."""
    world = World(answers={"first_post": [Unknown("timeout")]}, looks=[CannotTell("401")] * 20)
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)

    change = promotions.resolve(memory.campaign, said(memory.campaign, "post 1"), world.present)

    assert [event.name for event in change.events] == ["CAMPAIGN_PUBLISH_DO_SM_TRANSACTION"]
    assert change.after.seq == memory.campaign.seq + 1
    assert change.after.step == memory.campaign.step + 1


def test_nobody_says_that_a_call_was_not_made_while_it_may_take_effect() -> None:
    world = World(answers={"first_post": [Unknown("timeout")]}, looks=[CannotTell("401")] * 20)
    memory, chain, sent = world.make()
    chain.run(Step(ID, sent[0][0]), "message")
    call = memory.campaign.call
    assert call is not None

    with pytest.raises(Conflicting, match="may take effect until"):
        promotions.resolve(memory.campaign, said(memory.campaign, None), call.settles_at - timedelta(seconds=1))
    settled = promotions.resolve(memory.campaign, said(memory.campaign, None), call.settles_at).after

    assert settled.call is not None
    assert settled.call.state is CallState.WAITING


def test_a_contract_of_another_escrow_is_not_closed_with_this_one() -> None:
    """The parameter `Escrow` was changed: an escrow that has no such contract would say that it is closed."""
    world = World(answers={"second_post": [Refused("too long")]})
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)
    world.is_another = True

    change = promotions.cancel(memory.campaign, world.present)
    assert change is not None
    memory.campaign = change.after
    sent.append((memory.campaign.step, world.present))
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.error is not None
    assert (memory.campaign.error.stage, memory.campaign.error.reason) == ("undo_contract", "another_escrow")
    assert world.contract == ["createCampaign"]


def test_a_call_of_another_escrow_is_not_looked_up_with_this_one() -> None:
    """It would be absent there, and made again."""
    world = World(answers={"contract": [Unknown("timeout")]}, is_another=True)
    memory, chain, sent = world.make()

    run_until_running(world, memory, chain, sent)

    assert memory.campaign.call is not None
    assert (memory.campaign.call.state, memory.campaign.call.reason) == (CallState.STUCK, "another_escrow")
    assert world.contract == ["createCampaign"]


def test_a_resolution_is_of_the_call_that_it_names_and_of_no_other() -> None:
    """An operator who read of one call must not decide about the next, of this publish or of a later one."""
    world = World(answers={"first_post": [Unknown("timeout")]}, looks=[CannotTell("401")] * 20)
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)

    with pytest.raises(Conflicting, match="attempt 1 of first_post"):
        promotions.resolve(memory.campaign, replace(said(memory.campaign, None), attempt_id="other"), world.present)


@pytest.mark.parametrize(
    ("outcome", "is_halted"), [(Done("post 1"), False), (Unknown("504"), True), (NotTaken("429"), True)]
)
def test_an_outcome_that_comes_after_the_halt_ends_the_halt_only_if_it_is_known(
    outcome: Outcome, is_halted: bool
) -> None:
    """Else a promotion that runs would have an error, and never close."""
    memory, _, _ = World().make()
    begun = begin(None, "first_post", "ref", NOON, NOON + timedelta(seconds=60), Patience(10, 120))
    intended = promotions.intend(memory.campaign, begun, NOON).after
    halted = halt(intended, "too many steps", NOON, call=begun).after

    change = promotions.record(halted, answered(begun, outcome, NOON, Patience(10, 120)), NOON)

    assert change.before is halted
    assert (change.after.error is not None, change.after.wake_at is None) == (is_halted, is_halted)
    assert (change.after.tweet_id, change.after.stage) == (
        (None, "first_post") if is_halted else ("post 1", "contract")
    )


@pytest.mark.parametrize("command", [promotions.cancel, lambda *it: promotions.abandon(it[0], "Enough", it[1])])
def test_a_publish_that_took_too_many_steps_can_be_cancelled_and_abandoned(command: Callable[..., Change]) -> None:
    world = World(answers={"second_post": [NotTaken("429")] * 50})
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)
    assert memory.campaign.error is not None
    assert memory.campaign.error.reason == "too many steps"

    memory.campaign = command(memory.campaign, world.present).after
    sent.append((memory.campaign.step, world.present))
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.DRAFT
    assert memory.postings == [f"unfund#{ID}#1"]


def test_a_worker_that_dies_in_the_call_is_followed_by_a_look_after_its_deadline() -> None:
    world = World()
    memory, chain, sent = world.make()

    def die() -> None:
        world.in_the_call = lambda: None
        world.post("Look at this #ad " + code(ID, 1), (), None, "")
        raise KeyboardInterrupt

    world.in_the_call = die
    with pytest.raises(KeyboardInterrupt):
        run_until_running(world, memory, chain, sent)
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert len(world.posts) == 2
    assert memory.campaign.campaign_start_time is not None
    assert memory.campaign.campaign_start_time >= NOON + timedelta(seconds=60 + 15 + 120)


def test_a_call_that_a_look_did_not_find_is_not_made_again_when_its_answer_comes_after_all() -> None:
    """A look came after the deadline, and found nothing: the worker was slower than anybody knew."""
    world = World(looks=[Absent()])
    memory, chain, sent = world.make()
    calls: list[Stage | None] = []

    def others_look() -> None:
        calls.append(memory.campaign.stage)
        if len(calls) == 1:
            assert memory.campaign.wake_at is not None
            world.present = memory.campaign.wake_at
            chain.run(Step(ID, memory.campaign.step), "a look")
            assert memory.campaign.call is not None
            assert memory.campaign.call.state is CallState.WAITING

    world.in_the_call = others_look
    run_until_running(world, memory, chain, sent)

    assert memory.campaign.status is PromotionStatus.RUNNING
    assert calls == [Stage.FIRST_POST, Stage.CONTRACT, Stage.SECOND_POST]


def test_a_late_cancel_of_a_running_promotion_is_refused() -> None:
    world = World()
    memory, chain, sent = world.make()
    run_until_running(world, memory, chain, sent)

    with pytest.raises(Conflicting, match="Only a pending promotion"):
        promotions.cancel(memory.campaign, world.present)
