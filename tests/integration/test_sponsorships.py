"""Campaigns and participations over HTTP and through their steps: budget, keys, ends, holds, caps and claims back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sluice import http
from sponsorships import impressions
from sponsorships.api import StreamerPlace
from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Answer, Functions
from tests.integration.studio import EXAMPLE, KEYS, STEPS, TABLE, TERMS, Studio, before_the_first

ADVERTISER = {"subject": "acme", "role": "user"}
CLOSED = ("TransactWriteItems", "SPONSORSHIP_CLOSED")
"""The call that closes a campaign, and what it names."""


class House(Studio):
    """A studio with an advertiser's commands."""

    def send(self, file: str, found: str, streamer: str = "nina", **more: Any) -> Answer:
        """A request about a campaign, or about a participation of it."""
        campaign_id = found.partition(":")[0]
        return self.request(f"sponsorships/api-{file}", (EXAMPLE, campaign_id), ("/nina", f"/{streamer}"), **more)

    def did(self, file: str, found: str, streamer: str = "nina", **more: Any) -> dict[str, Any]:
        answer = self.send(file, found, streamer, **({"body": {}} | ADVERTISER | more))
        assert answer.status < 300, answer.body
        return dict(answer.body)

    def money(self, campaign_id: str) -> dict[str, int]:
        """Where the campaign's money is, which adds up at every moment."""
        money = dict(self.did("get", campaign_id)["money"])
        assert money["funded"] == money["remaining"] + money["reserved"] + money["paid"] + money["refunded"]
        return money

    def draft(self, **terms: Any) -> str:
        body = {"ends_at": "2026-12-20T00:00:00Z", "milestones": []} | TERMS | terms
        return str(self.did("create", EXAMPLE, body=body)["id"])

    def taking_part(self, **terms: Any) -> tuple[str, str]:
        """A running campaign, and nina's participation in it."""
        campaign_id = self.campaign(**terms)
        return campaign_id, self.join(campaign_id)

    def reach(self, found: str, viewers: int = 3) -> None:
        """The target is reached and seen by the api; its steps are worked off."""
        self.see(found, range(viewers))
        assert self.ask(found)
        self.work()

    def claimed_back(self, **terms: Any) -> tuple[str, str]:
        """A campaign that paid nina, and an admin proposes to claim all of it back."""
        campaign_id, found = self.taking_part(**terms)
        self.reach(found)
        self.did("refund", campaign_id, subject="ada", role="admin", body={"reason": "Bots"}, key="r1")
        return campaign_id, found

    def on(self, moment: datetime) -> None:
        self.clock.move_to(moment)

    def work(self) -> None:
        """Work off the steps, each when it is due; what a schedule brings later is left."""
        for _ in range(50):
            steps = self.steps(STEPS)
            if not steps:
                return
            for step in steps:
                due = datetime.fromisoformat(self.item(step["campaign_id"]).get("wake_at") or NOON.isoformat())
                self.on(max(due, datetime.now(UTC)))
                assert self.hand_over("sponsorships/worker-steps", step)
        raise AssertionError("there was no end of steps")

    def work_due(self) -> None:
        """Work off the steps that are sent now, and none that they bring later."""
        for step in self.steps(STEPS):
            assert self.hand_over("sponsorships/worker-steps", step)

    def delete(self, row: str, part: str) -> None:
        """A hand deletes an item."""
        key = {"id": {"S": row}, "part": {"S": part}}
        self.aws.client("dynamodb").delete_item(TableName=self.aws.ref(TABLE), Key=key)

    def backup(self, table: str = TABLE) -> Callable[[], None]:
        """A backup of a table, which restores that table alone."""
        client, name = self.aws.client("dynamodb"), self.aws.ref(table)
        keys = ("id", "part") if table == TABLE else ("account", "line")
        kept = client.scan(TableName=name)["Items"]

        def restore() -> None:
            for item in client.scan(TableName=name)["Items"]:
                client.delete_item(TableName=name, Key={each: item[each] for each in keys})
            for item in kept:
                client.put_item(TableName=name, Item=item)

        return restore

    def keys(self, campaign_id: str, *keys: str, **more: Any) -> Answer:
        return self.send("loadkeys", campaign_id, body={"keys": list(keys)}, **ADVERTISER, **more)

    def key_states(self, campaign_id: str) -> dict[str, str]:
        """The state of each key of the pool, by its number."""
        pool = [each for each in self.aws.items(TABLE) if each["id"] == f"keys#{campaign_id}"]
        return {each["part"]: each["state"] for each in pool if each["part"].startswith("key#")}


@pytest.fixture
def house(aws: Account, functions: Functions) -> Iterator[House]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield House(aws, functions, clock)


# --- An advertiser's campaign


def test_a_start_moves_the_whole_budget_and_a_close_brings_the_rest_back(house: House) -> None:
    campaign_id, found = house.taking_part()
    reserved = house.money(campaign_id)
    house.reach(found)
    paid = house.money(campaign_id)

    assert house.did("close", campaign_id)["status"] == "closing"
    house.work()

    assert reserved == {"funded": 10_000, "remaining": 9_505, "reserved": 495, "paid": 0, "refunded": 0}
    assert paid == {"funded": 10_000, "remaining": 9_505, "reserved": 0, "paid": 495, "refunded": 0}
    assert house.did("get", campaign_id)["status"] == "closed"
    assert house.money(campaign_id) == {"funded": 10_000, "remaining": 0, "reserved": 0, "paid": 495, "refunded": 9_505}
    assert (house.wallet("nina"), house.wallet("acme")) == (495, 9_505)
    assert house.verified(campaign_id)["valid"] is True


def test_without_the_money_a_campaign_does_not_start(house: House) -> None:
    """The refusal says what is there, and nothing is moved."""
    house.deposit(9_999)
    campaign_id = house.draft()

    answer = house.send("start", campaign_id, **ADVERTISER)

    assert answer.refusal[:2] == (409, "insufficient_funds")
    assert "99.99 USD" in answer.refusal[2]
    assert house.did("get", campaign_id)["status"] == "draft"
    assert house.wallet("acme") == 9_999


def test_a_start_that_is_repeated_moves_the_money_once(house: House) -> None:
    house.deposit(30_000)
    campaign_id = house.draft()

    first = house.send("start", campaign_id, key="s1", **ADVERTISER)
    house.did("pause", campaign_id)
    again = house.send("start", campaign_id, key="s1", **ADVERTISER)

    assert first.body == again.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.body["money"]["remaining"] == 10_000
    assert house.wallet("acme") == 20_000
    assert house.did("get", campaign_id)["status"] == "paused"


