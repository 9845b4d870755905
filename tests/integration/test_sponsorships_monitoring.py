"""Detectors, hands in the database, adjustments, and runs over all participations, by the functions themselves."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Functions
from tests.integration.studio import CHECKS, Studio, before_the_first, refusing


@pytest.fixture
def studio(aws: Account, functions: Functions) -> Iterator[Studio]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Studio(aws, functions, clock)


# --- From the crossing to the money


def test_a_check_pays_what_rows_show(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))

    assert studio.ask(found)
    studio.work()

    assert studio.get(found) | {"status": "completed", "detected_by": "api", "paid": 495} == studio.get(found)
    assert studio.wallet() == 495


def test_a_check_of_a_milestone_below_the_target_changes_nothing(studio: Studio) -> None:
    """S3-3, S3-5."""
    found = studio.joined()
    studio.see(found, range(2))
    before = studio.item(found)

    assert studio.ask(found, thresholds=[2], total=2)

    assert studio.item(found) == before


def test_the_last_batch_may_jump_over_the_target_and_the_golden_pay_is_exact(studio: Studio) -> None:
    """S3-7, S3-8, S3-10, S3-28; cloudbreak #7: a count that is never equal to the threshold."""
    campaign_id = studio.campaign(target_impressions=2000, budget=330_000, milestones=[50, 100, 500])
    found = studio.join(campaign_id)
    studio.see(found, range(49))
    studio.record_batch(found, range(49, 99))
    studio.see(found, range(99, 1990))
    studio.record_batch(found, range(1990, 2010))
    asked = studio.events("campaign.completion.check")
    studio.settle()

    assert [each["thresholds"] for each in asked] == [[50], [100, 500, 2000]]
    assert studio.wallet() == 330_000
    assert studio.get(found)["impressions"] == 2010
    assert len(studio.pays()) == 1


def test_any_number_of_checks_at_once_pays_once(studio: Studio) -> None:
    """S3-26; me-hub #894, Rustchain #2103: parallel claims."""
    found = studio.joined()
    studio.see(found, range(3))

    for number in range(20):
        assert studio.ask(found)
        studio.full_check()
        if number % 5 == 0:
            studio.work()
    studio.work()

    assert studio.wallet() == 495
    assert len(studio.pays()) == 1
    assert studio.actions(found) == ["PARTICIPATION_JOINED", "PARTICIPATION_SETTLING", "PARTICIPATION_COMPLETED"]


def test_a_check_between_the_count_and_the_commit_of_another_settles_once(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))

    with before_the_first("TransactWriteItems", lambda: studio.ask(found, "sweep")):
        assert studio.ask(found, "api")
    studio.work()

    assert studio.wallet() == 495
    assert studio.get(found)["detected_by"] == "sweep"
    assert {name: part["completions"] for name, part in studio.status()["detectors"].items()} == {
        "api": 0,
        "stream": 0,
        "sweep": 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        [],
        {},
        {"campaign_id": "spn_1", "streamer": "nina", "source": "api"},
        {"campaign_id": "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N", "streamer": "n na", "source": "api"},
        {"campaign_id": "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N", "streamer": "nina", "source": "a stranger"},
        {"canary": "yesterday"},
        {"detail": {}},
    ],
)
def test_a_message_that_is_no_request_for_a_check_goes_to_the_dead_letters(studio: Studio, body: Any) -> None:
    assert not studio.hand_over("sponsorships/monitoring/worker-checks", body)


def test_the_check_that_a_step_asks_for_is_taken(studio: Studio) -> None:
    """A step that puts an edit right writes an event that names itself."""
    found = studio.joined()

    assert studio.ask(found, "worker", thresholds=[], total=0)


