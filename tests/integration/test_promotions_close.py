"""The close of a promotion: final metrics, engagers, split, pages of rewards, refund, finalise, claims, their end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from promotions import campaign as promotions
from promotions import engagement, participants, settling
from promotions.engagement import EngagementItem
from promotions.evidence import Evidence
from promotions.export import BEGIN, statement
from promotions.participants import PaidItem, ParticipantItem
from promotions.ports import NOT_CONNECTED, RATE_LIMITED, Kind, Metrics, Missing, NotReadable, Page
from promotions.ports import Account as Profile
from promotions.promotion import CloseReason, PromotionStatus, PromotionType, Share, Stage, halt
from promotions.split import ParticipantState, Reason, participant_hash
from sluice import journal, ledger
from sluice.dynamodb import setting
from sluice.errors import Conflicting
from sluice.errors import Refused as Refused4xx
from sluice.outward import Refused, Unknown
from sluice.platform import PlatformStatus
from sluice.steps import Step
from tests.account import Account
from tests.integration.promotions_close_world import ID, NOON, WALLET, World, an_account

BUDGET, RESERVED = journal.budget(ID), journal.reserved(ID)


@pytest.fixture
def world(aws: Account) -> World:
    return World(aws)


def test_three_pages_of_rewards_are_paid_claimed_and_the_rest_comes_back(world: World) -> None:
    """S4-13, S4-14, S4-15: with a shared wallet, a cap, and one excluded."""
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 46)] + [an_account(99, bot=True)])
    for each in range(1, 21):
        world.link(each, f"fan{each}")
    world.link(21, "fan20")

    promotion = world.closed(max_per_participant=200)

    assert promotion.status is PromotionStatus.CLOSED
    assert (promotion.stage, promotion.close_reason) == (Stage.CLAIMS, CloseReason.SCHEDULE)
    assert (promotion.promised, promotion.paid, promotion.refunded) == (9000, 4000, 1000)
    rows = world.rows
    assert [world.wallet(f"fan{each}") for each in range(1, 21)] == [200] * 20
    assert {rows["20"].state, rows["21"].state} == {ParticipantState.PAID, ParticipantState.DUPLICATE_USER}
    assert (rows["22"].state, rows["22"].amount) == (ParticipantState.CLAIMABLE, 200)
    assert (rows["99"].reason, rows["99"].amount) == (Reason.BOT, 0)
    assert [name for name, _ in world.events] == [
        "CAMPAIGN_CLOSE_OPERATION",
        "CAMPAIGN_RATE_UPDATED",
        "CAMPAIGN_BUDGET_REFUND",
        "CAMPAIGN_CLOSED",
    ]

    world.link(22, "late")
    world.claim("late")
    world.run(hours=168)

    promotion = world.campaign
    assert promotion.stage is Stage.SETTLED
    assert world.wallet("late") == 200
    assert world.wallet("acme") == WALLET - 10_000 + 1000 + 4800
    assert vars(world.budget) == {"funded": 10_000, "remaining": 0, "reserved": 0, "paid": 4200, "refunded": 5800}
    assert [name for name, _ in world.events[4:]] == ["CAMPAIGN_BUDGET_REFUND", "PromotionSettled"]
    assert world.events[4][1]["refundAmount"] == 4800


def test_a_close_without_engagers_takes_seven_steps_and_refunds_everything(world: World) -> None:
    running = world.running()

    world.run(hours=1)

    promotion = world.campaign
    assert promotion.stage is Stage.SETTLED
    assert promotion.step - running.step <= 7
    assert world.wallet("acme") == WALLET
    assert [(name, data.get("refundAmount"), data.get("finalRate")) for name, data in world.events] == [
        ("CAMPAIGN_CLOSE_OPERATION", None, None),
        ("CAMPAIGN_RATE_UPDATED", None, "0"),
        ("CAMPAIGN_BUDGET_REFUND", 10_000, None),
        ("CAMPAIGN_CLOSED", None, None),
        ("PromotionSettled", None, None),
    ]
    world.run(hours=1)
    assert world.sent == []


def test_counts_above_what_the_server_lists_keep_nothing_back(world: World) -> None:
    """mastodon#24082: the metrics say 100 likes, the list has 60 accounts."""
    world.counted = Metrics(likes=100)
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 61)])

    promotion = world.closed(budget=6000)

    assert promotion.promised == 6000
    assert {each.amount for each in world.rows.values()} == {100}
    assert promotion.progress.listed == 60
    assert promotion.final is not None
    assert promotion.final.metrics["likes"] == 100
    assert world.events[-1][1]["finalMetrics"] == {"likes": 100, "reposts": 0, "quotes": 0, "replies": 0}


