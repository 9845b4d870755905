"""Impressions and clicks over HTTP: what is counted, what is refused and why, whatever comes twice, at once or late."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count, pairwise
from typing import Any

import pytest
from botocore.client import BaseClient

from sponsorships import impressions
from sponsorships.impressions import ImpressionKeys, Row, by_service
from tests.account import Account
from tests.integration.log_metrics import metrics
from tests.integration.recording_world import (
    BROWSER,
    CAMPAIGN,
    KEYS,
    NOON,
    OTHER,
    SALT,
    Calls,
    P,
    Recording,
    a_campaign,
    a_participation,
    impression_token,
    troubled,
)

SOON = NOON + timedelta(seconds=5)
EVENT = {"campaign_id": CAMPAIGN, "streamer": "nina", "source": "api"}


@pytest.fixture
def recording(aws: Account) -> Recording:
    found = Recording(aws)
    found.join()
    return found


def refused(body: dict[str, Any]) -> Any:
    assert body["counted"] is False
    assert body["reasons"][0] == body["reason"]
    return body["reason"]


def test_a_viewer_asks_for_a_token_and_is_counted(recording: Recording) -> None:
    minted = recording.token(subject="ada").body
    answer = recording.record(minted["token"])

    assert (minted["usable_at"], minted["expires_at"]) == ("2026-11-27T12:00:05.000000Z", "2026-11-27T12:10:00.000000Z")
    assert answer.status == 200
    assert answer.body["counted"] is True
    assert answer.body["accepted_at"] == "2026-11-27T12:00:05.000000Z"
    assert recording.counted() == 1


def test_the_row_is_the_evidence_and_is_signed(recording: Recording) -> None:
    recording.record(impression_token())

    (row,) = recording.rows()
    signed = Row(**{name: row[name] for name in Row.__dataclass_fields__})
    assert row["id"] == f"imp#{P}#{row['part'][0]}"
    assert (row["issued_at"], row["accepted_at"]) == ("2026-11-27T12:00:00.000000Z", "2026-11-27T12:00:05.000000Z")
    assert (row["by"], row["k"], row["key_id"]) == ("viewer", 0, "k1")
    assert impressions.is_genuine(KEYS, P, signed)


def test_a_viewer_who_has_two_tokens_is_counted_once(recording: Recording) -> None:
    """mozilla/addons #13846: the page that is rendered twice."""
    first, second = recording.token().body["token"], recording.token().body["token"]

    answers = [recording.record(first), recording.record(second)]

    assert answers[0].body["counted"] is True
    assert refused(answers[1].body) == "viewer_counted"
    assert recording.counted() == 1


def test_each_token_counts_once_whatever_environment_it_comes_to(recording: Recording, aws: Account) -> None:
    """revive-adserver #392: two nodes behind a balancer."""
    other = Recording(aws)
    tokens = [impression_token(f"viewer {number}") for number in range(100)]

    first = [(recording, other)[number % 2].record(each) for number, each in enumerate(tokens)]
    second = [(other, recording)[number % 2].record(each) for number, each in enumerate(tokens)]

    assert all(each.body["counted"] for each in first)
    assert {refused(each.body) for each in second} == {"token_used"}
    assert recording.counted() == 100


def test_a_token_that_comes_twice_at_once_counts_once(recording: Recording, aws: Account) -> None:
    other, token = Recording(aws), impression_token()
    answers = []

    with troubled("TransactWriteItems", before=lambda: answers.append(other.record(token))):
        answers.append(recording.record(token))

    assert answers[0].body["counted"] is True
    assert refused(answers[1].body) == "token_used"
    assert recording.counted() == 1


def test_who_lost_the_answer_learns_that_it_was_counted_and_may_click(recording: Recording) -> None:
    token = impression_token()
    counted = recording.record(token).body

    again = recording.record(token, at=NOON + timedelta(seconds=60)).body

    assert refused(again) == "token_used"
    assert again["accepted_at"] == counted["accepted_at"] == "2026-11-27T12:00:05.000000Z"
    assert again["click_token"] == counted["click_token"]


@pytest.mark.parametrize(
    ("seconds", "reason", "retry_after"), [(4, "too_early", 1), (0, "too_early", 5), (601, "token_expired", None)]
)
def test_a_token_outside_its_time_is_refused(
    recording: Recording, seconds: int, reason: str, retry_after: int | None
) -> None:
    answer = recording.record(impression_token(), at=NOON + timedelta(seconds=seconds))

    assert answer.status == 200
    assert refused(answer.body) == reason
    assert answer.body.get("retry_after_seconds") == retry_after
    assert recording.counted() == 0


def test_a_token_of_another_campaign_is_refused(recording: Recording) -> None:
    answer = recording.record(impression_token(participation=f"{OTHER}:nina"))

    assert refused(answer.body) == "wrong_campaign"
    assert recording.counted() == 0


