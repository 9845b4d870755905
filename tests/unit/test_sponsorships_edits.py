"""Edits by hand and their approval, and the stages of a run, without a database."""

import json
from datetime import timedelta

import pytest

from sluice.errors import Conflicting, Unreadable
from sponsorships import checkrun
from sponsorships.checkrun import LEDGER, CheckRun, CheckStatus, Findings, Page
from sponsorships.edits import approve, correct, propose, put_right, reject
from sponsorships.monitoring.stream import message_of
from sponsorships.monitoring.worker import parse
from sponsorships.participation import (
    Adjustment,
    AdjustmentState,
    ParticipationStatus,
    Standing,
)
from tests.factories import NOON, a_participation, an_offer

LATE = [
    status for status in ParticipationStatus if status not in (ParticipationStatus.ACTIVE, ParticipationStatus.REVIEW)
]


def standing(by_hand: int = 0, **changes: object) -> Standing:
    """Five impressions and a click that count, whatever the document says."""
    return Standing(a_participation(impressions=by_hand, **changes), 5, 1, None)


def a_run(*, deep: bool = False, **changes: object) -> CheckRun:
    values = {"id": "chk_1", "created_at": NOON, "created_by": "schedule", "updated_at": NOON, "wake_at": NOON}
    return CheckRun(**(values | changes), deep=deep)  # type: ignore[arg-type]


def test_an_edit_becomes_an_adjustment_and_the_fields_are_the_live_numbers() -> None:
    change = put_right(standing(by_hand=2000, step=4), an_offer(), "stream", NOON)

    assert change.adjustment is not None
    assert change.before is not None
    found, after = change.adjustment, change.after
    assert (found.number, found.delta, found.state) == (4, 1995, AdjustmentState.OPEN)
    assert (after.impressions, after.clicks, after.earnings) == (5, 1, 825)
    assert (after.published_impressions, after.published_clicks, after.published_earnings) == (5, 1, 825)
    assert after.step == 5
    assert after.edited == {}


def test_what_was_granted_is_part_of_the_live_total() -> None:
    change = put_right(standing(by_hand=2000, granted=10), an_offer(), "sweep", NOON)

    assert change.adjustment is not None
    assert (change.adjustment.delta, change.after.impressions) == (1985, 15)


@pytest.mark.parametrize("status", LATE)
def test_grants_count_only_before_it_settles(status: ParticipationStatus) -> None:
    for command in (
        lambda: propose(a_participation(status=status), 1, "why", "acme", NOON),
        lambda: approve(standing(status=status), an_adjustment(), an_offer(), "ada", NOON, 0),
    ):
        with pytest.raises(Conflicting) as refusal:
            command()
        assert refusal.value.code == "too_late"


def an_adjustment() -> Adjustment:
    """Two impressions that acme proposed."""
    found = propose(a_participation(), 2, "The page was down", "acme", NOON).adjustment
    assert found is not None
    return found


def test_a_grant_asks_for_a_check_and_a_first_approval_does_not() -> None:
    edited = put_right(standing(by_hand=7), an_offer(), "stream", NOON).adjustment
    assert edited is not None

    first = approve(standing(), edited, an_offer(), "ada", NOON, 0)
    granted = approve(standing(), an_adjustment(), an_offer(), "ada", NOON, 0)

    assert (first.after.granted, first.check) == (0, None)
    assert granted.after.granted == 2
    assert granted.check == {"thresholds": [], "total": 7, "source": "api"}


def test_each_command_bumps_the_step() -> None:
    found = a_participation(step=3)
    changes = [
        propose(found, 1, "why", "acme", NOON),
        reject(found, an_adjustment(), "why", "ada", NOON),
        correct(found, -2, NOON),
        approve(Standing(found, 0, 0, None), an_adjustment(), an_offer(), "ada", NOON, 0),
    ]

    assert [change.after.step for change in changes] == [4, 4, 4, 4]


def test_a_light_run_ends_behind_the_active_ones() -> None:
    change = checkrun.go_on(a_run(), Page(Findings(checked=3, settled=1)), NOON)

    assert (change.after.status, change.after.checked, change.after.settled) == (CheckStatus.CHECKED, 3, 1)
    assert (change.after.ended_at, change.after.wake_at) == (NOON, None)


def test_a_page_that_is_followed_by_another_goes_on_behind_it() -> None:
    change = checkrun.go_on(a_run(), Page(after_id="spn_1:nina", after_at="then"), NOON)

    assert (change.after.stage, change.after.after_id, change.after.after_at) == ("active", "spn_1:nina", "then")
    assert change.after.is_live


def test_a_deep_run_goes_through_every_status_and_then_the_ledger_of_each_currency() -> None:
    run, stages = a_run(deep=True), []
    while run.is_live:
        stages.append((run.stage, run.currencies[:1] if run.stage == LEDGER else ()))
        met = frozenset({"USD", "EUR"}) if run.stage == "completed" else frozenset()
        run = checkrun.go_on(run, Page(currencies=met), NOON).after

    assert {stage for stage, _ in stages} == {*ParticipationStatus, LEDGER}
    assert stages[0] == ("active", ())
    assert stages[-2:] == [(LEDGER, ("EUR",)), (LEDGER, ("USD",))]


def test_a_deep_run_that_met_no_currency_has_no_ledger_to_verify() -> None:
    run = a_run(deep=True, stage="review")

    assert checkrun.go_on(run, Page(), NOON).after.status is CheckStatus.CHECKED


def test_a_run_names_the_first_twenty_problems() -> None:
    run = a_run()
    for number in range(3):
        found = Findings(problems=tuple(f"{number} {each}" for each in range(10)))
        run = checkrun.go_on(run, Page(found, after_id="spn_1:nina"), NOON).after

    assert len(run.problems) == 20


def test_a_run_that_begins_again_as_a_deep_one_begins_at_the_first_page() -> None:
    run = a_run(after_id="spn_1:nina", after_at="then", step=4)

    after = checkrun.deepen(run, NOON + timedelta(seconds=1)).after

    assert (after.deep, after.after_id, after.stage, after.step) == (True, None, "active", 5)


def test_an_exhausted_run_has_failed() -> None:
    after = checkrun.give_up(a_run(), NOON).after

    assert (after.status, after.wake_at, after.ended_at) == (CheckStatus.FAILED, None, NOON)


def test_the_canary_is_told_by_the_time_of_its_record() -> None:
    keys = {"id": {"S": "monitor"}, "part": {"S": "canary"}}
    record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "ApproximateCreationDateTime": NOON.timestamp()}}

    message = message_of(record)

    assert message == {"canary": "2026-11-20T12:00:00.000000Z"}
    assert parse(json.dumps(message)) == NOON


@pytest.mark.parametrize("record", [{}, {"dynamodb": {}}, {"dynamodb": {"Keys": {"id": {"N": "1"}}}}])
def test_a_record_of_another_form_asks_for_nothing(record: dict[str, object]) -> None:
    assert message_of(record) is None


@pytest.mark.parametrize("body", ["", "null", "7", "[]", '"canary"', '{"canary": 7}'])
def test_a_message_of_another_form_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        parse(body)
