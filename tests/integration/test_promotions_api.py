"""Promotions over HTTP, from a draft to a claim: what is answered, what is refused, and what is kept."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from unittest.mock import patch

import pytest
import time_machine

from promotions import api
from promotions.networks.sandbox import SandboxPublisher
from promotions.ports import Account as NetworkAccount
from sluice.answers import AnswerItem, last, note
from sluice.dynamodb import bound_to
from sluice.errors import Unavailable
from sluice.outward import CannotTell
from tests.account import Account
from tests.factories import NOON
from tests.integration.agency import EXAMPLE, LINK, PNG, TERMS, Agency
from tests.integration.harness import Functions


@pytest.fixture
def agency(aws: Account, functions: Functions) -> Iterator[Agency]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Agency(aws, functions, clock)


# --- Drafts


def test_a_draft_is_created_changed_listed_and_deleted(agency: Agency) -> None:
    made = agency.draft(auto_close=[{"metric": "likes", "at_least": 100}])

    changed = agency.told("edit", made, body={"title": "Spring", "weights": {"like": 5}})
    listed = agency.told("list")["items"]
    deleted = agency.told("delete", made)

    assert (changed["title"], changed["weights"]["like"], changed["texts"]) == ("Spring", 5, TERMS["texts"])
    assert (changed["status"], changed["owner"], changed["exponent"]) == ("CampaignDraft", "acme", 2)
    assert changed["auto_close"] == [{"metric": "likes", "at_least": 100}]
    assert changed["money"] == dict.fromkeys(("funded", "remaining", "reserved", "paid", "refunded"), 0)
    assert [each["id"] for each in listed] == [made]
    assert deleted["id"] == made
    assert agency.ask("get", made).refusal[:2] == (404, "campaign_not_found")
    assert agency.told("list")["items"] == []
    assert agency.actions(made) == ["PROMOTION_CREATED", "PROMOTION_EDITED", "PROMOTION_DELETED"]
    assert agency.verified(made)["valid"]


def test_the_triggers_of_a_draft_are_changed(agency: Agency) -> None:
    made = agency.draft(auto_close=[{"metric": "likes", "at_least": 100}])

    changed = agency.told("edit", made, body={"auto_close": [{"metric": "reposts", "at_least": 5}]})

    assert changed["auto_close"] == [{"metric": "reposts", "at_least": 5}]
    assert agency.told("get", made)["auto_close"] == [{"metric": "reposts", "at_least": 5}]


def test_a_deletion_is_repeated_with_its_key(agency: Agency) -> None:
    made = agency.draft()

    first, again = (agency.ask("delete", made, key="delete-1") for _ in range(2))

    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"


NAMED = [
    ({"title": "x" * 121}, "title", "invalid"),
    ({"title": "two\nlines"}, "title", "invalid"),
    ({"budget": 10.5}, "budget", "invalid"),
    ({"budget": "100"}, "budget", "invalid"),
    ({"budget": 0}, "budget", "invalid"),
    ({"budget": 10**15 + 1}, "budget", "invalid"),
    ({"currency": "XAU"}, "currency", "currency_unknown"),
    ({"duration_minutes": 0}, "duration_minutes", "invalid"),
    ({"duration_minutes": 525_601}, "duration_minutes", "invalid"),
    ({"texts": ["one"]}, "texts", "invalid"),
    ({"texts": ["one", "bell\a"]}, "texts.1", "invalid"),
    ({"texts": ["one", " \u200b"]}, "texts.1", "invalid"),
    ({"network": "myspace"}, "network", "network_unknown"),
    ({"media": ["med_01KAJ3W5V0SM0FKVYVXB9EQT6N"] * 2}, "media", "invalid"),
    ({"media": ["../secret"]}, "media.0", "invalid"),
    ({"weights": {"like": 0, "repost": 0, "quote": 0, "reply": 0}}, "weights", "invalid"),
    ({"weights": {"like": -1}}, "weights.like", "invalid"),
    ({"auto_close": [{"metric": "views", "at_least": 1}]}, "auto_close.0.metric", "invalid"),
    ({"claim_window_hours": 721}, "claim_window_hours", "invalid"),
    ({"status": "CampaignRunning"}, "status", "invalid"),
]


@pytest.mark.parametrize(("terms", "field", "code"), NAMED)
def test_what_is_wrong_with_terms_is_named(agency: Agency, terms: dict[str, Any], field: str, code: str) -> None:
    answer = agency.ask("create", body=TERMS | terms)

    assert (answer.status, answer.body["code"], answer.fields) == (400, code, [field])
    assert agency.aws.items("PromotionsTable") == []


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [({}, "body", "name at least one field to change"), ({"title": None}, "title", "title must not be null")],
)
def test_a_change_of_nothing_is_refused(agency: Agency, body: dict[str, Any], field: str, message: str) -> None:
    made = agency.draft()

    answer = agency.ask("edit", made, body=body)

    assert (answer.refusal, answer.fields) == ((400, "invalid", message), [field])


def test_rewards_are_refused_where_the_network_forbids_them(agency: Agency) -> None:
    """Decision 38."""
    answer = agency.ask("create", body=TERMS | {"network": "x"})

    assert answer.refusal[:2] == (409, "rewards_not_allowed_on_network")
    assert agency.ask("create", body=TERMS | {"network": "x", "type": "awareness"}).status == 201


OF_ONE = [
    "get", "edit", "delete", "publish", "operations", "operation", "cancel", "close", "resume", "upload", "engaged",
    "rewards", "statement", "statementexport", "verify", "events",
]  # fmt: skip


@pytest.mark.parametrize("name", OF_ONE)
def test_what_is_someone_elses_is_not_found(agency: Agency, name: str) -> None:
    made = agency.draft()
    before = agency.item(made)

    answer = agency.ask(name, made, subject="eve")

    assert answer.refusal[:2] == (404, "campaign_not_found")
    assert agency.ask(name, "prm_nothing", subject="eve").status == 404
    assert agency.item(made) == before


@pytest.mark.parametrize(
    "name", ["abandon", "resolve", "exception", "judge", "takeback", "setaccount", "setengagement"]
)
def test_what_operators_do_is_not_for_owners(agency: Agency, name: str) -> None:
    made = agency.draft()

    assert agency.ask(name, made).refusal[:2] == (403, "forbidden")


def test_an_operator_sees_all(agency: Agency) -> None:
    made = agency.draft()

    assert agency.operator("get", made).body["owner"] == "acme"
    assert [each["id"] for each in agency.operator("list").body["items"]] == [made]
    assert agency.operator("list", query={"mine": "true"}).body["items"] == []
    assert agency.operator("list", query={"network": "x"}).body["items"] == []
    assert agency.operator("list", query={"error": "true"}).body["items"] == []


# --- Publishing


def test_a_dry_run_says_what_a_publish_would_do_and_changes_nothing(agency: Agency) -> None:
    made = agency.draft(texts=["Look at this", "Look at this"])
    before = agency.item(made)

    told = agency.told("publish", made, query={"dry_run": "true"})

    assert [each["field"] for each in told["problems"]] == ["network", "texts.1", "texts.0", "budget"]
    assert (told["budget"], told["wallet"], told["network_cost_usd"]) == (10_000, 0, "0.000")
    assert told["texts"][0].startswith("Look at this sl-")
    assert agency.item(made) == before
    assert agency.posts() == []


def test_a_dry_run_names_all_that_a_publish_would_be_refused_for(agency: Agency) -> None:
    made = agency.ready()
    picture = agency.upload(made, b"no picture at all")
    agency.told("edit", made, body={"media": [picture]})
    body = {"eligible": False, "reason": "It is banned"}
    account = agency.told("connection")["account_id"]
    agency.operator("judge", EXAMPLE, ("/acc0123", f"/{account}"), body=body)
    agency.functions.environment["MIN_PROMOTION_BUDGET"] = "10001"
    api.services.cache_clear()

    problems = agency.told("publish", made, query={"dry_run": "true"})["problems"]

    assert [each["field"] for each in problems] == ["network", "budget", "media"]
    assert "may not publish" in problems[0]["message"]
    assert "at least 10001" in problems[1]["message"]
    assert "declared type" in problems[2]["message"]
    assert agency.kept() == []


def test_a_dry_run_of_a_promotion_that_runs_says_that_it_is_no_draft(agency: Agency) -> None:
    made = agency.running()
    agency.deposit(10_000)

    (problem,) = agency.told("publish", made, query={"dry_run": "true"})["problems"]

    assert problem == {"field": "status", "message": "Only a draft can be published"}


def test_a_dry_run_says_what_the_network_takes(agency: Agency) -> None:
    terms = {"network": "x", "type": "awareness", "texts": ["Look at this #ad", "All of it: example.com"]}
    made = agency.draft(**terms)

    told = agency.told("publish", made, query={"dry_run": "true"})

    assert told["network_cost_usd"] == "0.215"


def test_a_publish_answers_at_once_and_the_operation_shows_every_stage(agency: Agency) -> None:
    """S4-2, S4-3, S4-4, S4-5, S4-7, S4-9, S4-17, S4-20."""
    made = agency.ready()

    answer = agency.ask("publish", made, key="publish-1")
    again = agency.ask("publish", made, key="publish-1")
    at_once = agency.posts()
    agency.work()

    location = f"/v2/campaigns/{made}/operations/1"
    assert (answer.status, answer.body["status"], answer.headers["Location"]) == (202, "CampaignPending", location)
    assert answer.body["operation"]["stages"][0]["stage"] == "first_post"
    assert answer.body["money"]["remaining"] == 10_000
    assert (again.status, again.body, again.headers["Location"]) == (202, answer.body, location)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert at_once == []
    operation = agency.told("operation", made)
    stages = [(each["stage"], each["attempts"], bool(each["result"])) for each in operation["stages"]]
    assert stages == [("first_post", 1, True), ("contract", 1, True), ("second_post", 1, True)]
    assert (operation["state"], agency.told("operations", made)["items"]) == ("done", [operation])
    found = agency.get(made)
    assert (found["status"], found["contract_id"], found["contract_status"]) == (
        "CampaignRunning",
        f"fund#{made}#1",
        "active",
    )
    first, second = sorted(agency.posts(), key=lambda each: "reply_to" in each)
    assert (first["id"], second["id"]) == (f"sandbox#{found['tweet_id']}", f"sandbox#{found['last_thread_tweet_id']}")
    assert second["reply_to"] == found["tweet_id"]
    assert agency.events() == [
        "PromotionCreated",
        "CAMPAIGN_PUBLISH_CONTENT",
        "CAMPAIGN_PUBLISH_DO_SM_TRANSACTION",
        "CAMPAIGN_PUBLISH_SECOND_CONTENT",
        "PromotionStarted",
    ]
    assert agency.actions(made) == [
        "PROMOTION_CREATED",
        "PROMOTION_PUBLISHED",
        "PROMOTION_POSTING",
        "PROMOTION_FIRST_POST",
        "PROMOTION_CONTRACT",
        "PROMOTION_POSTING",
        "PROMOTION_STARTED",
    ]
    assert agency.wallet() == 0
    assert agency.told("verify", made)["valid"]


REFUSED: list[tuple[dict[str, Any], tuple[int, str], str]] = [
    ({"texts": ["#ad " + "x" * 500, "two"]}, (400, "text_too_long"), "texts.0"),
    ({"texts": ["Same #ad", "Same #ad"]}, (400, "texts_equal"), "texts.1"),
    ({"texts": ["Same #ad", " Same\n #ad "]}, (400, "texts_equal"), "texts.1"),
    ({"texts": ["Same e\u0301 #ad", "Sam\u200be \u00e9 #ad"]}, (400, "texts_equal"), "texts.1"),
    ({"texts": ["No word of it", "two"]}, (400, "disclosure_missing"), "texts.0"),
    ({"media": ["med_01KAJ3W5V0SM0FKVYVXB9EQT6N"]}, (409, "media_missing"), ""),
]


@pytest.mark.parametrize(("terms", "refusal", "field"), REFUSED)
def test_what_stands_against_a_publish_is_named_and_nothing_happens(
    agency: Agency, terms: dict[str, Any], refusal: tuple[int, str], field: str
) -> None:
    made = agency.ready(**terms)

    answer = agency.ask("publish", made)

    assert (answer.status, answer.body["code"]) == refusal
    assert answer.fields == ([field] if field else [])
    assert (agency.get(made)["status"], agency.wallet(), agency.posts()) == ("CampaignDraft", 10_000, [])


def test_nothing_is_published_while_the_platform_is_stopped(agency: Agency) -> None:
    made = agency.ready()
    agency.turn("stop")

    refused = agency.ask("publish", made, key="publish-1")
    agency.turn("resume")
    published = agency.ask("publish", made, key="publish-1")

    message = "The platform is stopped: repeat this once it is resumed"
    assert refused.refusal == (409, "platform_stopped", message)
    assert published.status == 202


def test_a_publish_needs_a_connection_and_the_money(agency: Agency) -> None:
    made = agency.draft()
    unconnected = agency.ask("publish", made)
    agency.connect()
    agency.deposit(9_999)

    answer = agency.ask("publish", made)

    assert unconnected.refusal[:2] == (409, "not_connected")
    assert answer.refusal[:2] == (409, "insufficient_funds")
    assert "99.99 USD" in answer.body["message"]
    assert "100.00 USD" in answer.body["message"]
    assert agency.wallet() == 9_999


def test_a_title_that_the_escrow_refuses_brings_everything_back(agency: Agency) -> None:
    """Decision 32."""
    made = agency.published(title="Winter [escrow:refused]")

    agency.work()

    assert (agency.get(made)["status"], agency.posts(), agency.wallet()) == ("CampaignDraft", [], 10_000)
    assert agency.told("operation", made)["state"] == "rolled_back"
    agency.told("edit", made, body={"title": "Winter"})
    again = agency.ask("publish", made)
    agency.work()
    assert again.headers["Location"].endswith("/operations/2")
    assert (agency.get(made)["status"], len(agency.posts())) == ("CampaignRunning", 2)


@pytest.mark.parametrize("switch", ["[sandbox:lost]", "[sandbox:hidden]", "[sandbox:429]"])
def test_a_publish_whose_answers_are_lost_posts_twice_and_no_more(agency: Agency, switch: str) -> None:
    """Decision 31: one first post, and one second post."""
    made = agency.published(texts=[f"Look {switch} #ad", f"All {switch}"], title="Winter [escrow:lost]")

    agency.work()

    assert (agency.get(made)["status"], len(agency.posts())) == ("CampaignRunning", 2)


def test_health_shows_how_old_the_oldest_unknown_call_is(agency: Agency) -> None:
    """S4-21."""
    agency.published(texts=["Look [sandbox:lost] #ad", "All of it"])
    (step,) = agency.steps("PromotionsQueue")
    before = agency.health()
    assert agency.hand_over("promotions/worker-steps", step)
    agency.clock.shift(timedelta(seconds=5))

    unknown = agency.health()
    agency.work()

    ages = [each["oldest_unknown_of_promotions_seconds"] for each in (before, unknown, agency.health())]
    assert ages == [None, pytest.approx(5), None]


def test_health_shows_what_the_escrow_answered_last(agency: Agency) -> None:
    """S4-21: the contract network."""
    before = agency.health()
    agency.published(title="Winter [escrow:refused]")
    agency.work()

    refused = agency.health()
    agency.running(title="Summer [escrow:lost]")

    (answer,) = refused["last_answers_to_promotions"]
    assert before["last_answers_to_promotions"] == []
    assert (answer["of"], answer["answer"], answer["reason"]) == ("escrow", "Refused", "The title asks for it")
    assert answer["at"].startswith("2026-")
    (found,) = agency.health()["last_answers_to_promotions"]
    assert (found["answer"], found["reason"]) == ("Found", None)


def test_an_answer_counts_though_health_cannot_keep_it(agency: Agency) -> None:
    """Else a call that succeeded would be unknown, because of a row that nobody needs."""
    made = agency.published()
    with patch("sluice.answers.update_if", side_effect=Unavailable("DynamoDB throttles")):
        agency.work()

    assert agency.get(made)["status"] == "CampaignRunning"
    assert [each["attempts"] for each in agency.told("operation", made)["stages"]] == [1, 1, 1]
    assert agency.health()["last_answers_to_promotions"] == []


def test_a_late_worker_does_not_hide_a_later_answer(agency: Agency) -> None:
    agency.running()
    items, answered_at = bound_to(AnswerItem, agency.aws.ref("PromotionsTable")), datetime.now(UTC)

    note(items, "escrow", CannotTell("It is late"), answered_at - timedelta(hours=1))

    assert [each.answer for each in last(items)] == ["Done"]


def test_a_cancel_undoes_what_was_posted_and_gives_the_money_back(agency: Agency) -> None:
    made = agency.published()
    (step,) = agency.steps("PromotionsQueue")
    assert agency.hand_over("promotions/worker-steps", step)
    assert len(agency.posts()) == 1

    answer = agency.ask("cancel", made)
    agency.work()

    assert (answer.status, answer.body["cancel_requested_at"] is not None) == (202, True)
    assert (agency.get(made)["status"], agency.posts(), agency.wallet()) == ("CampaignDraft", [], 10_000)
    assert agency.ask("cancel", made).refusal[:2] == (409, "campaign_cannot_be_cancelled")


def test_a_refused_token_halts_and_a_new_one_goes_on(agency: Agency) -> None:
    """trypost#29: a refused token is shown as an unknown error."""
    made = agency.published(texts=["Look #ad", "All of it [sandbox:expired]"])

    agency.work()
    halted, connection = agency.get(made), agency.told("connection")
    agency.connect()
    resumed = agency.ask("resume", made)
    agency.work()

    assert (halted["error"]["reason"], halted["error"]["stage"]) == ("not_connected", "second_post")
    assert [each["id"] for each in agency.operator("list", query={"error": "true"}).body["items"]] == []
    assert connection["is_revoked"]
    assert (resumed.status, resumed.body["error"]) == (202, None)
    assert (agency.get(made)["status"], len(agency.posts())) == ("CampaignRunning", 2)