def test_a_forged_token_is_refused_and_is_nobodys(recording: Recording) -> None:
    token = impression_token()

    answer = recording.record(token[:-1] + ("A" if token[-1] != "A" else "B"))

    assert answer.status == 200
    assert refused(answer.body) == "token_invalid"
    assert (recording.counted(), recording.refusals()) == (0, {})


@pytest.mark.parametrize("token", ["", "imp1", "abc", 7, None, ["imp1"], {"counted": 100}, "clk1.e30." + "A" * 43])
def test_what_is_no_token_is_a_bad_request(recording: Recording, token: object) -> None:
    answer = recording.record(token)

    assert answer.refusal[:2] == (400, "token_invalid")
    assert recording.counted() == 0


@pytest.mark.parametrize("agent", ["Googlebot/2.1", ""])
def test_a_bot_is_refused(recording: Recording, agent: str) -> None:
    assert refused(recording.record(impression_token(), agent=agent).body) == "bot"
    assert recording.counted() == 0


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_do_not_track_is_honoured_if_that_is_switched_on(recording: Recording, aws: Account, header: str) -> None:
    honouring = Recording(aws, {"HONOUR_DO_NOT_TRACK": "true"})

    answer = honouring.record(impression_token("ada"), headers={header: "1"})
    there = recording.record(impression_token("ben"), headers={header: "1"})

    assert refused(answer.body) == "do_not_track"
    assert there.body["counted"] is True


def test_a_streamers_own_view_is_refused(recording: Recording) -> None:
    named = impressions.mint_named(KEYS, P, SALT, "platform", "nina", NOON)
    other = impressions.mint_named(KEYS, P, SALT, "platform", "ada", NOON)

    own = [recording.record(recording.token(subject="nina").body["token"]), recording.record(named)]
    counted = recording.record(other)

    assert [refused(each.body) for each in own] == ["own_view", "own_view"]
    assert counted.body["counted"] is True
    assert recording.rows()[0]["by"] == by_service("platform")


def test_every_reason_is_returned_in_its_order(recording: Recording, aws: Account) -> None:
    recording.set(CAMPAIGN, "campaign", status="paused")
    honouring = Recording(aws, {"HONOUR_DO_NOT_TRACK": "true"})

    answer = honouring.record(impression_token("nina"), at=NOON, agent="Googlebot/2.1", headers={"DNT": "1"})

    assert answer.body["reasons"] == ["too_early", "bot", "do_not_track", "own_view", "campaign_paused"]
    assert "retry_after_seconds" not in answer.body


@pytest.mark.parametrize(
    ("campaign", "participation", "reason"),
    [
        ({"status": "paused"}, {}, "campaign_paused"),
        ({"status": "closing"}, {}, "campaign_ended"),
        ({"status": "closed", "viewer_salt": None}, {}, "campaign_ended"),
        ({"status": "draft"}, {}, "not_participating"),
        ({"ends_at": "2026-11-27T12:00:05.000000+0000"}, {}, "campaign_ended"),
        ({}, {"status": "settling", "why": "target"}, "target_reached"),
        ({}, {"status": "held", "why": "target"}, "target_reached"),
        ({}, {"status": "completed", "why": "target"}, "target_reached"),
        ({}, {"status": "settling", "why": "end"}, "campaign_ended"),
        ({}, {"status": "expired", "why": "end"}, "campaign_ended"),
        ({}, {"status": "expired", "why": "left"}, "not_participating"),
    ],
)
def test_no_impression_is_taken_where_the_campaign_takes_none(
    aws: Account, campaign: dict[str, Any], participation: dict[str, Any], reason: str
) -> None:
    """revive-adserver #838: the beacon that counts for campaigns that are over."""
    recording = Recording(aws)
    recording.join(a_campaign(**campaign), a_participation(**participation))

    answer = recording.record(impression_token())
    token = recording.token(at=SOON)

    assert refused(answer.body) == reason
    assert token.refusal[:2] == (409, reason)
    assert recording.counted() == 0


def test_a_pause_is_seen_within_five_seconds(recording: Recording) -> None:
    recording.record(impression_token("ada"))
    recording.set(CAMPAIGN, "campaign", status="paused")

    within = recording.record(impression_token("ben"), at=SOON + timedelta(seconds=4))
    after = recording.record(impression_token("cem"), at=SOON + timedelta(seconds=6))

    assert within.body["counted"] is True
    assert refused(after.body) == "campaign_paused"
    assert recording.counted() == 2