def test_a_campaign_belongs_to_its_advertiser_and_to_operators(house: House) -> None:
    """What belongs to someone else is not found; of what runs anybody sees the terms, and no money."""
    draft, running = house.draft(), house.campaign()
    stranger = {"subject": "mallory", "role": "user"}

    assert house.send("get", draft, **stranger).status == 404
    assert house.send("start", running, **stranger).status == 404
    assert house.send("close", running, subject="svc", role="service").status == 404
    assert house.send("participations", running, **stranger).status == 404
    shown = house.send("get", running, **stranger).body
    assert (shown["rate"], shown["pay"], shown["budget"], shown["money"]) == ("1.65", 495, None, None)
    assert "viewer_salt" not in shown
    assert house.send("get", draft, subject="olga", role="operator").status == 200


def test_lists_show_a_user_what_runs_and_what_is_theirs(house: House) -> None:
    draft, running = house.draft(), house.campaign()

    def ids(**query: Any) -> list[str]:
        who = {name: query.pop(name) for name in ("subject", "role") if name in query}
        return [
            each["id"] for each in house.send("list", EXAMPLE, query=query, **({**ADVERTISER, **who})).body["items"]
        ]

    assert ids() == [running]
    assert sorted(ids(mine="true")) == sorted([draft, running])
    assert ids(mine="true", subject="mallory") == []
    assert sorted(ids(role="operator", subject="olga")) == sorted([draft, running])
    assert ids(role="operator", subject="olga", status="draft") == [draft]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rate": 1.65}, "rate"),
        ({"rate": "1.6500001"}, "rate"),
        ({"rate": "0"}, "rate"),
        ({"rate": "-1"}, "rate"),
        ({"rate": "1e3"}, "rate"),
        ({"target_impressions": 0}, "target_impressions"),
        ({"target_impressions": 100_001}, "target_impressions"),
        ({"target_impressions": "3"}, "target_impressions"),
        ({"budget": 100.0}, "budget"),
        ({"budget": "10000"}, "budget"),
        ({"budget": 494}, "budget"),
        ({"budget": 10**16}, "budget"),
        ({"rate": "0.000001"}, "rate"),
        ({"milestones": [3]}, "milestones"),
        ({"milestones": [0]}, "milestones.0"),
        ({"ends_at": "2026-11-20T11:59:59Z"}, "ends_at"),
        ({"ends_at": "2028-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2026-12-01"}, "ends_at"),
        ({"token_seconds": 10, "min_seconds": 10}, "token_seconds"),
        ({"at_end": "all"}, "at_end"),
        ({"viewers": "bots"}, "viewers"),
        ({"reward": 1}, "reward"),
    ],
)
def test_terms_that_cannot_be_kept_name_their_field(house: House, changes: dict[str, Any], field: str) -> None:
    body = {"ends_at": "2026-12-20T00:00:00Z"} | TERMS | changes

    answer = house.send("create", EXAMPLE, body=body, **ADVERTISER)

    assert answer.status == 400
    assert answer.fields == [field]
    assert house.aws.items(TABLE) == []


@pytest.mark.parametrize("currency", ["usd", "XAU", "XXX", "ZZZ", "US"])
def test_an_unknown_currency_is_refused(house: House, currency: str) -> None:
    answer = house.send("create", EXAMPLE, body={"ends_at": "2026-12-20T00:00:00Z"} | TERMS | {"currency": currency})

    assert answer.status == 400


def test_a_create_with_a_key_makes_one_draft(house: House) -> None:
    body = {"ends_at": "2026-12-20T00:00:00Z"} | TERMS

    first, again = (house.send("create", EXAMPLE, body=body, key="c1", **ADVERTISER) for _ in range(2))

    assert first.body == again.body
    assert first.status == again.status == 201
    assert len([each for each in house.aws.items(TABLE) if each["part"] == "campaign"]) == 1


def test_milestones_are_the_deployments_below_the_target_unless_given(house: House) -> None:
    assert house.did("get", house.draft(target_impressions=101, budget=20_000, milestones=None))["milestones"] == [
        50,
        100,
    ]
    assert house.did("get", house.draft(target_impressions=101, budget=20_000, milestones=[7, 5, 7]))["milestones"] == [
        5,
        7,
    ]


# --- Joining: pay and key are set aside in that moment


def test_the_budget_takes_as_many_as_it_can_pay_and_no_more(house: House) -> None:
    """What is promised is set aside; the next streamer is refused before working."""
    campaign_id = house.campaign(budget=1_000)
    answers = [house.send("join", campaign_id, body={}, subject=f"s{number}", role="user") for number in range(10)]

    assert [answer.status for answer in answers[:2]] == [201, 201]
    assert {answer.refusal[1] for answer in answers[2:]} == {"budget_exhausted"}
    assert house.money(campaign_id) == {"funded": 1_000, "remaining": 10, "reserved": 990, "paid": 0, "refunded": 0}


def test_of_ten_who_join_at_once_one_gets_the_last_of_the_budget(house: House) -> None:
    """Azuriom/Plugin-Shop #285, saleor #13640: ten read a budget for one, before any of them commits."""
    campaign_id = house.campaign(budget=500)
    answers: list[Answer] = []

    def join(number: int) -> None:
        answers.append(house.send("join", campaign_id, body={}, subject=f"s{number}", role="user"))

    with before_the_first("TransactWriteItems", lambda: [join(number) for number in range(1, 10)]):
        join(0)

    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    assert {answer.refusal[1] for answer in answers if answer.status == 409} == {"budget_exhausted"}
    assert house.money(campaign_id) == {"funded": 500, "remaining": 5, "reserved": 495, "paid": 0, "refunded": 0}


def test_a_streamer_who_joins_twice_takes_part_once(house: House) -> None:
    campaign_id, found = house.taking_part()

    again = house.send("join", campaign_id, body={}, subject="nina", role="user")

    assert again.body["id"] == found
    assert house.money(campaign_id)["reserved"] == 495