@pytest.mark.parametrize("why", ["the network forbids rewards", "it is no rewarded promotion"])
def test_nobody_reads_who_engaged_where_nobody_is_rewarded(world: World, why: str) -> None:
    world.rewards_on = why != "the network forbids rewards"
    world.engage(Kind.LIKE, [an_account(1)])

    world.closed(type=PromotionType.REWARDED if not world.rewards_on else PromotionType.AWARENESS)

    assert world.reads == ["metrics"]
    assert world.wallet("acme") == WALLET


def test_a_person_who_is_on_several_pages_counts_once_by_all_kinds(world: World) -> None:
    """Of the same step, and of another: a page of 20 leaves no room for the next one."""
    world.page_size = 20
    world.engage(Kind.LIKE, [*(an_account(each) for each in range(1, 21)), an_account(1), an_account(2)])
    world.engage(Kind.REPOST, [an_account(each) for each in range(1, 11)])
    world.engage(Kind.LIKE, [an_account(1)], post="post 2")

    promotion = world.closed(share=Share.WEIGHTED, budget=4000)

    assert {account: (each.weight, each.amount) for account, each in world.rows.items()} == {
        str(each): (3, 300) if each <= 10 else (1, 100) for each in range(1, 21)
    }
    assert promotion.progress.listed == 20


def test_a_person_with_accounts_on_two_pages_is_paid_for_the_first(world: World) -> None:
    order = sorted(range(1, 46), key=lambda each: participant_hash(ID, "sandbox", str(each)))
    world.engage(Kind.LIKE, [an_account(each) for each in order])
    first, second, last = order[0], order[1], order[-1]
    for each in (first, second, last):
        world.link(each, "nina")

    world.closed(budget=4500)

    states = [world.rows[str(each)].state for each in (first, second, last)]
    assert states == [ParticipantState.PAID, ParticipantState.DUPLICATE_USER, ParticipantState.DUPLICATE_USER]
    assert world.wallet("nina") == 100


def test_the_excluded_read_why_and_an_exception_overrules(world: World) -> None:
    young = an_account(2, created_at=NOON - timedelta(days=3))
    world.engage(
        Kind.LIKE, [an_account(0), young, an_account(3, bot=True), an_account(4), an_account(5), an_account(6)]
    )
    world.decide(3, eligible=True)
    world.decide(4, eligible=False)
    world.link(5, "acme")

    world.closed()

    assert {account: each.reason for account, each in world.rows.items()} == {
        "0": Reason.OWNER,
        "2": Reason.TOO_YOUNG,
        "3": None,
        "4": Reason.EXCEPTION,
        "5": Reason.OWNER,
        "6": None,
    }
    assert [world.rows[each].amount for each in "36"] == [5000, 5000]


def test_a_budget_with_fewer_units_than_participants_pays_the_first_ones(world: World) -> None:
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 4)])
    for each in range(1, 4):
        world.link(each, f"fan{each}")

    promotion = world.closed(budget=2)

    assert sorted(each.amount for each in world.rows.values()) == [0, 1, 1]
    assert [each.reason for each in world.rows.values() if not each.amount] == [Reason.NO_SHARE]
    assert promotion.stage is Stage.SETTLED