def test_an_operator_gives_up_what_has_halted(agency: Agency) -> None:
    made = agency.published(texts=["Look #ad", "All of it [sandbox:refused]"])
    agency.work()

    listed = agency.operator("list", query={"error": "true"}).body["items"]
    health = agency.health()
    answer = agency.operator("abandon", made, body={"reason": "The account is gone"})
    agency.work()

    assert [each["id"] for each in listed] == [made]
    assert health["halted_promotions"] == 1
    assert health["problems"] == ["Promotions have halted: see PromotionsHaltedAlarm in docs/operations.md"]
    assert agency.health()["halted_promotions"] == 0
    assert answer.status == 202
    assert (agency.get(made)["status"], len(agency.posts()), agency.wallet()) == ("CampaignDraft", 1, 10_000)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("cancel", "campaign_cannot_be_cancelled"),
        ("close", "campaign_cannot_be_closed"),
        ("resume", "campaign_cannot_be_resumed"),
    ],
)
def test_a_draft_cannot_be_commanded(agency: Agency, name: str, code: str) -> None:
    made = agency.draft()

    assert agency.ask(name, made).refusal[:2] == (409, code)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": "sent"}, "result"),
        ({"outcome": "not_sent", "result": "1", "reason": "I did not"}, "result"),
        ({"outcome": "perhaps", "reason": "Who knows"}, "outcome"),
        ({"reason": None}, "reason"),
        ({"outcome": "sent", "result": "1/../2", "reason": "It goes into a path"}, "result"),
        ({"attempt_id": ""}, "attempt_id"),
        ({"attempt_id": None}, "attempt_id"),
    ],
)
def test_a_resolution_says_what_happened(agency: Agency, body: dict[str, Any], field: str) -> None:
    made = agency.draft()
    good = {"attempt_id": "01KAJ3W5", "outcome": "not_sent", "reason": "It is not there"}
    bad = {name: value for name, value in (good | body).items() if value is not None}

    refused = agency.operator("resolve", made, body=bad)

    assert (refused.status, refused.fields) == (400, [field])
    assert agency.operator("resolve", made, body=good).refusal[:2] == (409, "nothing_to_resolve")