def test_only_a_campaign_that_runs_is_joined(house: House) -> None:
    campaign_id = house.campaign()
    house.did("pause", campaign_id)

    assert house.send("join", campaign_id, body={}, subject="nina", role="user").refusal[1] == "campaign_not_running"
    house.did("resume", campaign_id)
    house.on(NOON + timedelta(days=30))
    assert house.send("join", campaign_id, body={}, subject="nina", role="user").refusal[1] == "campaign_not_running"


@pytest.mark.parametrize("part", ["", "zz", "participation#", "participation#" + "a" * 65, "participation#\x00"])
def test_a_place_outside_of_the_list_of_streamers_is_refused(house: House, part: str) -> None:
    """DynamoDB would refuse it with an error."""
    cursor = http.cursor_of(StreamerPlace(part))

    answer = house.send("participations", house.campaign(), query={"cursor": cursor}, **ADVERTISER)

    assert answer.refusal[0] == 400
    assert answer.fields == ["cursor"]


@pytest.mark.parametrize("subject", ["auth0|1", "nina@example.org", "a:b", "x" * 65, "nina#1"])
def test_a_subject_that_is_no_name_cannot_join(house: House, subject: str) -> None:
    answer = house.send("join", house.campaign(), body={}, subject=subject, role="user")

    assert answer.refusal[:2] == (400, "streamer_id_invalid")


def test_a_service_joins_for_a_streamer_and_a_user_does_not(house: House) -> None:
    campaign_id, body = house.campaign(), {"streamer_id": "omar"}

    assert house.send("join", campaign_id, body=body, subject="nina", role="user").status == 400
    assert house.send("join", campaign_id, body=body, subject="svc", role="service").body["streamer"] == "omar"


STOPPED = (409, "platform_stopped", "The platform is stopped: repeat this once it is resumed")


def test_nobody_joins_while_the_platform_is_stopped(house: House) -> None:
    campaign_id = house.campaign()
    house.turn("stop")

    assert house.send("join", campaign_id, body={}, subject="nina", role="user").refusal == STOPPED
    house.turn("resume")
    assert house.send("join", campaign_id, body={}, subject="nina", role="user").status == 201


def test_who_takes_part_already_is_told_so_while_the_platform_is_stopped(house: House) -> None:
    campaign_id, _ = house.taking_part()
    house.turn("stop")

    assert house.send("join", campaign_id, body={}, subject="nina", role="user").status == 201


def test_no_campaign_starts_while_the_platform_is_stopped(house: House) -> None:
    campaign_id = house.draft()
    house.deposit(10_000)
    house.turn("stop")

    assert house.send("start", campaign_id, **ADVERTISER).refusal == STOPPED
    house.turn("resume")
    assert house.send("start", campaign_id, **ADVERTISER).status == 200


def test_no_rejection_is_approved_while_the_platform_is_stopped(house: House) -> None:
    campaign_id, found = house.taking_part(hold_hours=24)
    house.reach(found)
    reason = {"reason": "Bought views"}
    house.turn("stop")

    proposed = house.send("reject", campaign_id, body=reason, **ADVERTISER)
    approved = house.send("reject", campaign_id, body=reason, subject="ada", role="admin")

    assert (proposed.status, approved.refusal) == (200, STOPPED)


def test_no_claim_back_is_approved_while_the_platform_is_stopped(house: House) -> None:
    campaign_id, _ = house.claimed_back()
    house.turn("stop")

    assert house.send("approverefund", campaign_id, subject="bob").refusal == STOPPED


def test_a_start_that_was_committed_before_the_stop_is_told_to_who_asks_again(house: House) -> None:
    campaign_id = house.draft()
    house.deposit(10_000)
    first = house.send("start", campaign_id, request_id="start-1", **ADVERTISER)
    house.turn("stop")

    again = house.send("start", campaign_id, request_id="start-1", **ADVERTISER)

    assert (first.status, again.status, again.body["status"]) == (200, 200, "running")


# --- G-Keys


def test_a_key_is_promised_at_the_join_and_unlocked_with_the_pay(house: House) -> None:
    """S3-9; easy-digital-downloads #1175: each streamer has a key of their own, and reads no other."""
    campaign_id = house.campaign(gkeys="required")
    loaded = house.keys(campaign_id, "AAAA-1", "BBBB-2", "AAAA-1").body
    found = house.join(campaign_id)
    locked = house.send("gkey", campaign_id, subject="nina", role="user")

    house.reach(found)

    assert loaded == {"loaded": 2, "free": 2, "doubles": 1}
    assert locked.refusal[:2] == (409, "gkey_locked")
    assert house.send("gkey", campaign_id, subject="nina", role="user").body == {"key": "AAAA-1"}
    for subject, role in (("omar", "user"), ("acme", "user"), ("ada", "admin")):
        assert house.send("gkey", campaign_id, subject=subject, role=role).status == 404
    assert [event["streamer"] for event in house.events("KeyUnlocked")] == ["nina"]


def test_no_secret_of_a_key_leaves_its_item(house: House) -> None:
    campaign_id = house.campaign(gkeys="required")
    house.keys(campaign_id, "SECRET-KEY-1", key="k1")
    house.reach(house.join(campaign_id))

    for table in ("OutboxTable", "AuditTable", "RequestsTable", "LedgerTable"):
        assert "SECRET-KEY-1" not in str(house.aws.items(table))