def test_the_platforms_stop_is_seen_within_five_seconds(recording: Recording) -> None:
    recording.record(impression_token("ada"))
    recording.put({"id": {"S": "platform"}, "part": {"S": "campaign"}, "status": {"S": "stopped"}})

    after = recording.record(impression_token("ben"), at=SOON + timedelta(seconds=6))

    assert refused(after.body) == "platform_stopped"
    assert recording.counted() == 1


def test_a_streamer_who_just_joined_is_found_at_once(aws: Account) -> None:
    recording = Recording(aws)
    recording.put(a_campaign())

    before = recording.token()
    recording.put(a_participation())
    after = recording.token()

    assert before.refusal[:2] == (409, "not_participating")
    assert after.status == 200


def test_anonymous_viewers_count_where_the_campaign_takes_them_and_three_a_network(aws: Account) -> None:
    recording = Recording(aws)
    recording.join(a_campaign(viewers="any"))

    answers = [
        recording.record(recording.token(subject=None, agent=agent).body["token"], agent=agent)
        for agent in (f"{BROWSER} Invented/{number}" for number in range(40))
    ]

    assert sum(each.body["counted"] for each in answers) == recording.counted() == 3


def test_a_registered_campaign_mints_no_token_for_somebody_it_does_not_know(recording: Recording) -> None:
    answer = recording.token(subject=None)
    forged = recording.post("/impressions/token", {"streamer_id": "nina"}, headers={"authorization": "Bearer x"})

    assert answer.refusal[:2] == forged.refusal[:2] == (403, "viewer_unknown")


def test_a_viewer_counts_once_a_day_by_the_day_of_the_tokens_issue(aws: Account) -> None:
    recording = Recording(aws, {"TIME_ZONE": "Europe/Berlin"})
    recording.join(a_campaign(viewer_period="day"))
    before_midnight = NOON.replace(hour=22, minute=59)  # 23:59 in Berlin
    late = impression_token("ada", at=before_midnight)

    answers = [
        recording.record(impression_token("ada", at=before_midnight), at=before_midnight + timedelta(seconds=5)),
        recording.record(late, at=before_midnight + timedelta(minutes=5)),
        recording.record(
            impression_token("ada", at=before_midnight + timedelta(minutes=2)),
            at=before_midnight + timedelta(minutes=5),
        ),
    ]

    assert [each.body["counted"] for each in answers] == [True, False, True]
    assert sorted(each["part"][33:] for each in recording.rows()) == ["2026-11-27", "2026-11-28"]


def test_refusals_that_we_signed_are_counted_by_hour_and_reason(recording: Recording) -> None:
    token = impression_token()
    recording.record(token)
    for _ in range(3):
        recording.record(token)
    recording.record(impression_token("ben"), agent="Googlebot/2.1")

    assert recording.refusals() == {"2026-11-27T12#token_used": 3, "2026-11-27T12#bot": 1}


# Batches.


def test_a_batch_counts_each_viewer_once_in_one_transaction(recording: Recording) -> None:
    tokens = [impression_token(f"viewer {number}") for number in range(48)]
    batch = [*tokens, tokens[0], impression_token("viewer 1")]

    with troubled("TransactWriteItems") as calls:
        answers = recording.batch(*batch).body["impressions"]

    assert [each["counted"] for each in answers] == [True] * 48 + [False] * 2
    assert [refused(each) for each in answers[48:]] == ["token_used", "viewer_counted"]
    assert answers[48]["accepted_at"] == answers[0]["accepted_at"]
    assert (recording.counted(), calls.names().count("TransactWriteItems")) == (48, 1)


def test_a_batch_of_several_campaigns_and_forgeries_answers_each_in_its_place(recording: Recording) -> None:
    recording.put(a_participation(id=f"{CAMPAIGN}:otto", streamer="otto"))
    good = impression_token("ada")
    batch = [
        good,
        good[:-2] + "AA",
        impression_token("ada", participation=f"{OTHER}:nina"),
        impression_token("ada", participation=f"{CAMPAIGN}:otto"),
        impression_token("ada", at=NOON + timedelta(seconds=4)),
        impression_token("ada", participation=f"{CAMPAIGN}:nobody"),
    ]

    answers = recording.batch(*batch).body["impressions"]

    assert [each.get("reason") for each in answers] == [
        None,
        "token_invalid",
        "wrong_campaign",
        None,
        "too_early",
        "not_participating",
    ]
    assert recording.counted() == 2


@pytest.mark.parametrize("known", [1, 5, 49])
def test_rows_that_are_there_are_taken_out_and_the_rest_is_counted(recording: Recording, known: int) -> None:
    tokens = [impression_token(f"viewer {number}") for number in range(50)]
    recording.batch(*tokens[:known])

    answers = recording.batch(*tokens).body["impressions"]

    assert [each["counted"] for each in answers] == [False] * known + [True] * (50 - known)
    assert {refused(each) for each in answers[:known]} == {"token_used"}
    assert recording.counted() == 50