def test_an_operation_goes_90_days_after_the_close_or_after_its_rollback(agency: Agency) -> None:
    """S4-23."""
    made = agency.published(title="Winter [escrow:refused]")
    at_first = _expiry(agency, made, 1)
    agency.work()
    agency.told("edit", made, body={"title": "Winter"})
    agency.ask("publish", made)
    agency.work()

    rolled_back = datetime.fromisoformat(agency.told("operations", made)["items"][0]["ended_at"])
    closes_at = datetime.fromisoformat(agency.get(made)["campaign_close_time"])
    assert at_first is None
    assert _expiry(agency, made, 1) == int((rolled_back + timedelta(days=90)).timestamp())
    assert _expiry(agency, made, 2) == int((closes_at + timedelta(days=90)).timestamp())


def _expiry(agency: Agency, made: str, number: int) -> int | None:
    items = {(each["id"], each["part"]): each for each in agency.aws.items("PromotionsTable")}
    found: int | None = items[made, f"operation#{number:04d}"].get("expires_at")
    return found


# --- Media


def test_a_picture_is_posted_as_it_was_checked(agency: Agency) -> None:
    made = agency.ready()
    picture = agency.upload(made)
    agency.told("edit", made, body={"media": [picture]})

    agency.told("publish", made, status=202)
    agency.aws.client("s3").put_object(
        Bucket="promotionsmediabucket", Key=f"pending/{made}/{picture}", Body=b"<script>", ContentType="text/html"
    )
    agency.work()

    (posted,) = [each for each in agency.posts() if "reply_to" not in each]
    assert json.loads(posted["media"]) == ["image/png"]
    kept = agency.aws.client("s3").list_objects_v2(Bucket="promotionsmediabucket", Prefix=f"media/{made}/")["Contents"]
    body = agency.aws.client("s3").get_object(Bucket="promotionsmediabucket", Key=kept[0]["Key"])["Body"].read()
    assert (len(kept), body) == (1, PNG)