def test_a_full_page_of_accounts_and_of_wallets_fits_into_a_transaction(world: World) -> None:
    world.page_size = 80
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 81)])
    world.engage(Kind.REPOST, [an_account(each) for each in range(81, 121)])
    for each in range(1, 121):
        world.link(each, f"fan{each}")

    promotion = world.closed()

    assert (promotion.stage, promotion.paid) == (Stage.SETTLED, 10_000)
    assert promotion.progress.pages == 6


# --- Final metrics


def _tracked(world: World) -> None:
    """The tracker's last reading."""
    assert world.campaign.stage is Stage.RUNNING
    EngagementItem(ID, "engagement").update(actions=setting(EngagementItem, {"metrics": {"likes": 7}, "read_at": NOON}))


def test_final_metrics_that_cannot_be_read_are_tried_for_an_hour_and_then_those_known_are_final(world: World) -> None:
    world.running()
    _tracked(world)
    world.unreadable = [NotReadable("502")] * 100

    world.run(hours=1.9)
    assert world.campaign.stage is Stage.FINAL_METRICS
    assert 10 <= world.reads.count("metrics") <= 13

    world.run(hours=0.2)

    final = world.campaign.final
    assert final is not None
    assert (final.metrics, final.read_at, final.missing) == ({"likes": 7}, NOON, False)


def test_a_post_that_is_gone_leaves_the_metrics_that_were_known(world: World) -> None:
    world.running()
    _tracked(world)
    world.counted = Missing()

    world.run(hours=1)

    final = world.campaign.final
    assert final is not None
    assert (final.metrics, final.missing) == ({"likes": 7}, True)
    assert engagement.known(ID) == final


def test_closing_ends_the_tracking_in_its_own_transaction(world: World) -> None:
    world.running()

    world.close()

    row = EngagementItem.get(ID, "engagement")
    assert not any((row.tracked, row.track_at, row.final))
    world.run()
    assert EngagementItem.get(ID, "engagement").final


# --- Reading who engaged


def test_a_network_that_allows_few_requests_is_read_over_several_windows(world: World) -> None:
    world.page_size = 1
    world.engage(Kind.REPOST, [an_account(each) for each in range(1, 5)])
    world.running()
    real, left = world.engaged, [2]

    def metered(post_id: str, kind: Kind, cursor: str | None) -> object:
        if not left[0]:
            left[0] = 2
            raise NotReadable(RATE_LIMITED, world.present + timedelta(minutes=15))
        left[0] -= 1
        return real(post_id, kind, cursor)

    world.engaged = metered  # type: ignore[method-assign, assignment]
    world.run(hours=4)

    assert world.campaign.status is PromotionStatus.CLOSED
    assert {each.amount for each in world.rows.values()} == {2500}


@pytest.mark.parametrize("found", [[], [an_account(1)]])
def test_a_list_that_goes_on_behind_its_end_ends(world: World, found: list[Profile]) -> None:
    """A server that repeats a page, or returns empty ones with a cursor, would be read for ever."""
    world.engaged = lambda *_: Page(found, "more")  # type: ignore[method-assign]
    world.running()

    world.run(hours=4)

    assert world.campaign.status is PromotionStatus.CLOSED
    assert [each.amount for each in world.rows.values()] == [10_000] * len(found)


def test_lists_that_go_round_in_circles_halt_the_close(world: World) -> None:
    other = {"a": "b", "b": "a"}
    world.engaged = lambda _post, _kind, cursor: Page([an_account(1)], other[cursor or "a"])  # type: ignore[method-assign]
    world.running()

    world.run(hours=4)

    assert world.campaign.error is not None
    assert (world.campaign.error.stage, world.campaign.error.reason) == ("engagers", "too many steps")
    assert world.campaign.progress.listed == 1