def test_a_check_comes_in_the_envelope_of_the_bus_too(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    campaign_id = found.partition(":")[0]
    data = {"campaign_id": campaign_id, "streamer": "nina", "thresholds": [3], "total": 3, "source": "api"}

    assert studio.hand_over("sponsorships/monitoring/worker-checks", {"detail": {"id": "evt_1", "data": data}})
    studio.work()

    assert studio.wallet() == 495


def test_a_participation_that_is_gone_is_dropped(studio: Studio) -> None:
    gone = "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina"

    assert studio.ask(gone)
    studio.look(gone)

    assert studio.aws.items("SponsorshipsTable") == []


# --- Hands in the database (S3-2, decision 26)


def test_an_edit_that_claims_everything_is_paid_nothing(studio: Studio) -> None:
    """S3-2, S3-11 to S3-13: the change is detected, and asks for a check, which counts rows."""
    found = studio.joined()
    studio.see(found, range(1))

    studio.hand(found, impressions=2000)
    studio.look(found)
    (asked,) = studio.events("campaign.completion.check")
    studio.settle()

    assert asked == {
        "campaign_id": found.partition(":")[0],
        "streamer": "nina",
        "thresholds": [],
        "total": 1,
        "source": "stream",
    }
    assert studio.get(found)["status"] == "active"
    assert studio.wallet() == 0
    (adjustment,) = studio.adjustments(found)
    assert adjustment | {"delta": 1999, "state": "open", "found_by": "stream", "approvers": []} == adjustment
    assert (adjustment["before"], adjustment["after"]) == ({"impressions": 0}, {"impressions": 2000})
    item = studio.item(found)
    assert (item["impressions"], item["published_impressions"], item["earnings"]) == (1, 1, 165)
    assert studio.actions(found) == ["PARTICIPATION_JOINED", "PARTICIPATION_EDITED"]
    assert studio.verified(found)["problem"] is None


def test_an_edit_triggers_a_payout_that_was_missed(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))

    studio.hand(found, impressions=3)
    studio.look(found)
    studio.settle()

    assert studio.wallet() == 495
    assert studio.get(found)["detected_by"] == "stream"
    (adjustment,) = studio.adjustments(found)
    assert (adjustment["delta"], adjustment["state"]) == (0, "noted")


def test_a_claim_is_reckoned_against_the_live_total(studio: Studio) -> None:
    """The published copy lags: 2 of what the hand wrote are rows already (counterexample 7c)."""
    found = studio.joined(target_impressions=2000, budget=330_000)
    studio.see(found, range(2))

    studio.hand(found, impressions=10)
    studio.look(found)

    assert [each["delta"] for each in studio.adjustments(found)] == [8]


@pytest.mark.parametrize(
    ("values", "noted"),
    [
        ({"impressions": 1}, {"impressions": 1}),
        ({"impressions": None}, {"impressions": 0}),
        ({"clicks": 99}, {"clicks": 99}),
        ({"earnings": 330_000}, {"earnings": 330_000}),
        ({"published_impressions": 2000}, {"impressions": 2}),
        ({"clicks": 7, "earnings": 8}, {"clicks": 7, "earnings": 8}),
    ],
)
def test_an_edit_downwards_of_clicks_or_of_earnings_is_noted_and_put_right(
    studio: Studio, values: dict[str, Any], noted: dict[str, int]
) -> None:
    """S3-12."""
    found = studio.joined()
    studio.see(found, range(2))
    studio.hand(found, impressions=2, published_impressions=2, earnings=330, published_earnings=330)

    studio.hand(found, **values)
    studio.look(found)

    (adjustment,) = studio.adjustments(found)
    assert (adjustment["after"], adjustment["delta"], adjustment["state"]) == (noted, 0, "noted")
    item = studio.item(found)
    assert [item[name] for name in ("impressions", "clicks", "earnings")] == [2, 0, 330]
    assert [item[f"published_{name}"] for name in ("impressions", "clicks", "earnings")] == [2, 0, 330]
    assert studio.decide("approve", found, adjustment["number"], "ada").refusal[1] == "already_decided"


def test_nothing_is_written_where_the_copies_agree(studio: Studio) -> None:
    """What the product writes itself is no edit, whoever wrote last."""
    found = studio.joined()
    studio.see(found, range(2))
    before = studio.aws.items("SponsorshipsTable"), studio.aws.items("OutboxTable")

    studio.look(found)

    assert (studio.aws.items("SponsorshipsTable"), studio.aws.items("OutboxTable")) == before