def test_a_file_that_is_not_what_it_is_said_to_be_is_not_published(agency: Agency) -> None:
    made = agency.ready()
    picture = agency.upload(made, b"<svg onload=alert(1)>")
    agency.told("edit", made, body={"media": [picture]})

    answer = agency.ask("publish", made)

    assert (answer.refusal[:2], answer.fields) == ((400, "media_type"), ["media"])
    assert agency.wallet() == 10_000


def test_the_form_of_an_upload_binds_type_and_size(agency: Agency) -> None:
    made = agency.draft()

    told = agency.told("upload", made, body={"type": "image/png", "bytes": 4_000}, status=201)

    policy = json.loads(b64decode(told["fields"]["policy"]))
    assert ["content-length-range", 1, 4_000] in policy["conditions"]
    assert {"Content-Type": "image/png"} in policy["conditions"]
    assert {"key": f"pending/{made}/{told['media_id']}"} in policy["conditions"]


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"type": "text/html", "bytes": 10}, "media_type", "type"),
        ({"type": "image/png", "bytes": 6 << 20}, "media_too_large", "bytes"),
        ({"type": "image/png", "bytes": 0}, "invalid", "bytes"),
    ],
)
def test_what_a_network_does_not_take_gets_no_form(agency: Agency, body: dict[str, Any], code: str, field: str) -> None:
    made = agency.draft()

    answer = agency.ask("upload", made, body=body)

    assert (answer.status, answer.body["code"], answer.fields) == (400, code, [field])