def test_a_revoked_token_halts_the_close_and_resume_goes_on_there(world: World) -> None:
    world.engage(Kind.LIKE, [an_account(1)])
    world.running()
    world.close()
    world.sent.pop()
    world.chain.run(Step(ID, world.campaign.step), "one")
    world.unreadable = [NotReadable(NOT_CONNECTED)]
    world.run()

    error = world.campaign.error
    assert error is not None
    assert (error.event, error.stage, error.reason) == ("CAMPAIGN_CLOSING_ERROR", "engagers", NOT_CONNECTED)
    assert "revoked sandbox acme" in world.reads
    assert world.events[-1][0] == "CAMPAIGN_CLOSING_ERROR"

    world.commit(promotions.resume(world.campaign, world.present))
    world.run()

    assert world.campaign.status is PromotionStatus.CLOSED


# --- One close


def test_of_a_schedule_an_owner_and_a_trigger_exactly_one_closes(world: World) -> None:
    running = world.running()
    reasons = (CloseReason.TRIGGER, CloseReason.OWNER, CloseReason.SCHEDULE)
    changes = [settling.close(running, reason, world.present) for reason in reasons]

    first, *others = [world.store.commit(each, "test", world.present) for each in changes]

    assert first is not None
    assert others == [None, None]
    assert [name for name, _ in world.events] == ["CAMPAIGN_CLOSE_OPERATION"]


def test_a_pending_promotion_is_cancelled_instead(world: World) -> None:
    pending = replace(world.running(), status=PromotionStatus.PENDING, stage=Stage.FIRST_POST)

    with pytest.raises(Conflicting) as refusal:
        settling.close(pending, CloseReason.OWNER, NOON)

    assert refusal.value.code == "cancel_instead"


@pytest.mark.parametrize("stage", [Stage.ENGAGERS, Stage.REWARDS])
def test_a_late_page_finds_another_step_and_changes_nothing(world: World, stage: Stage) -> None:
    """Without `step = n` an old page's list or pay commits over a new one."""
    world.page_size = 1
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 31)])
    world.engage(Kind.REPOST, [an_account(each) for each in range(1, 31)])
    for each in range(1, 31):
        world.link(each, f"fan{each}")
    world.running()
    world.close()
    while world.campaign.stage is not stage or not world.campaign.progress.source:
        world.chain.run(Step(ID, world.campaign.step), f"message {world.campaign.step}")
    late = world.closing(world.campaign, world.present)
    world.chain.run(Step(ID, world.campaign.step), "another")
    before = world.items

    assert world.store.commit(late, "worker", world.present) is None

    assert world.items == before
    world.run()
    assert sum(each.amount for each in world.rows.values()) == 10_000


# --- Finalise


def test_a_finalise_whose_answer_is_lost_is_found_and_never_sent_twice(world: World) -> None:
    world.running()
    world.outcomes = [Unknown("504")]

    world.run(hours=2)

    assert world.campaign.stage is Stage.SETTLED
    assert world.submitted == ["createCampaign", "closeCampaign"]


def test_a_refused_finalise_halts_and_an_operator_may_leave_the_contract_as_it_is(world: World) -> None:
    world.engage(Kind.LIKE, [an_account(1)])
    world.running()
    world.outcomes = [Refused("CONTRACT_REVERT_EXECUTED")]
    world.run(hours=1)
    error = world.campaign.error
    assert error is not None
    assert (error.event, error.stage) == ("CAMPAIGN_CLOSING_ERROR", "finalise")

    world.commit(promotions.abandon(world.campaign, "The contract is broken", world.present))
    world.link(1, "nina")
    world.claim("nina")

    assert (world.campaign.status, world.campaign.contract_status) == (PromotionStatus.CLOSED, "active")
    assert world.wallet("nina") == 10_000
    world.check()


# --- Abandon