def test_the_stream_leaves_to_the_api_what_the_api_has_marked(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.hand(found, reached=3)

    studio.look(found)

    assert studio.get(found)["status"] == "active"


@pytest.mark.parametrize("first", ["stream", "sweep"])
def test_two_detectors_at_once_make_one_adjustment_of_one_edit(studio: Studio, first: str) -> None:
    """Counterexamples 7 and 7b."""
    found = studio.joined()
    studio.hand(found, impressions=2)

    def other() -> None:
        studio.sweep_all() if first == "sweep" else studio.look(found)

    assert studio.record(found) == []
    if first == "sweep":
        with before_the_first("TransactWriteItems", other):
            studio.work_off_checks()
    else:
        run = studio.full_check()
        with before_the_first("TransactWriteItems", other):
            studio.work()
        assert studio.run(run)["edited"] == 0

    (adjustment,) = studio.adjustments(found)
    assert adjustment["found_by"] == first
    assert studio.actions(found).count("PARTICIPATION_EDITED") == 1


def test_an_edit_that_changes_under_the_detector_is_recorded_as_it_is_then(studio: Studio) -> None:
    """The fields must be as read, or the second edit would be wiped without a trace."""
    found = studio.joined(target_impressions=2000, budget=330_000)
    studio.hand(found, impressions=10)

    with before_the_first("TransactWriteItems", lambda: studio.hand(found, impressions=20, clicks=5)):
        studio.look(found)

    (adjustment,) = studio.adjustments(found)
    assert (adjustment["delta"], adjustment["after"]) == (20, {"clicks": 5, "impressions": 20})


def test_each_edit_has_an_adjustment_of_its_own(studio: Studio) -> None:
    found = studio.joined()

    for number in (10, 20):
        studio.hand(found, impressions=number)
        studio.look(found)

    assert [each["delta"] for each in studio.adjustments(found)] == [10, 20]


def test_what_is_completed_is_not_paid_again_whatever_a_hand_writes(studio: Studio) -> None:
    """jshERP #167: the money must not follow a document that is edited in place."""
    found = studio.joined()
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()

    studio.hand(found, impressions=9000, earnings=1_000_000, status="active")
    studio.hand(found.partition(":")[0], rate="99")
    studio.look(found)
    for source in ("api", "stream", "sweep"):
        studio.ask(found, source)
        studio.settle()

    assert studio.wallet() == 495
    assert len(studio.pays()) == 1
    (adjustment,) = studio.adjustments(found)
    assert adjustment["after"] == {"impressions": 9000, "earnings": 1_000_000}


def test_an_edit_of_an_ended_participation_is_noted_and_can_never_be_granted(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()

    studio.hand(found, impressions=9000)
    studio.look(found)

    (adjustment,) = studio.adjustments(found)
    assert (adjustment["delta"], adjustment["state"]) == (8997, "noted")
    assert studio.item(found)["impressions"] == 3
    assert studio.item(found)["status"] == "completed"


def test_an_edit_of_a_participation_without_an_entry_of_its_join_waits_for_the_ledger(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    found = studio.joined()
    key = {"account": {"S": f"entry#rsv#{found}"}, "line": {"S": "entry"}}
    place = {"TableName": studio.aws.ref("LedgerTable")}
    entry = studio.aws.client("dynamodb").get_item(**place, Key=key)["Item"]
    studio.aws.client("dynamodb").delete_item(**place, Key=key)
    studio.hand(found, impressions=9)

    studio.look(found)
    run = studio.sweep_all()
    lines = [each["message"] for each in log_lines()]
    edited = studio.item(found)["impressions"]
    studio.aws.client("dynamodb").put_item(**place, Item=entry)
    studio.look(found)

    assert (run["failed"], run["problems"]) == (0, [f"{found}: the ledger has no reserve entry"])
    assert "The ledger has no entry of its join" in lines
    assert edited == 9
    assert studio.item(found)["impressions"] == 0


def test_an_edit_while_pay_is_held_does_not_hold_it_longer(studio: Studio) -> None:
    """The step is bumped, so its message is stale: the step that follows is woken."""
    found = studio.joined(hold_hours=1)
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()
    assert studio.get(found)["status"] == "held"

    studio.hand(found, clicks=5)
    studio.look(found)
    studio.clock.shift(timedelta(hours=1))
    step = int(studio.item(found)["step"])

    assert studio.scheduled(found) == {step - 1, step}
    assert studio.hand_over("sponsorships/worker-steps", {"campaign_id": found, "step": step})
    assert studio.wallet() == 495


# --- Adjustments


def test_what_two_admins_approve_of_an_edit_is_granted_and_shown_apart(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(1))
    studio.hand(found, impressions=3)
    studio.look(found)
    (adjustment,) = studio.adjustments(found)

    first = studio.decide("approve", found, adjustment["number"], "ada")
    second = studio.decide("approve", found, adjustment["number"], "ben")
    studio.settle()

    assert (first.body["state"], first.body["approvers"]) == ("open", ["ada"])
    assert (second.body["state"], second.body["approvers"]) == ("granted", ["ada", "ben"])
    assert studio.adjustments(found) == [second.body]
    now = studio.get(found)
    assert (now["status"], now["impressions"], now["granted"], now["paid"]) == ("completed", 1, 2, 495)
    assert studio.status()["open_adjustments"] == 0


def test_a_proposal_counts_as_its_proposers_approval(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(2))

    proposed = studio.propose(found, 1)
    assert (proposed.status, proposed.body["state"], proposed.body["approvers"]) == (201, "open", ["acme"])
    assert studio.status()["open_adjustments"] == 1
    granted = studio.decide("approve", found, proposed.body["number"], "ada")
    studio.settle()

    assert granted.body["state"] == "granted"
    assert studio.wallet() == 495
    assert studio.events("AdjustmentApproved")[0]["granted"] == 1


def test_two_approvals_are_not_two_people(studio: Studio) -> None:
    """Counterexample 8."""
    found = studio.joined()
    studio.hand(found, impressions=3)
    studio.look(found)
    number = studio.adjustments(found)[0]["number"]

    studio.decide("approve", found, number, "ada")
    again = studio.decide("approve", found, number, "ada")

    assert again.refusal[:2] == (409, "own_proposal")
    assert studio.item(found)["granted"] == 0


def test_one_person_who_approves_twice_at_once_grants_nothing(studio: Studio) -> None:
    found = studio.joined()
    studio.hand(found, impressions=3)
    studio.look(found)
    number = studio.adjustments(found)[0]["number"]

    with before_the_first("TransactWriteItems", lambda: studio.decide("approve", found, number, "ada")):
        late = studio.decide("approve", found, number, "ada")

    assert late.refusal[:2] == (409, "own_proposal")
    assert studio.item(found)["granted"] == 0


def test_the_proposer_does_not_approve(studio: Studio) -> None:
    found = studio.joined()
    number = studio.propose(found, subject="ada", role="admin").body["number"]

    assert studio.decide("approve", found, number, "ada").refusal[:2] == (409, "own_proposal")


def test_two_admins_who_approve_at_once_grant_once(studio: Studio) -> None:
    found = studio.joined()
    number = studio.propose(found, 2).body["number"]

    with before_the_first("TransactWriteItems", lambda: studio.decide("approve", found, number, "ben")):
        late = studio.decide("approve", found, number, "ada")

    assert late.refusal[:2] == (409, "already_decided")
    assert studio.item(found)["granted"] == 2


def test_what_settles_meanwhile_is_too_late_for_a_grant(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    number = studio.propose(found, 2).body["number"]

    with before_the_first("TransactWriteItems", lambda: studio.ask(found)):
        late = studio.decide("approve", found, number, "ada")
    studio.work()

    assert late.refusal[:2] == (409, "too_late")
    assert studio.item(found)["granted"] == 0
    assert studio.propose(found).refusal[:2] == (409, "too_late")
    assert studio.decide("reject", found, number, "ada").body["state"] == "rejected"


def test_what_is_rejected_is_decided(studio: Studio) -> None:
    found = studio.joined()
    number = studio.propose(found).body["number"]

    rejected = studio.decide("reject", found, number, "ada")

    assert (rejected.body["state"], rejected.body["decided_by"]) == ("rejected", "ada")
    assert studio.decide("approve", found, number, "ben").refusal[:2] == (409, "already_decided")
    assert studio.decide("reject", found, number, "ben").refusal[:2] == (409, "already_decided")
    assert studio.status()["open_adjustments"] == 0


def test_up_to_the_threshold_one_approval_is_enough_and_many_small_ones_are_not(studio: Studio) -> None:
    studio.aws.choose(ApprovalThreshold="165")
    found = studio.joined(target_impressions=100, budget=16_500)
    studio.hand(found, impressions=1)
    studio.look(found)
    small = studio.adjustments(found)[0]["number"]

    first = studio.decide("approve", found, small, "ada")
    studio.hand(found, impressions=2)
    studio.look(found)
    second = studio.decide("approve", found, studio.adjustments(found)[-1]["number"], "ada")

    assert first.body["state"] == "granted"
    assert second.body["state"] == "open"
    assert studio.item(found)["granted"] == 1


def test_without_a_threshold_it_takes_two_however_little_it_is_worth(studio: Studio) -> None:
    found = studio.joined(rate="0.001", target_impressions=1000, budget=100)
    studio.hand(found, impressions=1)
    studio.look(found)

    first = studio.decide("approve", found, studio.adjustments(found)[0]["number"], "ada")

    assert first.body["state"] == "open"


def test_a_repeat_with_the_same_key_proposes_once(studio: Studio) -> None:
    found = studio.joined()

    answers = [studio.propose(found, key="once"), studio.propose(found, key="once")]

    assert answers[0].body == answers[1].body
    assert len(studio.adjustments(found)) == 1


def test_adjustments_are_for_those_whom_they_concern(studio: Studio) -> None:
    found = studio.joined()
    number = studio.propose(found).body["number"]
    path = ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N", found.partition(":")[0])

    def listed(subject: str, role: str = "user") -> int:
        return studio.request("sponsorships/monitoring/api-listed", path, subject=subject, role=role).status

    assert studio.propose(found, subject="mallory").status == 404
    assert studio.decide("approve", found, number, "acme", role="user").status == 403
    assert studio.decide("approve", found, number, "olga", role="operator").status == 403
    assert studio.decide("approve", found, 99, "ada").refusal[:2] == (404, "adjustment_not_found")
    assert [listed("nina"), listed("acme"), listed("mallory"), listed("olga", "operator")] == [200, 200, 404, 200]


@pytest.mark.parametrize("impressions", [0, -1, 100_001, 1.5, "3", None, True])
def test_a_proposal_is_a_whole_number_of_impressions(studio: Studio, impressions: Any) -> None:
    found = studio.joined()
    body = {"impressions": impressions, "reason": "The page was down"}
    path = ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N", found.partition(":")[0])

    answer = studio.request("sponsorships/monitoring/api-propose", path, body=body)

    assert answer.status == 400
    assert answer.fields == ["impressions"]


# --- The stream


@pytest.mark.parametrize(
    ("row", "part", "name"),
    [
        ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N", "campaign", "MODIFY"),
        ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina", "statement", "MODIFY"),
        ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina", "campaign", "INSERT"),
        ("spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina", "campaign", "REMOVE"),
        ("chk_01KAJ3W5V0SM0FKVYVXB9EQT6N", "campaign", "MODIFY"),
        ("tally#spn_01KAJ3W5V0SM0FKVYVXB9EQT6N:nina#0", "tally", "MODIFY"),
        ("monitor", "signal", "MODIFY"),
    ],
)
def test_a_record_that_is_none_of_its_business_does_nothing(studio: Studio, row: str, part: str, name: str) -> None:
    assert studio.record(row, part, name) == []
    assert studio.take("SponsorshipsChecksQueue") == []


def test_any_record_is_harmless(studio: Studio) -> None:
    event = {"Records": [{"eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb"}]}

    assert studio.invoke("sponsorships/monitoring/stream-rows", event)["batchItemFailures"] == []


def test_a_record_of_a_participation_sends_a_message_and_writes_nothing(studio: Studio) -> None:
    found = studio.joined()
    before = studio.aws.items("SponsorshipsTable")

    assert studio.record(found) == []

    assert [json.loads(body) for body in studio.take("SponsorshipsChecksQueue")] == [
        {"campaign_id": found.partition(":")[0], "streamer": "nina", "source": "stream"}
    ]
    assert studio.aws.items("SponsorshipsTable") == before


# --- Runs over all participations


def test_the_sweep_completes_what_every_other_detector_missed_and_counts_the_gap(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """S3-25, S3-26; TwitchDropsMiner #85; counterexample 17: all records lost, and the API died after each commit."""
    campaign_id = studio.campaign(budget=990)
    nina, oskar = studio.join(campaign_id, "nina"), studio.join(campaign_id, "oskar")
    studio.see(nina, range(3))
    studio.see(oskar, range(2))
    studio.clock.shift(timedelta(seconds=61))

    run = studio.sweep_all()

    assert run | {"status": "checked", "checked": 2, "settled": 1, "problems": []} == run
    assert studio.get(nina)["detected_by"] == "sweep"
    assert (studio.wallet("nina"), studio.wallet("oskar")) == (495, 0)
    status = studio.status()
    assert status["gaps"] == {"last_24h": 1, "last": "2026-11-20T12:01:01.000000Z"}
    assert (status["status"], status["detectors"]["sweep"]["completions"]) == ("degraded", 1)
    (gap,) = studio.events("DetectorGapFound")
    assert gap == {"campaign_id": campaign_id, "streamer": "nina", "detector": "api", "waited_seconds": "61"}
    (line,) = [each for each in log_lines() if each["message"] == "DetectorGap"]
    assert line["detector"] == "api"


def test_a_completion_that_the_sweep_finds_in_time_is_no_gap(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.clock.shift(timedelta(seconds=60))

    studio.sweep_all()

    assert studio.get(found)["detected_by"] == "sweep"
    assert studio.status()["gaps"] == {"last_24h": 0, "last": None}


def test_what_the_api_marked_and_nobody_checked_is_a_gap_of_its_event(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.hand(found, reached=3)
    studio.clock.shift(timedelta(minutes=5))

    studio.sweep_all()

    assert [each["detector"] for each in studio.events("DetectorGapFound")] == ["event"]
    assert studio.wallet() == 495


def test_a_sweep_that_finds_nothing_writes_nothing_but_its_own_steps(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(2))
    before = list(studio.aws.items("SponsorshipsTable"))

    run = studio.sweep_all()

    after = studio.aws.items("SponsorshipsTable")
    assert [each for each in after if each not in before and each["id"] not in (run["id"], "monitor")] == []
    assert studio.actions(run["id"]) == []


def test_the_sweep_pages_through_more_than_a_hundred_participations(studio: Studio) -> None:
    campaign_id = studio.campaign(budget=495 * 105)
    found = [studio.join(campaign_id, f"streamer{number}") for number in range(105)]
    for each in (found[0], found[-1]):
        studio.see(each, range(3))

    run = studio.sweep_all()

    assert (run["checked"], run["settled"]) == (105, 2)
    assert len(studio.pays()) == 2


def test_one_participation_that_cannot_be_read_holds_up_no_other(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    campaign_id = studio.campaign(budget=495 * 4)
    ada, ben, cleo, nina = (studio.join(campaign_id, name) for name in ("ada", "ben", "cleo", "nina"))
    for each in (ada, ben, cleo, nina):
        studio.see(each, range(3))
    studio.hand(ada, shards="many")
    studio.hand(f"tally#{ben}#0", "tally", impressions="lots")
    studio.spoil_entry(f"rsv#{cleo}")

    run = studio.sweep_all()

    assert run["status"] == "checked"
    assert run["settled"] == 1
    assert run["failed"] == 1
    assert studio.wallet("nina") == 495
    assert len(log_lines()) < 60


def test_one_run_is_going_at_a_time(studio: Studio) -> None:
    """S3-17."""
    first = studio.request("sponsorships/monitoring/api-fullcheck", role="operator")
    second = studio.request("sponsorships/monitoring/api-fullcheck", role="operator")
    third = studio.invoke("sponsorships/monitoring/schedule-sweep")["run"]
    studio.work()
    fourth = studio.request("sponsorships/monitoring/api-fullcheck", role="operator")

    assert (first.status, second.status, fourth.status) == (202, 200, 202)
    assert first.body["id"] == second.body["id"] == third != fourth.body["id"]
    assert studio.run(third)["status"] == "checked"


def test_two_who_start_a_run_at_once_start_one(studio: Studio) -> None:
    """Amendment 27."""
    started: list[str] = []

    with before_the_first("TransactWriteItems", lambda: started.append(studio.full_check())):
        started.append(studio.full_check())

    assert started[0] == started[1]
    assert len([each for each in studio.aws.items("SponsorshipsTable") if each["id"].startswith("chk_")]) == 1


def test_a_run_that_is_going_becomes_a_deep_one_when_that_is_wanted(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(2))
    studio.hand(f"tally#{found}#0", "tally", impressions=1)
    light = studio.full_check()

    deep = studio.invoke("sponsorships/monitoring/schedule-deep")["run"]
    studio.work()

    run = studio.run(light)
    assert light == deep
    assert (run["deep"], run["corrected"]) == (True, 1)


def test_a_repeat_with_the_same_key_starts_one_run(studio: Studio) -> None:
    answers = []
    for _ in range(2):
        answers.append(studio.request("sponsorships/monitoring/api-fullcheck", role="operator", key="once"))
        studio.work()

    assert answers[0].body == answers[1].body


def test_a_run_that_does_not_exist_is_not_found(studio: Studio) -> None:
    for run_id in ("chk_01KAJ3W5V0SM0FKVYVXB9EQT6N", "chk_1", "spn_01KAJ3W5V0SM0FKVYVXB9EQT6N"):
        path = ("chk_01KAJ3W5V0SM0FKVYVXB9EQT6N", run_id)
        answer = studio.request("sponsorships/monitoring/api-check", path, role="operator")
        assert answer.refusal[:2] == (404, "check_not_found")


# --- Deep runs


@pytest.mark.parametrize(("by_hand", "corrected_by"), [(5, -3), (1, 1), (0, 2), (-4, 6)])
def test_a_deep_run_corrects_a_tally_that_a_hand_edited(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]], by_hand: int, corrected_by: int
) -> None:
    found = studio.joined()
    studio.see(found, range(2))
    studio.hand(f"tally#{found}#0", "tally", impressions=by_hand)

    run = studio.sweep_all(deep=True)

    assert run["corrected"] == 1
    assert run["problems"] == [f"{found}: a tally was edited by hand, and corrected by {corrected_by}"]
    assert studio.tallied(found) == 2
    assert studio.wallet() == 0
    assert studio.actions(found) == ["PARTICIPATION_JOINED", "TALLY_CORRECTED"]
    assert "TallyDiffers" in [each["message"] for each in log_lines()]


def test_a_deep_run_pays_what_a_tally_by_hand_had_hidden(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.hand(f"tally#{found}#0", "tally", impressions=0)

    light = studio.sweep_all()
    deep = studio.sweep_all(deep=True)

    assert (light["settled"], deep["corrected"], deep["settled"]) == (0, 1, 1)
    assert studio.wallet() == 495


@pytest.mark.parametrize("slot", ["0", "f"])
def test_an_impression_during_the_count_is_no_difference(studio: Studio, slot: str) -> None:
    """Before its slot is counted, or behind it."""
    found = studio.joined()
    studio.see(found, range(1))

    with before_the_first("Query", lambda: studio.see(found, [7]), where=f"imp#{found}#{slot}"):
        run = studio.sweep_all(deep=True)

    assert (run["corrected"], run["failed"], studio.tallied(found)) == (0, 0, 2)


def test_an_impression_between_the_measure_and_the_correction_is_kept(studio: Studio) -> None:
    """The difference never changes by what recording does."""
    found = studio.joined()
    studio.see(found, range(1))
    studio.hand(f"tally#{found}#0", "tally", impressions=5)
    run = studio.full_check(deep=True)

    with before_the_first("TransactWriteItems", lambda: studio.see(found, [7]), where="TALLY_CORRECTED"):
        studio.work()

    assert studio.run(run)["corrected"] == 1
    assert studio.tallied(found) == 2


def test_a_tally_that_appears_during_the_count_is_no_difference(studio: Studio) -> None:
    """Recording spreads over more tallies without a step: what it counts there is not in the tallies that were read."""
    found = studio.joined()
    studio.see(found, range(1))
    run = studio.full_check(deep=True)

    def grow() -> None:
        studio.hand(found, shards=2)
        studio.see(found, [7], k=1)

    with before_the_first("Query", grow, where=f"imp#{found}"):
        studio.work()

    assert studio.run(run)["corrected"] == 0
    assert studio.tallied(found) == 2


def test_a_void_between_the_measure_and_the_correction_puts_it_off(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(2))
    studio.hand(f"tally#{found}#0", "tally", impressions=5)
    run = studio.full_check(deep=True)

    with before_the_first("TransactWriteItems", lambda: studio.propose(found), where="TALLY_CORRECTED"):
        studio.work()
    again = studio.sweep_all(deep=True)

    assert (studio.run(run)["corrected"], again["corrected"], studio.tallied(found)) == (0, 1, 2)


def test_a_deep_run_names_what_is_completed_without_pay(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    found = studio.joined()
    studio.hand(found, status="completed")

    run = studio.sweep_all(deep=True)

    assert run["problems"] == [f"{found}: completed, and the ledger has no pay"]
    assert "Completed without pay" in [each["message"] for each in log_lines()]


def test_a_deep_run_finds_edits_of_what_has_ended(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()
    studio.hand(found, earnings=1_000_000)

    run = studio.sweep_all(deep=True)

    assert run["edited"] == 1
    assert studio.item(found)["earnings"] == 495


def test_a_deep_run_verifies_the_ledger_of_the_currencies_that_it_meets(studio: Studio) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()

    run = studio.sweep_all(deep=True)

    assert (run["status"], run["problems"]) == ("checked", [])
    assert studio.status()["conservation"] == {"checked_at": "2026-11-20T12:00:00.000000Z", "ok": True}


def test_a_deep_run_names_the_account_that_a_hand_edited(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    found = studio.joined()
    studio.see(found, range(3))
    studio.ask(found)
    studio.work()
    studio.enrich("wallet#USD#nina", 1)

    run = studio.sweep_all(deep=True)

    assert run["problems"] == [
        "wallet#USD#nina: the balance is 496, its lines sum to 495",
        "USD: all balances sum to 1",
    ]
    status = studio.status()
    assert (status["conservation"]["ok"], status["status"]) == (False, "degraded")
    assert [each["message"] for each in log_lines()].count("Conservation broken") == 2


# --- The canary, and the status (S3-16, S3-31, S3-33)


def test_without_a_stream_the_status_says_so_and_the_sweep_goes_on(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """S3-25, S3-31, S3-33."""
    statuses, silences = [], []
    for _ in range(4):
        run = studio.sweep_all()
        statuses.append(studio.status()["status"])
        silences.append(sum(each["message"] == "Stream silent" for each in log_lines()))
        assert run["status"] == "checked"
        studio.clock.shift(timedelta(minutes=5))

    assert statuses == ["ok", "disconnected", "disconnected", "disconnected"]
    assert silences == [0, 0, 1, 1]


def test_a_stream_that_brings_the_canary_is_connected(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    for _ in range(4):
        studio.sweep_all()
        studio.clock.shift(timedelta(seconds=2))
        studio.record("monitor", "canary", at=datetime.now(UTC) - timedelta(seconds=2))
        studio.work_off_checks()
        studio.clock.shift(timedelta(minutes=5))

    status = studio.status()
    assert status["status"] == "ok"
    assert status["stream"] == {
        "enabled": True,
        "last_record_at": "2026-11-20T12:15:06.000000Z",
        "canary_age_seconds": 302,
        "lag_seconds": 2,
        "dead_letters": 0,
    }
    assert "Stream silent" not in [each["message"] for each in log_lines()]


def test_a_stream_that_falls_silent_is_noticed_two_runs_later(studio: Studio) -> None:
    """S3-31."""
    statuses = []
    for number in range(5):
        studio.sweep_all()
        if number < 2:
            studio.record("monitor", "canary")
            studio.work_off_checks()
        statuses.append(studio.status()["status"])
        studio.clock.shift(timedelta(minutes=5))

    assert statuses == ["ok", "ok", "ok", "disconnected", "disconnected"]


def test_a_stream_whose_records_always_fail_is_disconnected_and_holds_up_nobody(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """S3-14, S3-24; meteor #14607, morphium #329: the place to go on from is dead, and each retry floods the log."""
    nina = studio.joined()
    studio.see(nina, range(3))
    deliveries, statuses, lines = 6, [], []

    for _ in range(3):
        studio.sweep_all()
        with refusing("SendMessage", studio.aws.ref(CHECKS)):
            for _ in range(deliveries):
                assert studio.record(nina) == [{"itemIdentifier": "1"}]
                assert studio.record("monitor", "canary") == [{"itemIdentifier": "1"}]
        statuses.append(studio.status()["status"])
        lines.append([each["message"] for each in log_lines()])
        studio.clock.shift(timedelta(minutes=5))

    assert statuses == ["ok", "disconnected", "disconnected"]
    assert [each.count("Put back: it failed") for each in lines] == [2 * deliveries] * 3
    assert [each.count("Stream silent") for each in lines] == [0, 0, 1]
    assert max(map(len, lines)) < 60
    assert studio.get(nina)["detected_by"] == "sweep"
    assert studio.wallet() == 495


def test_the_status_shows_detectors_queues_and_participations(studio: Studio) -> None:
    """S3-16, S3-18, S3-19."""
    campaign_id = studio.campaign(budget=495 * 3)
    nina, oskar = studio.join(campaign_id, "nina"), studio.join(campaign_id, "oskar")
    studio.join(campaign_id, "pia")
    studio.see(nina, range(3))
    studio.ask(nina)
    studio.work()
    studio.see(oskar, range(3))
    studio.ask(oskar)
    studio.invoke("sponsorships/monitoring/schedule-sweep")

    status = studio.status()

    assert status["detectors"] == {
        "api": {"completions": 2, "last_at": "2026-11-20T12:00:00.000000Z"},
        "stream": {"completions": 0, "last_at": None},
        "sweep": {
            "completions": 0,
            "last_at": "2026-11-20T12:00:00.000000Z",
            "next_at": "2026-11-20T12:05:00.000000Z",
        },
    }
    assert status["participations"] == {"active": 1, "settling": 1, "held": 0, "review": 0}
    assert status["queues"]["checks"] == {"waiting": 0, "in_flight": 0, "dead": 0}
    assert status["queues"]["steps"]["waiting"] == 2
    assert status["full_check"]["status"] == "checking"


@pytest.mark.parametrize("role", ["user", "service"])
def test_monitoring_is_for_operators(studio: Studio, role: str) -> None:
    """S3-18."""
    for file in ("api-status", "api-fullcheck", "api-check"):
        assert studio.request(f"sponsorships/monitoring/{file}", role=role).status == 403


def test_an_adjustment_that_waits_for_a_day_is_an_alarm(
    studio: Studio, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    studio.propose(studio.joined())
    waits = []
    for _ in range(2):
        studio.sweep_all()
        waits.append("Adjustments waiting" in [each["message"] for each in log_lines()])
        studio.clock.shift(timedelta(hours=24, seconds=1))
    studio.sweep_all()
    waits.append("Adjustments waiting" in [each["message"] for each in log_lines()])

    assert waits == [False, True, True]