# --- Connections


def test_a_token_is_kept_where_nobody_reads_it(agency: Agency, log_lines: Callable[[], list[dict[str, Any]]]) -> None:
    secret = "s3cr3t-token-of-acme"
    # Of the sandbox the token is the account's name, which is shown.
    with patch.object(SandboxPublisher, "me", lambda _: NetworkAccount("1", "acme")):
        answer = agency.ask("connect", body={"token": secret}, key="connect-1")
        again = agency.ask("connect", body={"token": secret}, key="connect-1")

    shown = agency.ask("connection")
    tables = ("PromotionsTable", "RequestsTable", "AuditTable", "OutboxTable")
    kept = [answer.body, again.body, shown.body, log_lines(), *(agency.aws.items(each) for each in tables)]
    assert (answer.status, again.body, shown.body) == (200, answer.body, answer.body)
    assert secret not in json.dumps(kept, default=str)
    name = sha256(b"acme").hexdigest()[:32]
    assert agency.parameters() == [f"/sluice/connections/{name}/sandbox"]
    ssm = agency.aws.client("ssm")
    found = ssm.get_parameter(Name=agency.parameters()[0], WithDecryption=True)["Parameter"]
    assert found["Type"] == "SecureString"
    assert json.loads(found["Value"]) == {"host": "sandbox", "account_id": "1", "secret": secret}