def _halted(world: World, stage: Stage) -> None:
    """A close that halts at a stage."""
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 31)])
    for each in range(1, 6):
        world.link(each, f"fan{each}")
    world.running()
    world.close()
    while world.campaign.stage is not stage or (stage is Stage.REWARDS and not world.campaign.progress.pages):
        world.chain.run(Step(ID, world.campaign.step), f"message {world.campaign.step}")
    world.commit(halt(world.campaign, "It must not go on", world.present))
    world.sent.clear()


@pytest.mark.parametrize("stage", [Stage.FINAL_METRICS, Stage.ENGAGERS, Stage.SPLIT, Stage.REWARDS, Stage.REFUND])
def test_an_abandoned_close_pays_nobody_any_more_and_refunds_the_rest(world: World, stage: Stage) -> None:
    _halted(world, stage)
    paid = world.campaign.paid

    world.commit(promotions.abandon(world.campaign, "A fraud", world.present))
    world.run()

    promotion = world.campaign
    assert (promotion.status, promotion.stage) == (PromotionStatus.CLOSED, Stage.SETTLED)
    assert (promotion.paid, promotion.refunded) == (paid, 10_000 - paid)
    assert world.wallet("acme") == WALLET - paid
    world.check()
    world.link(30, "late")
    if "30" in world.rows and world.rows["30"].state is ParticipantState.CLAIMABLE:
        with pytest.raises(Conflicting):
            world.claim("late")


def test_what_goes_on_cannot_be_abandoned(world: World) -> None:
    world.running()
    world.close()

    with pytest.raises(Conflicting):
        promotions.abandon(world.campaign, "I want it back", world.present)


# --- Claims


def _claimable(world: World, *numbers: int) -> None:
    world.engage(Kind.LIKE, [an_account(each) for each in numbers])
    world.closed()
    assert world.campaign.stage is Stage.CLAIMS


def test_twenty_claims_at_once_pay_a_person_once(world: World) -> None:
    """me-hub#894: each claim reads the same row before the others commit."""
    _claimable(world, 1, 2)
    world.link(1, "nina")
    real, depth = participants.paid_of, [0]

    def read_late(*arguments: object) -> set[str]:
        found = real(*arguments)  # type: ignore[arg-type]
        depth[0] += 1
        if depth[0] < 20:
            world.claim("nina")
        return found

    participants.paid_of = read_late  # type: ignore[assignment]
    try:
        answers = world.claim("nina")
    finally:
        participants.paid_of = real

    assert depth[0] >= 20
    assert [each.state for each in answers] == [ParticipantState.PAID]
    assert world.wallet("nina") == 5000
    assert world.budget.reserved == 5000
    world.check()


@pytest.mark.parametrize("without", ["entry", "row", "person", "none"])
def test_a_claim_is_refused_the_second_time_by_its_row_its_entry_or_its_person_alone(
    world: World, without: str
) -> None:
    """The model pays twice only if all three are gone: each alone refuses it."""
    _claimable(world, 1, 2)
    world.link(1, "nina")
    before = world.campaign
    mine = world.rewards.mine(before, "nina")
    world.claim("nina")
    if without != "row":
        ParticipantItem(ID, f"participant#{mine[0].hash}").update(
            actions=[ParticipantItem.state.set(ParticipantState.CLAIMABLE)]
        )
    if without != "person":
        PaidItem(ID, "paid#nina").delete()
    if without != "entry":
        world.aws.client("dynamodb").delete_item(
            TableName="LedgerTable",
            Key={"account": {"S": f"entry#pay#{ID}#{mine[0].hash}"}, "line": {"S": "entry"}},
        )

    second = settling.claim(world.campaign, world.promised, mine, "nina", world.present, is_paid=False)
    assert second is not None
    if without == "entry":
        with pytest.raises(Conflicting, match="The ledger has entry"):
            world.store.commit(second, "nina", world.present)
    else:
        committed = world.store.commit(second, "nina", world.present)
        assert (committed is not None) == (without == "none")