def test_a_batch_whose_rows_fail_round_after_round_goes_on_one_by_one(recording: Recording, aws: Account) -> None:
    other, tokens = Recording(aws), [impression_token(f"viewer {number}") for number in range(6)]
    taken, real = iter(tokens), BaseClient._make_api_call
    rounds: list[int] = []

    def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        # Before each of the first three transactions another environment counts one of its viewers.
        if name == "TransactWriteItems" and len(arguments["TransactItems"]) > 2:
            rounds.append(len(arguments["TransactItems"]))
            if len(rounds) <= 3:
                other.record(next(taken))
        return real(client, name, arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        answers = recording.batch(*tokens).body["impressions"]

    assert rounds == [7, 6, 5]
    assert [each.get("reason") for each in answers] == ["token_used"] * 3 + [None] * 3
    assert recording.counted() == 6


@pytest.mark.parametrize("tokens", [[], ["imp1.e30." + "A" * 43] * 51, "imp1", None, [7], ["abc"]])
def test_a_batch_that_is_none_is_a_bad_request(recording: Recording, tokens: object) -> None:
    answer = recording.post("/impressions/batch", {"tokens": tokens})

    assert answer.status == 400
    assert recording.counted() == 0


# Conflicts, lost answers, closed tallies.


def test_a_conflict_is_tried_again_on_another_tally(aws: Account) -> None:
    recording = Recording(aws)
    recording.join(participation=a_participation(shards=2))

    with troubled("TransactWriteItems", *["conflict"] * 11) as calls:
        answer = recording.record(impression_token())

    tallies = calls.tallies()
    assert answer.body["counted"] is True
    assert all(one != other for one, other in pairwise(tallies))
    assert len(recording.waits) == 11
    assert recording.counted() == 1


@pytest.mark.parametrize("trouble", ["conflict", "busy", "unsent"])
def test_twelve_tries_that_fail_are_answered_with_come_again(recording: Recording, trouble: str) -> None:
    token = impression_token()

    with troubled("TransactWriteItems", *[trouble] * 12) as calls:
        answer = recording.record(token)
    again = recording.record(token)

    assert (answer.status, answer.body["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert calls.names().count("TransactWriteItems") == 12
    assert all(0 <= wait <= 0.5 for wait in recording.waits)
    assert again.body["counted"] is True
    assert recording.counted() == 1


def test_an_impression_whose_answer_was_lost_is_counted_once_and_says_so(recording: Recording) -> None:
    with troubled("TransactWriteItems", "lost", "ok"):
        answer = recording.record(impression_token())

    assert answer.body["counted"] is True
    assert answer.body["click_token"]
    assert recording.counted() == 1


def test_an_impression_of_which_nothing_is_known_is_tried_with_the_same_tally(aws: Account) -> None:
    recording = Recording(aws)
    recording.join(participation=a_participation(shards=64))

    with troubled("TransactWriteItems", "unsent", "lost") as calls:
        answer = recording.record(impression_token())

    assert answer.body["counted"] is True
    assert len(set(calls.tallies())) == 1
    assert recording.counted() == 1


def test_a_batch_whose_answer_was_lost_is_counted_once_and_says_so(recording: Recording) -> None:
    tokens = [impression_token(f"viewer {number}") for number in range(20)]
    recording.record(tokens[0], at=SOON - timedelta(milliseconds=1))
    recording.record(tokens[0], at=SOON)

    with troubled("TransactWriteItems", "ok", "lost"):
        answers = recording.batch(*tokens, at=SOON + timedelta(seconds=1)).body["impressions"]

    assert [each["counted"] for each in answers] == [False] + [True] * 19
    assert recording.counted() == 20


def test_another_environments_row_is_not_taken_for_the_own_one_after_a_lost_answer(
    recording: Recording, aws: Account
) -> None:
    other, token = Recording(aws), impression_token()

    with troubled(
        "TransactWriteItems", "ok", "unsent", before=lambda: other.record(token, at=SOON + timedelta(seconds=1))
    ):
        answer = recording.record(token)

    assert refused(answer.body) == "token_used"
    assert recording.counted() == 1


@pytest.mark.parametrize(("why", "reason"), [("target", "target_reached"), ("end", "campaign_ended")])
def test_a_closed_tally_takes_nothing_and_the_answer_says_why(recording: Recording, why: str, reason: str) -> None:
    recording.record(impression_token("ada"))
    recording.set(f"tally#{P}#0", "tally", closed=3)
    recording.set(P, "campaign", status="settling", why=why)

    late = recording.record(impression_token("ben"), at=SOON + timedelta(seconds=1))
    later = recording.record(impression_token("cem"), at=SOON + timedelta(seconds=2))

    assert [refused(each.body) for each in (late, later)] == [reason, reason]
    assert recording.counted() == 1


def test_a_closed_tally_refuses_a_whole_batch_but_names_those_who_were_counted(recording: Recording) -> None:
    counted = impression_token("ada")
    recording.record(counted)
    recording.set(f"tally#{P}#0", "tally", closed=3)
    recording.set(P, "campaign", status="settling", why="target")

    answers = recording.batch(counted, impression_token("ben"), at=SOON + timedelta(seconds=1)).body["impressions"]

    assert [refused(each) for each in answers] == ["token_used", "target_reached"]
    assert recording.counted() == 1


def test_three_conflicts_double_the_tallies_while_the_participation_is_active(recording: Recording) -> None:
    """S3-27: the more there is to count, the more tallies take it."""
    with troubled("TransactWriteItems", "conflict", "conflict"):
        recording.record(impression_token("ada"))
    before = recording.participation()["shards"]
    with troubled("TransactWriteItems", *["conflict"] * 3):
        recording.record(impression_token("ben"))

    assert (before, recording.participation()["shards"]) == (1, 2)


def test_no_tally_is_added_behind_a_settling_that_began(recording: Recording) -> None:
    """A tally that appeared while it settles would never be closed."""
    settles = lambda: recording.set(P, "campaign", status="settling", why="target")  # noqa: E731

    with troubled("UpdateItem", before=settles), troubled("TransactWriteItems", *["conflict"] * 3):
        recording.record(impression_token("ada"))

    assert recording.participation()["shards"] == 1


def test_tallies_that_another_environment_doubled_are_not_made_fewer(recording: Recording) -> None:
    others = lambda: recording.set(P, "campaign", shards=8)  # noqa: E731

    with troubled("UpdateItem", before=others), troubled("TransactWriteItems", *["conflict"] * 3):
        recording.record(impression_token("ada"))

    assert recording.participation()["shards"] == 8


def test_the_tallies_are_64_at_most(aws: Account) -> None:
    recording = Recording(aws)
    recording.join(participation=a_participation(shards=64))

    with troubled("TransactWriteItems", *["conflict"] * 3):
        recording.record(impression_token())

    assert recording.participation()["shards"] == 64


# Thresholds.


def counted_to(recording: Recording, number: int, first: int = 0) -> None:
    tokens = [impression_token(f"viewer {each}") for each in range(first, number)]
    for start in range(0, len(tokens), 50):
        recording.batch(*tokens[start : start + 50])


def test_a_batch_that_jumps_over_two_milestones_is_one_check_that_names_both(
    recording: Recording, aws: Account
) -> None:
    """solana-rpc/cloudbreak PR #7: `count == threshold` never fires when a batch jumps over it."""
    counted_to(recording, 49)
    with troubled("BatchGetItem", "ok", "busy"):  # this environment dies between its commit and its look
        Recording(aws).batch(*[impression_token(f"theirs {number}") for number in range(40)])
    assert recording.events() == []

    recording.batch(*[impression_token(f"mine {number}") for number in range(31)])

    assert recording.counted() == 120
    assert recording.events() == [EVENT | {"thresholds": [50, 100], "total": 120}]


def test_the_crossing_writes_each_monitored_field_twice(recording: Recording) -> None:
    counted_to(recording, 49)
    recording.set(P, "campaign", granted=31)

    counted_to(recording, 89, 49)

    found = recording.participation()
    assert recording.events() == [EVENT | {"thresholds": [50, 100], "total": 120}]
    assert found["reached"] == 100
    assert (found["impressions"], found["clicks"], found["earnings"]) == (120, 0, 19_800)
    assert all(found[name] == found[f"published_{name}"] for name in ("impressions", "clicks", "earnings"))
    assert found["last_writer"] == "record"


def test_the_target_is_a_threshold_and_earns_no_more_than_itself(aws: Account) -> None:
    """revive-adserver #306: a limit of 10 impressions, 70 shown."""
    recording = Recording(aws)
    recording.join(a_campaign(target_impressions=10, milestones=[]))

    counted_to(recording, 70)

    assert [each["thresholds"] for each in recording.events()] == [[10]]
    assert recording.participation()["earnings"] == 1_650
    assert recording.counted() == 70  # it is still active: the check that settles it closes the tallies


def test_two_environments_whose_batches_cross_at_once_make_one_check_of_a_threshold(
    recording: Recording, aws: Account
) -> None:
    counted_to(recording, 40)
    other = Recording(aws)
    theirs = [impression_token(f"theirs {number}") for number in range(30)]
    mine = [impression_token(f"mine {number}") for number in range(40)]

    # The other one records and marks between this one's commit and its look at the totals.
    with troubled("BatchGetItem", before=lambda: other.batch(*theirs)):
        recording.batch(*mine)

    crossed = [each["thresholds"] for each in recording.events()]
    assert sorted(each for thresholds in crossed for each in thresholds) == [50, 100]
    assert recording.participation()["reached"] == 100


@contextmanager
def in_front_of_the_mark(happens: Callable[[], object]) -> Iterator[None]:
    """Something happens once, after the totals were read and before a crossing is marked."""
    real, pending = BaseClient._make_api_call, [happens]

    def call(client: Any, name: str, arguments: dict[str, Any]) -> Any:
        puts = [action["Put"]["TableName"] for action in arguments.get("TransactItems", []) if "Put" in action]
        if pending and any("Outbox" in table for table in puts):
            pending.pop()()
        return real(client, name, arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call)
        yield


def test_a_mark_that_meets_another_one_looks_again(recording: Recording, aws: Account) -> None:
    counted_to(recording, 40)
    other = Recording(aws)
    theirs = [impression_token(f"theirs {number}") for number in range(50)]

    with in_front_of_the_mark(lambda: other.batch(*theirs)):
        recording.batch(*[impression_token(f"mine {number}") for number in range(12)])

    assert [each["thresholds"] for each in recording.events()] == [[50, 100]]
    assert recording.participation()["reached"] == 100


def test_a_crossing_leaves_what_a_hand_wrote_to_the_detectors(recording: Recording) -> None:
    """Or the edit would be overwritten, and nobody would know of it."""
    counted_to(recording, 49)
    recording.set(P, "campaign", impressions=2000)

    counted_to(recording, 50, 49)

    found = recording.participation()
    assert (found["reached"], found["impressions"]) == (50, 2000)
    assert "published_impressions" not in found
    assert len(recording.events()) == 1


def test_a_participation_that_settles_is_marked_no_more(recording: Recording) -> None:
    counted_to(recording, 49)
    settles = lambda: recording.set(P, "campaign", status="settling", why="end")  # noqa: E731

    with troubled("BatchGetItem", before=settles):
        counted_to(recording, 50, 49)

    assert recording.events() == []


def test_a_participation_that_begins_to_settle_after_the_look_is_marked_no_more(recording: Recording) -> None:
    counted_to(recording, 49)

    with in_front_of_the_mark(lambda: recording.set(P, "campaign", status="settling", why="end")):
        counted_to(recording, 50, 49)

    assert recording.events() == []
    assert "reached" not in recording.participation()


def test_an_edit_between_the_look_and_the_mark_is_left_to_the_detectors(recording: Recording) -> None:
    counted_to(recording, 49)

    with in_front_of_the_mark(lambda: recording.set(P, "campaign", clicks=7)):
        counted_to(recording, 50, 49)

    assert len(recording.events()) == 1
    assert (recording.participation()["clicks"], recording.participation()["reached"]) == (7, 50)


def test_an_impression_is_counted_also_if_nobody_could_look_for_a_crossing(recording: Recording) -> None:
    """The sweep finds it."""
    counted_to(recording, 49)

    with troubled("BatchGetItem", "busy"):
        answer = recording.record(impression_token("the fiftieth"))

    assert answer.body["counted"] is True
    assert (recording.counted(), recording.events()) == (50, [])


def test_the_totals_are_those_of_all_tallies_also_of_new_ones(recording: Recording) -> None:
    """An environment that has not heard of the new tallies counts what is in them all the same."""
    counted_to(recording, 30)
    recording.set(P, "campaign", shards=4)
    for k, number in ((1, 7), (2, 8), (3, 4)):
        recording.put(
            {
                "id": {"S": f"tally#{P}#{k}"},
                "part": {"S": "tally"},
                "impressions": {"N": str(number)},
                "clicks": {"N": "1"},
            }
        )

    recording.record(impression_token("the fiftieth"))

    assert recording.events() == [EVENT | {"thresholds": [50], "total": 50}]
    assert recording.participation()["clicks"] == 3


# Clicks.


def test_a_click_counts_once_and_never_without_its_impression(recording: Recording) -> None:
    """revive-adserver #1215, #417: a rate of clicks of 814 %."""
    click = recording.record(impression_token()).body["click_token"]
    forged = f"{click[:-3]}{'AAA' if not click.endswith('AAA') else 'BBB'}"

    answers = [recording.click(click) for _ in range(50)] + [recording.click(forged) for _ in range(50)]

    assert sum(each.body["counted"] for each in answers) == recording.clicks() == 1
    assert {refused(each.body) for each in answers[1:50]} == {"token_used"}
    assert {refused(each.body) for each in answers[50:]} == {"token_invalid"}
    assert recording.rows()[0]["clicked_at"] == answers[0].body["accepted_at"] == "2026-11-27T12:00:06.000000Z"


def test_a_click_is_good_for_a_day(recording: Recording) -> None:
    click = recording.record(impression_token()).body["click_token"]

    late = recording.click(click, at=SOON + timedelta(hours=24))
    in_time = recording.click(click, at=SOON + timedelta(hours=23))

    assert refused(late.body) == "token_expired"
    assert in_time.body["counted"] is True


def test_a_click_of_a_voided_row_of_no_row_or_of_another_campaign_does_not_count(recording: Recording) -> None:
    click = recording.record(impression_token()).body["click_token"]
    (row,) = recording.rows()
    elsewhere = recording.click(click, campaign=OTHER)
    recording.set(row["id"], row["part"], voided="invented viewers")
    voided = recording.click(click)
    recording.aws.client("dynamodb").delete_item(
        TableName="SponsorshipsTable", Key={"id": {"S": row["id"]}, "part": {"S": row["part"]}}
    )
    gone = recording.click(click)

    reasons = [refused(each.body) for each in (elsewhere, voided, gone)]
    assert reasons == ["wrong_campaign", "voided", "token_invalid"]
    assert recording.clicks() == 0
    assert recording.rows() == []


def test_a_click_after_the_close_is_refused(recording: Recording) -> None:
    click = recording.record(impression_token()).body["click_token"]
    recording.set(f"tally#{P}#0", "tally", closed=3)

    assert refused(recording.click(click).body) == "campaign_ended"
    assert recording.clicks() == 0


def test_a_click_makes_no_tally_of_its_own(recording: Recording) -> None:
    """A hand took the tally away: one that a click made would be open, and perhaps behind the last that is closed."""
    click = recording.record(impression_token()).body["click_token"]
    recording.aws.client("dynamodb").delete_item(
        TableName="SponsorshipsTable", Key={"id": {"S": f"tally#{P}#0"}, "part": {"S": "tally"}}
    )

    answer = recording.click(click)

    assert refused(answer.body) == "campaign_ended"
    assert recording.tallies() == {}


@pytest.mark.parametrize("troubles", [("lost", "ok"), ("conflict", "conflict", "ok"), ("unsent", "lost")])
def test_a_click_in_trouble_counts_once(recording: Recording, troubles: tuple[str, ...]) -> None:
    click = recording.record(impression_token()).body["click_token"]

    with troubled("TransactWriteItems", *troubles):
        answer = recording.click(click)

    assert answer.body["counted"] is True
    assert recording.clicks() == 1


def test_another_environments_click_is_not_taken_for_the_own_one(recording: Recording, aws: Account) -> None:
    click = recording.record(impression_token()).body["click_token"]
    other = Recording(aws)

    with troubled(
        "TransactWriteItems", "ok", "unsent", before=lambda: other.click(click, at=SOON + timedelta(seconds=9))
    ):
        answer = recording.click(click)

    assert refused(answer.body) == "token_used"
    assert recording.clicks() == 1


def test_a_click_that_meets_conflicts_alone_is_answered_with_come_again(recording: Recording) -> None:
    click = recording.record(impression_token()).body["click_token"]

    with troubled("TransactWriteItems", *["conflict"] * 12):
        answer = recording.click(click)

    assert answer.status == 503
    assert recording.clicks() == 0


# All of it.


def test_rows_are_tallies_whatever_comes_twice_at_once_and_late(aws: Account) -> None:
    """Any order of tokens, copies, lost answers, conflicts, batches and clicks, over two environments."""
    chance = random.Random(14)
    both = [Recording(aws), Recording(aws)]
    both[0].join(a_campaign(target_impressions=60, milestones=[10, 30]), a_participation(shards=4))
    tokens = [impression_token(f"viewer {chance.randrange(90)}") for _ in range(150)]
    clicks: list[str] = []

    counted = set()
    for step in range(120):
        recording, at = chance.choice(both), SOON + timedelta(seconds=step)
        troubles = chance.choices(["ok", "lost", "conflict", "unsent"], [6, 1, 2, 1], k=4)
        sent = chance.sample(tokens, chance.choice([1, 1, 1, 10]))
        with troubled("TransactWriteItems", *troubles):
            answers = recording.batch(*sent, at=at).body["impressions"]
            clicks += [each["click_token"] for each in answers if each["counted"]]
            counted |= {token for token, each in zip(sent, answers, strict=True) if each["counted"]}
            if clicks and chance.random() < 0.5:
                recording.click(chance.choice(clicks), at=at)

        assert recording.counted() == len(counted)
        assert recording.clicks() <= recording.counted()

    thresholds = [each["thresholds"] for each in both[0].events()]
    assert sorted(each for crossed in thresholds for each in crossed) == [10, 30, 60]
    for each in both[0].rows():
        assert impressions.is_genuine(KEYS, P, Row(**{name: each[name] for name in Row.__dataclass_fields__}))


# Requests.


@pytest.mark.parametrize(
    ("route", "body", "fields"),
    [
        ("/impressions/token", {}, ["streamer_id"]),
        ("/impressions/token", {"streamer_id": "nina@home"}, ["streamer_id"]),
        ("/impressions/token", {"streamer_id": ["nina"]}, ["streamer_id"]),
        ("/impressions/token", {"streamer_id": "nina", "impressions": 2000}, ["impressions"]),
        ("/impressions", {"token": "imp1.e30." + "A" * 43, "n": 2000}, ["n"]),
        ("/impressions/batch", {"token": "imp1.e30." + "A" * 43}, ["tokens", "token"]),
        ("/clicks", {}, ["token"]),
    ],
)
def test_a_body_with_another_field_is_a_bad_request(
    recording: Recording, route: str, body: object, fields: list[str]
) -> None:
    answer = recording.post(route, body)

    assert answer.status == 400
    assert answer.fields == fields


@pytest.mark.parametrize("path", ["/impressions/tokens", "/impression", "/impressions/", "/clicks/x"])
def test_another_path_is_not_found(recording: Recording, path: str) -> None:
    assert recording.post(path, {"token": "x"}).refusal[:2] == (404, "not_found")
    assert recording.post("/clicks", {"token": "x"}, campaign="spn_1").refusal[:2] == (404, "not_found")


# What it takes.


def written_units(calls: Calls) -> int:
    """Two for each item of a transaction, one for a plain write: all are below 1 KB."""
    in_transactions = sum(2 * len(arguments.get("TransactItems", [])) for _, arguments in calls.made)
    return in_transactions + sum(name in ("PutItem", "UpdateItem") for name, _ in calls.made)


def test_what_is_recorded_takes_as_many_calls_and_write_units_as_its_price_takes_it_to(recording: Recording) -> None:
    """S3-5; docs/cost.md: an impression 4 units in 2 calls, a click 4 in 1, a refusal 1, 25 at once 2.08 each."""
    counted_to(recording, 47)
    token, takes = impression_token("the 48th"), {}

    for name, call in {
        "impression": lambda: recording.record(token),
        "at a threshold": lambda: counted_to(recording, 49, 47),
        "used": lambda: recording.record(token),
        "bot": lambda: recording.record(impression_token("ben"), agent="Googlebot/2.1"),
        "25 at once": lambda: counted_to(recording, 74, 49),
    }.items():
        with troubled("nothing") as calls:
            call()
        takes[name] = (calls.names(), written_units(calls))
    click = recording.record(token).body["click_token"]
    with troubled("nothing") as calls:
        recording.click(click)

    recorded = ["TransactWriteItems", "BatchGetItem"]
    assert takes == {
        "impression": (recorded, 4),
        "at a threshold": ([*recorded, "TransactWriteItems"], 6 + 4),
        "used": (["TransactWriteItems", "UpdateItem"], 4 + 1),
        "bot": (["UpdateItem"], 1),
        "25 at once": (recorded, 2 * 26),
    }
    assert (calls.names(), written_units(calls)) == (["TransactWriteItems"], 4)


def test_metrics_are_made_of_what_is_counted_refused_and_forged(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    """S3-27."""
    good = impression_token()

    recording.batch(good, good, good[:-2] + "AA", impression_token("ben"))

    lines = [vars(each) for each in caplog.records]
    assert metrics(recording.aws, "SponsorshipsRecordingApiLogs", lines) == {
        "ImpressionsCounted": [2],
        "ImpressionsRefused": [1],
        "ImpressionsForged": [1],
    }


def test_the_key_before_the_current_one_is_believed_and_older_ones_are_not(recording: Recording) -> None:
    keys = {"k1": "1" * 32, "k2": "2" * 32, "k3": "3" * 32}
    recording.rotate(ImpressionKeys("k3", keys))
    viewer = impressions.registered(SALT, "ada")
    minted = [impressions.mint(ImpressionKeys(each, keys), P, viewer, NOON) for each in keys]

    answers = [recording.record(token).body for token in minted]

    assert [each.get("reason") for each in answers] == ["token_invalid", None, "viewer_counted"]
    assert recording.rows()[0]["key_id"] == "k3"


def test_a_call_ends_before_its_function_does(recording: Recording) -> None:
    """Each try takes two seconds here."""
    seconds = count(0, 2)
    recording.clock_of_tries(lambda: float(next(seconds)))

    with troubled("TransactWriteItems", *["unsent"] * 12) as calls:
        answer = recording.record(impression_token())

    assert answer.status == 503
    assert calls.names().count("TransactWriteItems") == 3