@pytest.mark.parametrize(
    ("network", "token"),
    [
        ("x", "{"),
        ("x", '{"consumer_key": "a"}'),
        ("x", '{"consumer_key": 1, "consumer_secret": 2, "access_token": 3, "access_token_secret": 4}'),
        ("sandbox", "a" * 3000),
        ("sandbox", " "),
    ],
)
def test_what_is_no_token_of_its_network_is_rejected(agency: Agency, network: str, token: str) -> None:
    answer = agency.ask("connect", EXAMPLE, ("/sandbox", f"/{network}"), body={"token": token})

    assert (answer.refusal[:2], answer.fields) == ((400, "token_rejected"), ["token"])
    assert agency.parameters() == []


def test_a_connection_in_use_stays(agency: Agency) -> None:
    made = agency.running()

    gone, moved = agency.ask("disconnect"), agency.ask("connect", body={"token": "other"})
    same = agency.ask("connect", body={"token": "acme"})

    assert (gone.refusal[:2], moved.refusal[:2]) == ((409, "connection_in_use"), (409, "connection_in_use"))
    assert same.status == 200
    agency.told("close", made, status=202)
    agency.work()
    assert agency.told("disconnect")["network"] == "sandbox"
    assert agency.parameters() == []
    assert agency.ask("connection").refusal[:2] == (404, "connection_not_found")


def test_nothing_is_posted_by_another_account_than_the_one_that_was_published_with(agency: Agency) -> None:
    """A connection may change between the check of its change and a publish: a look by another account sees nothing."""
    made = agency.published()
    (name,) = agency.parameters()
    other = json.dumps({"host": "sandbox", "account_id": "another", "secret": "other"})
    agency.aws.client("ssm").put_parameter(Name=name, Value=other, Type="SecureString", Overwrite=True)

    agency.work()

    assert agency.posts() == []
    assert agency.get(made)["status"] == "CampaignDraft"
    assert agency.get(made)["operation"]["stages"][0]["reason"] == "not_connected"
    assert agency.wallet() == 10_000