def test_no_two_get_the_same_key_and_none_gets_anothers(
    house: House, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """easy-digital-downloads #1175, Deazl/pr0keys #48: three join at once, and complete at once."""
    campaign_id = house.campaign(gkeys="required")
    house.keys(campaign_id, "SECRET-1", "SECRET-2", "SECRET-3", key="k1")
    log_lines()

    def others_join() -> None:
        house.join(campaign_id, "omar")
        house.join(campaign_id, "pia")

    with before_the_first("TransactWriteItems", others_join):
        house.join(campaign_id, "nina")
    found = [f"{campaign_id}:{streamer}" for streamer in ("nina", "omar", "pia")]
    for each in found:
        house.see(each, range(3))
    with before_the_first("TransactWriteItems", lambda: [house.ask(each) for each in found[1:]]):
        house.ask(found[0])
    house.work()

    read = {
        (of, by): house.send("gkey", campaign_id, of, subject=by, role="user", key=f"{of}-{by}")
        for of in ("nina", "omar", "pia")
        for by in ("nina", "omar", "pia")
    }
    own = [answer.body["key"] for (of, by), answer in read.items() if of == by]
    assert sorted(own) == ["SECRET-1", "SECRET-2", "SECRET-3"]
    assert {answer.status for (of, by), answer in read.items() if of != by} == {404}
    assert house.key_states(campaign_id) == {f"key#00000{number}": "unlocked" for number in (1, 2, 3)}
    assert "SECRET" not in str(log_lines())
    for table in ("OutboxTable", "AuditTable", "RequestsTable", "LedgerTable"):
        assert "SECRET" not in str(house.aws.items(table))


def test_as_many_keys_as_a_call_takes_fit_into_its_transaction(house: House) -> None:
    """DynamoDB takes 100 actions, and a key is two of them."""
    campaign_id = house.campaign(gkeys="required")

    loaded = house.keys(campaign_id, *(f"KEY-{number}" for number in range(45)), key="k1")

    assert loaded.body == {"loaded": 45, "free": 45, "doubles": 0}


def test_the_last_tenth_of_the_keys_is_an_alarm(house: House, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    campaign_id = house.campaign(gkeys="required", budget=99_999)
    house.keys(campaign_id, *(f"KEY-{number}" for number in range(20)))
    log_lines()

    left = []
    for number in range(20):
        house.join(campaign_id, f"s{number}")
        left += [line["left"] for line in log_lines() if line["message"] == "Keys low"]

    assert left == [2, 1, 0]


def test_without_a_key_left_nobody_joins(house: House) -> None:
    campaign_id = house.campaign(gkeys="required")
    house.keys(campaign_id, "AAAA-1")
    house.join(campaign_id)

    refused = house.send("join", campaign_id, body={}, subject="omar", role="user")

    assert refused.refusal[:2] == (409, "keys_exhausted")
    assert house.money(campaign_id)["reserved"] == 495


def test_the_key_of_a_streamer_who_leaves_goes_to_the_next(house: House) -> None:
    campaign_id = house.campaign(gkeys="required")
    house.keys(campaign_id, "AAAA-1")
    house.join(campaign_id)
    house.did("leave", campaign_id, subject="nina")
    house.work()

    house.reach(house.join(campaign_id, "omar"))

    assert house.key_states(campaign_id) == {"key#000001": "moved", "key#000002": "unlocked"}
    assert house.send("gkey", campaign_id, "omar", subject="omar", role="user").body == {"key": "AAAA-1"}
    assert house.send("gkey", campaign_id, subject="nina", role="user").status == 409


@pytest.mark.parametrize("keys", [[], ["x"] * 46, [""], ["a\nb"], [7]])
def test_keys_that_are_none_are_refused(house: House, keys: list[Any]) -> None:
    assert house.keys(house.campaign(gkeys="required"), *keys).status == 400


def test_a_campaign_that_promises_no_keys_takes_none(house: House) -> None:
    assert house.keys(house.campaign(), "AAAA-1").refusal[:2] == (409, "campaign_has_no_keys")


# --- Ends


def test_at_its_end_a_campaign_closes_by_itself_from_paused_too(house: House) -> None:
    campaign_id, found = house.taking_part()
    house.see(found, range(2))
    house.did("pause", campaign_id)
    house.on(NOON + timedelta(days=31))

    house.sweep()
    house.work()

    assert house.did("get", campaign_id)["status"] == "closed"
    assert house.get(found)["status"] == "expired"
    assert house.money(campaign_id)["refunded"] == 10_000


def test_the_last_second_counts_at_the_end(house: House) -> None:
    """The tallies are closed and the rows counted before anything is decided, so no check is needed."""
    campaign_id, found = house.taking_part()
    house.see(found, range(3))

    house.did("close", campaign_id)
    house.work()

    assert house.get(found) | {"status": "completed", "why": "end", "paid": 495} == house.get(found)


def test_pro_rata_pays_what_was_seen_at_the_end_and_nothing_to_who_left(house: House) -> None:
    campaign_id, nina = house.taking_part(at_end="pro_rata")
    omar = house.join(campaign_id, "omar")
    house.see(nina, range(2))
    house.see(omar, range(2))
    house.did("leave", campaign_id, subject="omar")
    house.work()

    house.did("close", campaign_id)
    house.work()

    assert (house.wallet("nina"), house.wallet("omar")) == (330, 0)
    assert [house.get(each)["status"] for each in (nina, omar)] == ["expired", "expired"]
    assert house.money(campaign_id) == {"funded": 10_000, "remaining": 0, "reserved": 0, "paid": 330, "refunded": 9_670}
    assert [event["paid"] for event in house.events("ParticipationExpired") if event.get("paid")] == [330]


def test_after_the_close_nothing_is_counted_any_more(house: House) -> None:
    campaign_id, found = house.taking_part()
    house.did("close", campaign_id)
    house.work()

    with pytest.raises(Exception, match="TransactionCanceled"):
        house.see(found, [1])


def test_the_salt_of_a_closed_campaign_is_forgotten_after_thirty_days(house: House) -> None:
    campaign_id, _ = house.taking_part()
    house.did("close", campaign_id)
    house.work()
    salt_at_the_close = house.item(campaign_id)["viewer_salt"]
    house.on(datetime.now(UTC) + timedelta(days=30, minutes=1))

    house.sweep()
    house.work()

    assert salt_at_the_close
    assert "viewer_salt" not in house.item(campaign_id)


def test_what_is_held_keeps_the_campaign_closing(house: House) -> None:
    campaign_id, found = house.taking_part(hold_hours=24)
    house.reach(found)
    house.did("close", campaign_id)
    house.work()
    held = house.did("get", campaign_id)["status"], house.money(campaign_id)["reserved"]

    house.on(NOON + timedelta(hours=48))
    house.sweep()
    house.work()
    house.on(NOON + timedelta(hours=60))
    house.sweep()
    house.work()

    assert held == ("closing", 495)
    assert house.get(found)["status"] == "completed"
    assert house.did("get", campaign_id)["status"] == "closed"


# --- Holds, caps, voids and claims back


def test_pay_that_is_held_is_rejected_by_two_people(house: House) -> None:
    campaign_id, found = house.taking_part(hold_hours=24)
    house.reach(found)
    reason = {"reason": "Bought views"}
    assert house.get(found)["status"] == "held"

    proposed = house.send("reject", campaign_id, body=reason, **ADVERTISER)
    own = house.send("reject", campaign_id, body=reason, **ADVERTISER)
    low = house.send("reject", campaign_id, body=reason, subject="olga", role="operator")
    rejected = house.send("reject", campaign_id, body=reason, subject="ada", role="admin")

    assert proposed.body["rejection_by"] == "acme"
    assert own.refusal[1] == "own_proposal"
    assert low.status == 403
    assert rejected.body["status"] == "rejected"
    assert house.money(campaign_id) == {"funded": 10_000, "remaining": 10_000, "reserved": 0, "paid": 0, "refunded": 0}
    house.on(NOON + timedelta(hours=25))
    house.sweep()
    house.work()
    assert house.wallet() == 0


def test_a_rejection_that_was_proposed_before_it_settled_again_is_void(house: House) -> None:
    """An admin alone does not reject what two people granted since. And in review nobody gets tokens."""
    campaign_id, found = house.taking_part(hold_hours=1)
    house.see(found, range(3))
    assert house.ask(found)
    part = next(each["part"] for each in house.aws.items(TABLE) if each["id"].startswith(f"imp#{found}#"))
    house.delete(impressions.row_id(found, part), part)
    house.work_due()
    wanted = {"streamer_id": "nina", "viewers": ["viewer 1"]}
    refused = house.send("tokens", campaign_id, body=wanted, subject="page", role="service")
    house.did("reject", campaign_id, body={"reason": "Bots"})
    house.decide("approve", found, house.propose(found, 1).body["number"], "ada")

    house.did("settle", campaign_id, subject="ada", role="admin")
    house.work_due()
    again = house.send("reject", campaign_id, body={"reason": "Bots"}, subject="ada")

    assert refused.refusal[:2] == (409, "not_participating")
    assert (again.body["status"], again.body["rejection_by"]) == ("held", "ada")


def test_what_a_streamer_may_earn_a_day_is_paid_on_the_next(house: House) -> None:
    house.aws.choose(MaxDailyEarnings="500")
    first, second = (house.join(house.campaign()) for _ in range(2))

    house.reach(first)
    house.reach(second)
    waiting = house.get(second)
    house.on(NOON + timedelta(days=1))
    house.sweep()
    house.work()

    assert (waiting["status"], waiting["waiting_for"], waiting["paid"]) == ("settling", "daily_cap", 0)
    assert house.get(second)["status"] == "completed"
    assert house.wallet() == 990


def test_what_a_streamer_earns_in_one_currency_leaves_the_cap_of_another_alone(house: House) -> None:
    """495 cents and 495 yen are no 990 of anything."""
    house.aws.choose(MaxDailyEarnings="500")
    dollars, yen = house.joined(), house.joined(currency="JPY", rate="165")

    house.reach(dollars)
    house.reach(yen)

    assert [house.get(each)["status"] for each in (dollars, yen)] == ["completed", "completed"]
    assert (house.wallet(), house.wallet(currency="JPY")) == (495, 495)


def test_a_cap_that_was_lowered_below_the_pay_does_not_hold_it_back_for_ever(house: House) -> None:
    """It is the only pay of its day."""
    first, second = (house.join(house.campaign()) for _ in range(2))
    house.aws.choose(MaxDailyEarnings="100")

    house.reach(first)
    house.reach(second)
    waiting = house.get(second)
    house.on(NOON + timedelta(days=1))
    house.sweep()
    house.work()

    assert (house.get(first)["status"], waiting["waiting_for"]) == ("completed", "daily_cap")
    assert house.get(second)["status"] == "completed"


def test_a_campaign_that_pays_more_than_the_cap_is_refused_at_its_creation(house: House) -> None:
    house.aws.choose(MaxDailyEarnings="494")

    answer = house.send("create", EXAMPLE, body={"ends_at": "2026-12-20T00:00:00Z"} | TERMS, **ADVERTISER)

    assert answer.status == 400
    assert answer.fields == ["rate"]


def test_voided_impressions_count_for_nothing_and_their_viewers_never_again(house: House) -> None:
    campaign_id, found = house.taking_part()
    house.see(found, range(3))
    parts = [each["part"] for each in house.aws.items(TABLE) if each["id"].startswith(f"imp#{found}#")]
    body = {"viewers": parts[:1], "reason": "A bot"}

    voided = house.send("void", campaign_id, body=body, key="v1", **ADVERTISER)
    again = house.send("void", campaign_id, body=body, key="v1", **ADVERTISER)
    twice = house.send("void", campaign_id, body=body, **ADVERTISER)

    assert voided.body["impressions"] == again.body["impressions"] == 2
    assert twice.status == 400
    assert house.tallied(found) == 2
    house.ask(found)
    house.work()
    assert house.get(found)["status"] == "active"
    with pytest.raises(Exception, match="TransactionCanceled"):
        house.see(found, range(3))


def test_as_many_viewers_as_a_call_voids_fit_into_its_transaction_whatever_tallies_have_them(house: House) -> None:
    """DynamoDB takes 100 actions: a row and a tally for each viewer."""
    campaign_id, found = house.taking_part(target_impressions=30)
    house.hand(found, shards=32)
    for number in range(25):
        house.see(found, [number], k=number)
    parts = [each["part"] for each in house.aws.items(TABLE) if each["id"].startswith(f"imp#{found}#")]

    voided = house.send("void", campaign_id, body={"viewers": parts, "reason": "A farm"}, key="v1", **ADVERTISER)

    assert voided.body["impressions"] == 0
    assert house.tallied(found) == 0


def test_a_refund_takes_back_what_was_paid_once_by_two_admins(house: House) -> None:
    """blnk #152: each proposal is paid back once, and the budget still adds up."""
    campaign_id, found = house.taking_part()
    house.reach(found)
    body = {"amount": 400, "reason": "Fraud"}

    keyless = house.send("refund", campaign_id, body=body, subject="ada")
    proposed = house.send("refund", campaign_id, body=body, subject="ada", key="r1")
    own = house.send("approverefund", campaign_id, subject="ada")
    paid = [house.send("approverefund", campaign_id, subject="bob", key=key) for key in ("a1", "a1", "a2", None)]
    too_much = house.send("refund", campaign_id, body={"amount": 96, "reason": "More"}, subject="ada", key="r2")

    assert keyless.status == 400
    assert proposed.body == {"number": 1, "amount": 400, "reason": "Fraud", "proposer": "ada", "approver": None}
    assert own.refusal[1] == "own_proposal"
    assert [answer.status for answer in paid] == [200, 200, 409, 409]
    assert paid[0].body["approver"] == "bob"
    assert too_much.refusal[1] == "amount_too_high"
    assert house.wallet() == 95
    assert house.money(campaign_id) == {"funded": 10_000, "remaining": 9_905, "reserved": 0, "paid": 95, "refunded": 0}


def test_a_refund_of_a_closed_campaign_is_whole_too(house: House) -> None:
    """It goes to the advertiser: to the campaign it stays paid."""
    campaign_id, _ = house.claimed_back()
    house.did("close", campaign_id)
    house.work()

    house.did("approverefund", campaign_id, subject="bob", role="admin")

    assert (house.wallet(), house.wallet("acme")) == (0, 10_000)
    assert house.did("verify", campaign_id)["valid"] is True
    assert house.did("verifyparticipation", campaign_id)["valid"] is True


@pytest.mark.parametrize("withdrawn", [400, 495])
def test_a_refund_of_what_was_withdrawn_is_refused_and_takes_nothing(house: House, withdrawn: int) -> None:
    """polar #4428: a wallet never goes below zero, and the next campaign pays in full."""
    campaign_id, found = house.taking_part()
    house.reach(found)
    body = {"amount": withdrawn, "currency": "USD", "reference": "bank"}
    house.done("wallets/api-withdraw", ("/nina", "/nina"), body=body, key="w1", status=201)
    house.send("refund", campaign_id, body={"reason": "Fraud"}, subject="ada", key="r1")

    refused = house.send("approverefund", campaign_id, subject="bob")
    left = house.wallet()
    house.reach(house.join(house.campaign()))

    assert refused.refusal[:2] == (409, "insufficient_funds")
    assert left == 495 - withdrawn
    assert house.money(campaign_id)["paid"] == 495
    assert house.wallet() == left + 495


def test_a_refund_that_two_approve_at_once_is_paid_back_once(house: House) -> None:
    """blnk #152."""
    campaign_id, _ = house.claimed_back()
    answers: list[Answer] = []

    def approve(subject: str) -> None:
        answers.append(house.send("approverefund", campaign_id, subject=subject, key=f"by-{subject}"))

    with before_the_first("TransactWriteItems", lambda: approve("bob")):
        approve("cleo")

    assert [answer.status for answer in answers] == [200, 409]
    assert house.wallet() == 0
    assert house.money(campaign_id) == {"funded": 10_000, "remaining": 10_000, "reserved": 0, "paid": 0, "refunded": 0}


def test_a_full_refund_leaves_the_books_whole(house: House) -> None:
    """OwnPay #179: reconciliation must not fail for ever after it."""
    campaign_id, _ = house.claimed_back()
    house.did("approverefund", campaign_id, subject="bob", role="admin")

    run = house.sweep_all(deep=True)

    assert (run["status"], run["problems"]) == ("checked", [])
    assert house.status()["conservation"]["ok"] is True
    assert house.money(campaign_id)["remaining"] == 10_000
    assert house.did("verify", campaign_id)["valid"] is True
    assert house.did("verifyparticipation", campaign_id)["valid"] is True


def test_what_is_claimed_back_while_its_campaign_closes_goes_to_the_advertiser(house: House) -> None:
    """The campaign was read as closing, and is closed before the money comes back: it has no budget any more."""
    campaign_id, _ = house.claimed_back()
    house.did("close", campaign_id)

    with before_the_first("BatchGetItem", house.work, "budget#"):
        house.did("approverefund", campaign_id, subject="bob", role="admin")

    assert house.did("get", campaign_id)["status"] == "closed"
    assert house.money(campaign_id)["remaining"] == 0
    assert house.wallet("acme") == 10_000


@pytest.mark.parametrize(("budget", "call", "where"), [(10_000, "BatchGetItem", "wallet#USD#acme"), (495, *CLOSED)])
def test_a_campaign_closes_with_what_came_back_a_moment_before(
    house: House, budget: int, call: str, where: str
) -> None:
    """The refund was computed, of something or of nothing, when a claim back comes to the budget."""
    campaign_id, _ = house.claimed_back(budget=budget)
    house.did("close", campaign_id)
    step = house.steps(STEPS)[-1]

    def claim_back() -> None:
        house.did("approverefund", campaign_id, subject="bob", role="admin")

    with before_the_first(call, claim_back, where):
        house.hand_over("sponsorships/worker-steps", step)
    house.hand_over("sponsorships/worker-steps", step)

    assert house.did("get", campaign_id)["status"] == "closed"
    assert house.money(campaign_id)["remaining"] == 0
    assert house.wallet("acme") == budget


def test_a_participation_that_a_hand_set_back_is_not_paid_again(house: House) -> None:
    """The ledger has its entry: paid, whatever the document says."""
    campaign_id = house.campaign(gkeys="required")
    house.keys(campaign_id, "AAAA-1")
    found = house.join(campaign_id)
    house.reach(found)
    step = int(house.item(found)["step"])
    house.hand(found, status="settling", step=step + 1, wake_at="2026-11-20T12:00:00.000000+0000", paid=0)

    assert house.hand_over("sponsorships/worker-steps", {"campaign_id": found, "step": step + 1})

    assert house.wallet() == 495
    assert house.get(found)["status"] == "completed"
    assert len(house.pays()) == 1


def test_impressions_that_a_hand_granted_pay_nothing(house: House) -> None:
    """Only what two people approved is granted: the document is not believed (decision 26)."""
    campaign_id, found = house.taking_part(at_end="pro_rata")
    house.see(found, [1])
    house.hand(found, granted=2)

    house.ask(found)
    house.sweep_all()
    seen = house.get(found)["status"]
    house.did("close", campaign_id)
    house.work()

    assert seen == "active"
    assert (house.get(found)["status"], house.wallet()) == ("expired", 165)


def test_an_edit_of_what_settles_is_noted_before_it_is_decided(house: House) -> None:
    campaign_id, found = house.taking_part()
    house.see(found, range(3))
    house.did("leave", campaign_id, subject="nina")
    house.hand(found, impressions=9_000, earnings=1)

    house.work()

    (adjustment,) = house.adjustments(found)
    assert (adjustment["found_by"], adjustment["delta"], adjustment["after"]) == (
        "worker",
        8_997,
        {"impressions": 9_000, "earnings": 1},
    )
    after = house.get(found)
    assert (after["status"], after["impressions"], after["earnings"]) == ("completed", 3, 495)
    assert house.wallet() == 495


def test_an_edit_in_the_moment_of_the_decision_is_noted_before_it(house: House) -> None:
    """The step has read the document, and the transaction that pays would overwrite the edit."""
    campaign_id, found = house.taking_part()
    house.see(found, range(3))
    house.did("leave", campaign_id, subject="nina")

    with before_the_first("TransactWriteItems", lambda: house.hand(found, clicks=7), "PARTICIPATION_COMPLETED"):
        house.work()

    (adjustment,) = house.adjustments(found)
    assert (adjustment["found_by"], adjustment["delta"], adjustment["after"]) == ("worker", 0, {"clicks": 7})
    assert (house.get(found)["status"], house.get(found)["clicks"], house.wallet()) == ("completed", 0, 495)


def test_a_participation_that_was_released_is_not_paid_from_what_others_have(house: House) -> None:
    """A hand sets a participation back, and two people grant what it lacks: nothing is set aside for it any more."""
    campaign_id = house.campaign(budget=1_000, gkeys="required")
    house.keys(campaign_id, "AAAA-1", "BBBB-2")
    nina, tom = house.join(campaign_id), house.join(campaign_id, "tom")
    house.did("leave", campaign_id, subject="nina")
    house.work()
    house.hand(nina, status="review")
    number = house.propose(nina, 3).body["number"]
    house.decide("approve", nina, number, "ada")

    house.did("settle", campaign_id, subject="ada", role="admin")
    house.work()
    house.reach(tom)

    assert (house.get(nina)["status"], house.get(nina)["paid"], house.wallet()) == ("expired", 0, 0)
    assert (house.get(tom)["status"], house.wallet("tom")) == ("completed", 495)
    states = house.key_states(campaign_id)
    assert states == {"key#000001": "moved", "key#000002": "unlocked", "key#000003": "free"}


def test_what_was_paid_is_not_released_too(house: House) -> None:
    """A hand sets a participation back to held, and two people reject it: what is set aside is others'."""
    campaign_id = house.campaign(budget=1_000)
    nina, _ = house.join(campaign_id), house.join(campaign_id, "tom")
    house.reach(nina)
    house.hand(nina, status="held")
    house.did("reject", campaign_id, body={"reason": "Bots"})

    refused = house.send("reject", campaign_id, body={"reason": "Bots"})
    house.work()

    assert refused.refusal[:2] == (409, "participation_cannot_be_rejected")
    assert (house.get(nina)["status"], house.get(nina)["paid"]) == ("completed", 495)
    assert house.money(campaign_id)["reserved"] == 495


def test_the_rate_that_counts_is_the_one_of_the_join(house: House) -> None:
    """An edit of the campaign pays nothing: the ledger has the terms."""
    campaign_id, found = house.taking_part()
    house.hand(campaign_id, rate="99", pay=29_700, target_impressions=1)

    house.see(found, range(2))
    house.ask(found)
    house.work()
    early = house.wallet()
    house.see(found, [2])
    house.ask(found)
    house.work()

    assert early == 0
    assert house.wallet() == 495


# --- One table is restored, and the other is not


def test_a_start_that_only_the_ledger_knows_is_refused_by_the_name_of_its_entry(house: House) -> None:
    house.deposit(20_000)
    campaign_id = house.draft()
    restore = house.backup()
    house.did("start", campaign_id)
    restore()

    refused = house.send("start", campaign_id, body={}, **ADVERTISER)

    assert refused.refusal[:2] == (409, "ledger_is_ahead")
    assert f"fund#{campaign_id}" in refused.refusal[2]
    assert "restore both to the same moment" in refused.refusal[2]
    assert house.wallet("acme") == 10_000


def test_a_join_that_only_the_ledger_knows_is_refused_by_the_name_of_its_entry(house: House) -> None:
    campaign_id = house.campaign()
    restore = house.backup()
    found = house.join(campaign_id)
    restore()

    refused = house.send("join", campaign_id, body={}, subject="nina", role="user")
    other = house.join(campaign_id, "tom")

    assert refused.refusal[:2] == (409, "ledger_is_ahead")
    assert f"rsv#{found}" in refused.refusal[2]
    assert house.get(other)["status"] == "active"


def test_a_claim_back_that_only_the_ledger_knows_is_refused_by_the_name_of_its_entry(house: House) -> None:
    house.reach(house.joined())
    campaign_id, found = house.claimed_back()
    restore = house.backup()
    house.did("approverefund", campaign_id, subject="bob", role="admin")
    restore()

    refused = house.send("approverefund", campaign_id, body={}, subject="bob", role="admin")

    assert refused.refusal[:2] == (409, "ledger_is_ahead")
    assert f"clw#{found}#1" in refused.refusal[2]
    assert house.wallet() == 495


def test_a_join_that_another_commits_first_is_no_restore(house: House) -> None:
    """The entry is in the ledger, and the participation beside it: the second request returns it."""
    campaign_id = house.campaign()

    with before_the_first("TransactWriteItems", lambda: house.join(campaign_id), "rsv#"):
        answer = house.send("join", campaign_id, body={}, subject="nina", role="user")

    assert answer.status < 300
    assert house.money(campaign_id)["reserved"] == 495


def test_a_closing_with_money_set_aside_for_nobody_waits_and_says_so(
    house: House, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    campaign_id = house.campaign()
    before = house.backup()
    house.join(campaign_id)
    together = house.backup()
    before()
    house.did("close", campaign_id)

    house.work_due()
    waiting = house.did("get", campaign_id)["status"]
    lines = [each for each in log_lines() if each["message"] == "Reserved for nobody"]
    together()
    house.did("close", campaign_id)
    house.work()

    assert waiting == "closing"
    assert [(each["campaign_id"], each["amount"]) for each in lines] == [(campaign_id, 495)]
    assert house.did("get", campaign_id)["status"] == "closed"
    assert house.wallet("acme") == 10_000


def test_a_participation_whose_join_the_ledger_lost_goes_to_review_until_it_is_back(
    house: House, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    campaign_id = house.campaign()
    before = house.backup("LedgerTable")
    found = house.join(campaign_id)
    together = house.backup("LedgerTable")
    house.see(found, range(3))
    house.did("leave", campaign_id, subject="nina")
    before()

    house.work()
    seen = house.get(found)["status"]
    lines = [each["message"] for each in log_lines()]
    together()
    house.did("settle", campaign_id, subject="ada", role="admin")
    house.work()

    assert seen == "review"
    assert {"The ledger has no entry of its join", "Participation in review"} <= {*lines}
    assert (house.get(found)["status"], house.wallet()) == ("completed", 495)


def test_a_close_whose_refund_the_ledger_has_already_goes_to_the_dead_letters(house: House) -> None:
    """While there is money in the budget, which a claim back brought."""
    campaign_id, _ = house.claimed_back()
    restore = house.backup()
    house.did("close", campaign_id)
    house.work()
    restore()
    house.did("approverefund", campaign_id, subject="bob", role="admin")
    house.did("close", campaign_id)
    before = house.wallet("acme")

    steps = [house.hand_over("sponsorships/worker-steps", step) for step in house.steps(STEPS)]

    assert steps == [False]
    assert house.did("get", campaign_id)["status"] == "closing"
    assert house.wallet("acme") == before


# --- What is counted


def test_what_is_shown_beyond_the_target_is_overshoot_and_earns_nothing(house: House) -> None:
    """revive-adserver #306: a limit of 10 impressions, 70 shown, and -60 that remain."""
    campaign_id, found = house.taking_part(target_impressions=10, budget=1_650)
    tokens = house.tokens(found, range(70))

    first = house.recorded(found, tokens[:50])
    house.settle()
    late = house.recorded(found, tokens[50:])

    assert all(each["counted"] for each in first)
    assert [each["reason"] for each in late] == ["target_reached"] * 20
    shown, stated = house.get(found), house.did("statement", found)
    assert (shown["status"], shown["impressions"], shown["earnings"], shown["paid"]) == ("completed", 50, 1_650, 1_650)
    assert (stated["impressions"], stated["overshoot"], stated["pay"]["amount"]) == (50, 40, 1_650)
    assert house.money(campaign_id) == {"funded": 1_650, "remaining": 0, "reserved": 0, "paid": 1_650, "refunded": 0}
    assert house.wallet() == 1_650


@pytest.mark.parametrize(
    ("command", "reason"), [("pause", "campaign_paused"), ("close", "campaign_ended"), ("", "target_reached")]
)
def test_a_token_of_a_running_campaign_counts_nothing_when_it_runs_no_more(
    house: House, command: str, reason: str
) -> None:
    """revive-adserver #838: the beacon that counts for campaigns that are paused, over or complete."""
    campaign_id, found = house.taking_part()
    first, late = house.tokens(found, range(2))
    house.recorded(found, [first])  # this environment has read the campaign now

    if command:
        house.did(command, campaign_id)
        house.work()
    else:
        house.see(found, range(2))
        house.ask(found)
        house.work()
    house.clock.shift(timedelta(seconds=6))
    before = house.tallied(found)
    (answer,) = house.recorded(found, [late])

    assert (answer["counted"], answer["reason"]) == (False, reason)
    assert house.tallied(found) == before


# --- Tokens for a service's viewers


def test_a_service_gets_tokens_for_viewers_that_it_names(house: House) -> None:
    campaign_id, found = house.taking_part()
    body = {"streamer_id": "nina", "viewers": ["v1", "v2"]}

    made = house.send("tokens", campaign_id, body=body, subject="svc", role="service").body["tokens"]

    salt = house.item(campaign_id)["viewer_salt"]
    opened = [impressions.opened(each["token"], KEYS) for each in made]
    assert [each["viewer_id"] for each in made] == ["v1", "v2"]
    assert {each.participation for each in opened} == {found}
    assert [each.viewer for each in opened] == [impressions.named_by("svc", salt, viewer) for viewer in ("v1", "v2")]
    assert {each.by for each in opened} == {"service:svc"}
    assert (made[0]["usable_at"], made[0]["expires_at"]) == (
        "2026-11-20T12:00:05.000000Z",
        "2026-11-20T12:10:00.000000Z",
    )


def test_tokens_are_for_services_and_for_those_who_take_part(house: House) -> None:
    campaign_id, _ = house.taking_part()
    nobody = {"streamer_id": "omar", "viewers": ["v1"]}

    assert house.send("tokens", campaign_id, body=nobody | {"streamer_id": "nina"}, **ADVERTISER).status == 403
    refused = house.send("tokens", campaign_id, body=nobody, subject="svc", role="service")
    assert refused.refusal[:2] == (409, "not_participating")
    many = {"streamer_id": "nina", "viewers": [str(number) for number in range(101)]}
    assert house.send("tokens", campaign_id, body=many, subject="svc", role="service").status == 400


def test_a_streamer_sees_where_they_take_part(house: House) -> None:
    first, second = (house.join(house.campaign()) for _ in range(2))

    mine = house.send("mine", EXAMPLE, subject="nina", role="user").body["items"]

    assert sorted(each["id"] for each in mine) == sorted([first, second])
    assert house.send("participation", first, subject="nina", role="user").status == 200
    assert house.send("participation", first, subject="omar", role="user").status == 404


# --- Boosted views never count


def test_fifteen_thousand_boosted_views_are_no_impression_and_pay_nothing(house: House) -> None:
    """By type, by permission (tests/template) and here: whatever else is counted, only rows are."""
    campaign_id, found = house.taking_part()
    for key in ("boosted#video#nina", "organic#video#nina", f"boosted#video#{found}"):
        item = {"key": {"S": key}, "views": {"N": "15000"}}
        house.aws.client("dynamodb").put_item(TableName=house.aws.ref("TotalsTable"), Item=item)

    house.sweep_all(deep=True)

    shown = house.get(found)
    assert (shown["impressions"], shown["earnings"], shown["status"]) == (0, 0, "active")
    assert house.money(campaign_id)["paid"] == 0
    assert house.send("verify", found, subject="olga", role="operator").body["valid"] is True


def test_a_list_of_participations_has_live_numbers_and_may_be_empty(house: House) -> None:
    campaign_id = house.campaign()
    nobody = house.send("participations", campaign_id, **ADVERTISER).body["items"]
    for number, streamer in enumerate(("nina", "omar"), 1):
        house.see(house.join(campaign_id, streamer), range(number))

    listed = house.send("participations", campaign_id, **ADVERTISER).body["items"]

    assert nobody == []
    assert [(each["streamer"], each["impressions"], each["earnings"]) for each in listed] == [
        ("nina", 1, 165),
        ("omar", 2, 330),
    ]