def test_a_second_account_of_a_person_gets_nothing_and_its_share_goes_back(world: World) -> None:
    _claimable(world, 1, 2)
    world.link(1, "nina")
    world.link(2, "nina")

    answers = world.claim("nina")
    again = world.claim("nina")
    world.run(hours=168)

    assert [each.state for each in answers] == [ParticipantState.PAID, ParticipantState.DUPLICATE_USER]
    assert again == answers
    assert (world.wallet("nina"), world.wallet("acme")) == (5000, WALLET - 5000)


def test_an_account_that_is_linked_after_the_person_was_paid_is_a_duplicate(world: World) -> None:
    world.link(1, "nina")
    _claimable(world, 1, 2)
    assert world.wallet("nina") == 5000
    world.link(2, "nina")

    world.claim("nina")

    assert world.rows["2"].reason is Reason.DUPLICATE_USER
    assert world.wallet("nina") == 5000


def test_an_owner_who_links_a_participant_later_gets_nothing_for_it(world: World) -> None:
    _claimable(world, 1)
    world.link(1, "acme")

    world.claim("acme")

    assert (world.rows["1"].state, world.rows["1"].reason) == (ParticipantState.UNPAID, Reason.OWNER)
    assert world.budget.paid == 0


def test_nothing_is_claimed_while_the_platform_is_stopped(world: World) -> None:
    _claimable(world, 1)
    world.link(1, "nina")
    world.stop()

    with pytest.raises(Conflicting) as refusal:
        world.claim("nina")

    assert refusal.value.code == "platform_stopped"
    change = settling.claim(
        world.campaign, world.promised, list(world.rows.values()), "nina", world.present, is_paid=False
    )
    assert change is not None
    assert world.store.commit(change, "nina", world.present) is None
    world.stop(PlatformStatus.OPEN)
    world.claim("nina")
    assert world.wallet("nina") == 10_000


def test_claims_before_the_close_and_after_the_window_are_refused_each_with_its_code(world: World) -> None:
    world.engage(Kind.LIKE, [an_account(1)])
    world.running()
    world.close()
    codes = []
    while world.campaign.stage is not Stage.CLAIMS:
        world.chain.run(Step(ID, world.campaign.step), f"message {world.campaign.step}")
        if world.campaign.stage is Stage.REFUND:
            codes.append(_refused_claim(world))
            world.link(1, "nina")
            codes.append(_refused_claim(world))
    shown = [_shown(world)]
    world.present += timedelta(hours=168)
    codes.append(_refused_claim(world))
    shown.append(_shown(world))
    world.run()
    codes.append(_refused_claim(world))
    shown.append(_shown(world))

    assert codes == ["reward_not_found", "claims_not_open", "claim_window_over", "claim_window_over"]
    assert world.wallet("acme") == WALLET
    assert shown == [{"claimable"}, {"expired"}, {"expired"}]


def _shown(world: World) -> set[str]:
    """The state of the one participant, as the owner and the participant see it."""
    page, _ = world.rewards.page(world.campaign, 10, None)
    return {each.state for each in page} | {each.state for _, each in world.rewards.of("nina")}


def _refused_claim(world: World) -> str:
    with pytest.raises(Refused4xx) as refusal:
        world.claim("nina")
    return refusal.value.code


def test_a_claim_between_the_reading_and_the_commit_of_the_expiry_is_kept(world: World) -> None:
    _claimable(world, 1, 2)
    world.link(1, "nina")
    expiry = world.closing(world.campaign, world.present)

    world.claim("nina")

    assert world.store.commit(expiry, "worker", world.present) is None
    assert (world.budget.reserved, world.wallet("nina")) == (5000, 5000)
    world.run(hours=168)
    assert vars(world.budget) == {"funded": 10_000, "remaining": 0, "reserved": 0, "paid": 5000, "refunded": 5000}