@pytest.mark.parametrize(
    ("network", "body", "code"),
    [
        ("myspace", {"token": "a"}, "network_unknown"),
        ("mastodon", {"token": "a", "host": "169.254.169.254"}, "host_not_allowed"),
        ("mastodon", {"token": "a"}, "host_not_allowed"),
        ("sandbox", {"token": "a", "host": "elsewhere.example"}, "host_not_allowed"),
        ("sandbox", {"token": ""}, "invalid"),
        ("sandbox", {"token": "two\nlines"}, "invalid"),
    ],
)
def test_where_a_connection_may_lead_is_bounded(agency: Agency, network: str, body: dict[str, Any], code: str) -> None:
    answer = agency.ask("connect", EXAMPLE, ("/sandbox", f"/{network}"), body=body)

    assert (answer.status, answer.body["code"]) == (400, code)
    assert agency.parameters() == []


def test_networks_say_what_they_allow(agency: Agency) -> None:
    found = {each["network"]: each for each in agency.told("networks")["items"]}

    assert (found["x"]["rewards"], found["sandbox"]["rewards"], found["mastodon"]["hosts"]) == (False, True, [])


# --- Links and exceptions


def test_the_first_to_prove_an_account_has_it(agency: Agency) -> None:
    agency.link("nina")
    made = agency.told("ask", body={"network": "sandbox", "handle": "nina"}, subject="eve", status=201)
    agency.profile("nina", note=made["code"])

    answer = agency.ask("prove", EXAMPLE, (LINK, made["id"]), subject="eve")

    assert answer.refusal[:2] == (409, "account_linked")
    (mine,) = agency.told("links", subject="nina")["items"]
    assert (mine["state"], mine["handle"]) == ("proven", "nina")
    agency.told("unlink", EXAMPLE, (LINK, mine["id"]), subject="nina")
    assert agency.told("links", subject="nina")["items"] == []
    assert agency.told("prove", EXAMPLE, (LINK, made["id"]), subject="eve")["state"] == "proven"


def test_a_link_needs_its_code_in_the_profile(agency: Agency) -> None:
    made = agency.told("ask", body={"network": "sandbox", "handle": "nina"}, subject="nina", status=201)
    path = (LINK, made["id"])

    unknown = agency.ask("prove", EXAMPLE, path, subject="nina")
    agency.profile("nina", note="Nothing to see")
    without = agency.ask("prove", EXAMPLE, path, subject="nina")
    others = agency.ask("prove", EXAMPLE, path, subject="eve")
    agency.profile("nina", note=made["code"])
    agency.clock.shift(86_401)
    late = agency.ask("prove", EXAMPLE, path, subject="nina")

    assert unknown.refusal[:2] == (409, "account_not_found")
    assert without.refusal[:2] == (409, "code_not_found")
    assert others.refusal[:2] == (404, "link_not_found")
    assert late.refusal[:2] == (409, "link_expired")


def test_accounts_of_x_cannot_be_linked(agency: Agency) -> None:
    answer = agency.ask("ask", body={"network": "x", "handle": "nina"})

    assert answer.refusal[:2] == (409, "links_not_supported")


def test_links_are_bounded(agency: Agency) -> None:
    body = {"network": "sandbox", "handle": "nina"}
    for _ in range(20):
        agency.told("ask", body=body, status=201)

    assert agency.ask("ask", body=body).refusal[:2] == (409, "too_many_links")


def test_an_exception_is_audited_and_keeps_its_account_from_publishing(agency: Agency) -> None:
    made = agency.ready()
    account = agency.told("connection")["account_id"]
    path = (EXAMPLE, ("acc0123", account))

    set_, read = agency.operator("judge", *path), agency.operator("exception", *path)
    refused = agency.ask("publish", made)
    gone, missing = agency.operator("takeback", *path), agency.operator("exception", *path)

    assert (set_.status, read.body["eligible"], read.body["by"]) == (200, False, "olga")
    assert refused.refusal[:2] == (409, "not_eligible")
    assert (gone.status, missing.refusal[:2]) == (200, (404, "exception_not_found"))
    entity = f"exception:sandbox:{account}"
    assert agency.actions(entity) == ["EXCEPTION_MADE", "EXCEPTION_REMOVED"]
    assert agency.verified(entity)["valid"]
    assert agency.ask("publish", made).status == 202


# --- The close


def test_the_rows_hold_what_the_tables_of_the_source_do(agency: Agency) -> None:
    """S4-16: campaign_twittercard, eventOutBox, campaign_engagement, campaign_rewards, user_user with its history."""
    made = agency.running()
    agency.link("nina")
    agency.engage(agency.get(made)["tweet_id"], like=["nina"])
    agency.ask("close", made)
    agency.work()

    rows = {each["part"].partition("#")[0]: each for each in agency.aws.items("PromotionsTable") if each["id"] == made}
    event = agency.aws.items("OutboxTable")[0]
    assert rows["campaign"].keys() >= {
        "tweet_id",
        "contract_id",
        "contract_status",
        "last_thread_tweet_id",
        "campaign_start_time",
        "campaign_close_time",
    }
    assert rows["engagement"]["metrics"] == '{"likes": 1, "reposts": 0, "quotes": 0, "replies": 0}'
    assert (rows["participant"]["amount"], rows["participant"]["state"]) == (10_000, "paid")
    assert event.keys() >= {"name", "data", "created_at", "status"}
    assert (agency.wallet(), agency.wallet("nina")) == (0, 10_000)
    kinds = [each["kind"] for each in agency.told("statement", made)["items"]]
    assert kinds[0] == "fund"
    assert kinds[-1] == "pay"


def test_a_close_rewards_refunds_and_can_be_claimed(agency: Agency) -> None:
    """S4-13 to S4-15."""
    made = agency.running()
    found = agency.get(made)
    agency.link("nina")
    for handle in ("bob", "carl"):
        agency.profile(handle)
    agency.profile("robot", bot=True)
    agency.engage(found["tweet_id"], like=["nina", "bob", "carl", "robot"], repost=["nina"])

    answer = agency.ask("close", made)
    again = agency.ask("close", made)
    agency.work()

    assert (answer.status, answer.body["close_reason"], again.body["id"]) == (202, "owner", made)
    listed = {each["handle"]: each for each in agency.told("rewards", made)["items"]}
    assert listed["robot"]["reason"] == "bot"
    assert (listed["nina"]["state"], listed["bob"]["state"]) == ("paid", "claimable")
    assert sum(each["amount"] for each in listed.values()) == 10_000
    assert agency.wallet("nina") == listed["nina"]["amount"]
    (mine,) = agency.told("myrewards", subject="nina")["items"]
    assert (mine["campaign_id"], mine["state"], mine["amount"]) == (made, "paid", listed["nina"]["amount"])
    agency.link("bob")
    claims = [agency.told("claim", made, subject="bob") for _ in range(2)]
    assert claims[0] == claims[1]
    assert agency.wallet("bob") == listed["bob"]["amount"]
    assert agency.ask("claim", made, subject="eve").refusal[:2] == (404, "reward_not_found")
    engaged = agency.told("engaged", made)
    assert (engaged["final"], engaged["metrics"]["likes"], engaged["next_read_at"]) == (True, 4, None)
    assert agency.told("verify", made)["valid"]
    closed = agency.get(made)
    assert (closed["status"], closed["money"]["reserved"]) == ("CampaignClosed", listed["carl"]["amount"])


def test_a_statement_lists_every_movement_in_pages_and_as_csv(agency: Agency) -> None:
    made = agency.running()
    agency.told("close", made, status=202)
    agency.work()

    whole = agency.told("statement", made)
    first = agency.told("statement", made, query={"limit": "1"})
    second = agency.told("statement", made, query={"limit": "1", "cursor": first["next_cursor"]})
    csv = agency.ask("statementexport", made)

    assert [(each["kind"], each["amount"]) for each in whole["items"]] == [("fund", 10_000), ("refund", -10_000)]
    assert [*first["items"], *second["items"]] == whole["items"]
    assert csv.body.splitlines()[0] == "account,number,entry,kind,amount,after,at,against,shown"
    assert "'-10000" not in csv.body
    assert len(csv.body.splitlines()) == 3
    assert agency.wallet() == 10_000
    log = agency.told("events", made, query={"limit": "3"})
    rest = agency.told("events", made, query={"cursor": log["next_cursor"]})
    assert [each["action"] for each in [*log["items"], *rest["items"]]] == agency.actions(made)[::-1]


@pytest.mark.parametrize("name", ["list", "rewards", "statement", "events"])
def test_a_forged_cursor_is_refused(agency: Agency, name: str) -> None:
    made = agency.draft()

    assert agency.ask(name, made, query={"cursor": "eyJudW1iZXIiOi0xfQ"}).status == 400