@pytest.mark.parametrize("amount", [1, -1])
def test_the_expiry_takes_the_balance_only_if_it_is_still_as_it_was_read(world: World, amount: int) -> None:
    """Whatever moved the balance: nothing of the promotion's own item has changed."""
    _claimable(world, 1)
    expiry = world.closing(world.campaign, world.present)
    accounts = (RESERVED, journal.outside("USD"))
    world.move("x#1", "release", *(accounts if amount < 0 else accounts[::-1]), 1)

    assert world.store.commit(expiry, "worker", world.present) is None

    assert ledger.read([RESERVED])[RESERVED].amount == 10_000 + amount


def test_an_escrow_that_wants_it_is_called_a_last_time_when_something_expired(world: World) -> None:
    world.expires = True
    _claimable(world, 1)

    world.run(hours=168)

    assert world.submitted == ["createCampaign", "closeCampaign", "expireCampaign"]
    assert world.campaign.stage is Stage.SETTLED
    assert world.events[-1][0] == "PromotionSettled"


def test_an_escrow_is_not_called_again_when_everything_was_claimed(world: World) -> None:
    world.expires = True
    _claimable(world, 1)
    world.link(1, "nina")
    world.claim("nina")

    world.run(hours=168)

    assert world.submitted == ["createCampaign", "closeCampaign"]
    assert [name for name, _ in world.events[-2:]] == ["CAMPAIGN_CLOSED", "PromotionSettled"]


# --- Evidence


def test_the_statement_has_every_line_of_both_accounts(world: World) -> None:
    world.link(1, "nina")
    _claimable(world, 1, 2)
    world.run(hours=168)

    lines = [(line.entry, account.partition("#")[0], line.amount) for account, line in statement(ID, 100, BEGIN)[0]]

    assert lines[:3] == [
        (f"fund#{ID}#1", "budget", 10_000),
        (f"reserve#{ID}", "budget", -10_000),
        (f"reserve#{ID}", "reserved", 10_000),
    ]
    assert sorted(lines[3:]) == [(f"pay#{ID}#1", "reserved", -5000), (f"refund#{ID}#expired", "reserved", -5000)]


@pytest.mark.parametrize(
    ("edit", "claim"),
    [
        (lambda row: row.update(actions=[ParticipantItem.amount.set(1)]), "another amount than their share"),
        (lambda row: row.update(actions=[ParticipantItem.weight.set(7)]), "another amount than their share"),
        (lambda row: row.update(actions=[ParticipantItem.user.set("eve")]), "another amount in the ledger"),
        (lambda row: row.delete(), "another amount than their share"),
    ],
)
def test_an_edit_of_a_participant_by_hand_is_named(
    world: World, edit: Callable[[ParticipantItem], object], claim: str
) -> None:
    for each in range(1, 4):
        world.link(each, f"fan{each}")
    world.engage(Kind.LIKE, [an_account(each) for each in range(1, 4)])
    world.closed()
    assert all(each.holds for each in Evidence(world.store).verify(world.campaign))

    edit(ParticipantItem.get(ID, f"participant#{world.rows['1'].hash}"))

    assert any(claim in each for each in world.failing())


def test_my_rewards_are_listed_over_all_promotions_with_why_not(world: World) -> None:
    world.engage(Kind.LIKE, [an_account(1), an_account(2, bot=True)])
    world.closed()
    world.link(1, "nina")
    world.link(2, "nina")

    found = {each.account_id: (promotion.id, each.state, each.reason) for promotion, each in world.rewards.of("nina")}

    assert found == {
        "1": (ID, ParticipantState.CLAIMABLE, None),
        "2": (ID, ParticipantState.LISTED, Reason.BOT),
    }
    page, after = world.rewards.page(world.campaign, 1, None)
    rest, _ = world.rewards.page(world.campaign, 10, after)
    assert {each.account_id for each in page + rest} == {"1", "2"}
