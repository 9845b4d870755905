"""Campaigns of bulk messages over HTTP: what is answered, what is refused, and what is kept."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from broadcasts import commands
from broadcasts.ports import MediaType, Message, Outcome
from broadcasts.providers.sandbox import Sandbox
from sluice.clock import rfc3339
from tests.account import Account
from tests.factories import NOON
from tests.integration.broadcasts_world import OPERATOR, OWNER, TEMPLATE, Broadcaster, people, phones
from tests.integration.console import before_the_first
from tests.integration.harness import Functions

MEDIA = "med_01KAJ3W5V0SM0FKVYVXB9EQT6N"


@pytest.fixture
def broadcaster(aws: Account, functions: Functions) -> Iterator[Broadcaster]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Broadcaster(aws, functions, clock)


def a_second_apart(broadcaster: Broadcaster, make: Callable[[], str], count: int) -> list[str]:
    """Campaigns whose order is that of their times."""
    made = []
    for _ in range(count):
        made.append(make())
        broadcaster.clock.shift(timedelta(seconds=1))
    return made


# --- The source's cases (S5-44)


def test_create_campaign(broadcaster: Broadcaster) -> None:
    """S5-44, S5-27, S5-12, S5-1, S5-25: Create Campaign."""
    instance = broadcaster.instance()

    made = broadcaster.told("create", body=broadcaster.body(3, instanceId=instance, rateLimit=10), status=201)

    assert made["id"].startswith("brd_")
    assert (made["name"], made["status"], made["userId"], made["instanceId"]) == ("Winter", "DRAFT", "acme", instance)
    assert (made["message"], made["rateLimit"], made["maxRetries"]) == ("Hello {{name}}!", 10, 3)
    assert (made["totalRecipients"], made["pendingCount"], made["sentCount"]) == (3, 3, 0)
    assert made["listReport"]["accepted"] == 3
    assert broadcaster.actions(made["id"]) == ["BROADCAST_CREATED"]


def test_get_campaign_by_id(broadcaster: Broadcaster) -> None:
    """S5-44, S5-30, S5-13: Get Campaign By ID."""
    made = broadcaster.campaign()

    found = broadcaster.get(made)

    assert (found["id"], found["totalRecipients"], found["message"]) == (made, 3, "Hello {{name}}!")


def test_list_campaigns(broadcaster: Broadcaster) -> None:
    """S5-44, S5-28, S5-14: List Campaigns."""
    made = a_second_apart(broadcaster, lambda: broadcaster.campaign(), 2)

    listed = broadcaster.told("page")

    assert [each["id"] for each in listed["items"]] == list(reversed(made))
    assert listed["nextCursor"] is None


def test_update_campaign(broadcaster: Broadcaster) -> None:
    """S5-44, S5-31, S5-8: Update Campaign."""
    made = broadcaster.campaign()

    changed = broadcaster.told("edit", made, body={"name": "Spring", "rateLimit": 20})

    assert (changed["name"], changed["rateLimit"], changed["message"]) == ("Spring", 20, "Hello {{name}}!")
    assert broadcaster.get(made)["name"] == "Spring"
    assert broadcaster.actions(made) == ["BROADCAST_CREATED", "BROADCAST_EDITED"]


def test_get_campaign_progress(broadcaster: Broadcaster) -> None:
    """S5-44, S5-34, S5-20: Get Campaign Progress."""
    made = broadcaster.campaign()

    found = broadcaster.progress(made)

    assert (found["campaignId"], found["status"], found["totalRecipients"]) == (made, "DRAFT", 3)
    assert (found["percent"], found["currentRate"], found["estimatedSecondsLeft"]) == (0, None, None)
    assert (found["inFlight"], found["waitingFor"], found["pauseReason"]) == (0, None, None)


def test_get_campaign_stats(broadcaster: Broadcaster) -> None:
    """S5-44, S5-29, S5-21: Get Campaign Stats."""
    broadcaster.campaign()
    broadcaster.start(broadcaster.campaign())

    found = broadcaster.told("stats")

    assert found == {
        "totalCampaigns": 2,
        "activeCampaigns": 1,
        "completedCampaigns": 0,
        "totalMessagesSent": 0,
        "averageDeliveryRate": None,
    }


def test_start_campaign(broadcaster: Broadcaster) -> None:
    """S5-44, S5-17: Start Campaign."""
    made = broadcaster.campaign()

    started = broadcaster.start(made)

    assert (started["status"], started["startedAt"]) == ("RUNNING", rfc3339(NOON))
    assert broadcaster.actions(made)[-1] == "BROADCAST_STARTED"


def test_pause_campaign(broadcaster: Broadcaster) -> None:
    """S5-44, S5-18: Pause Campaign."""
    made = broadcaster.running()

    paused = broadcaster.act("pause", made)

    assert (paused.status, paused.body["status"], paused.body["pauseReason"]) == (200, "PAUSED", "user")


def test_resume_campaign(broadcaster: Broadcaster) -> None:
    """S5-44, decision 43: Resume Campaign."""
    made = broadcaster.running()
    broadcaster.act("pause", made)
    broadcaster.work()

    resumed = broadcaster.act("resume", made)

    assert (resumed.status, resumed.body["status"], resumed.body["pauseReason"]) == (200, "RUNNING", None)
    assert broadcaster.actions(made)[-1] == "BROADCAST_RESUMED"


def test_campaign_completion_check(broadcaster: Broadcaster) -> None:
    """S5-44, S5-22, S5-37: Campaign Completion Check."""
    made = broadcaster.finished(3)

    found = broadcaster.progress(made)

    assert (found["status"], found["percent"], found["pendingCount"]) == ("COMPLETED", 100, 0)
    assert found["sentCount"] == 3
    assert broadcaster.told("stats")["totalMessagesSent"] == 3
    assert len(broadcaster.events("campaign:completed")) == 1


def test_create_campaign_with_template(broadcaster: Broadcaster) -> None:
    """S5-44: Create Campaign with Template."""
    template = broadcaster.template()

    made = broadcaster.told("create", body=broadcaster.body(2, message=None, templateId=template), status=201)

    assert (made["templateId"], made["templateVersion"]) == (template, 1)
    assert made["message"] == "Hello {{name}}, from a template"


def test_validation_empty_name(broadcaster: Broadcaster) -> None:
    """S5-44, S5-43: Validation - Empty Name."""
    refused = broadcaster.ask("create", body=broadcaster.body(name=""))

    assert (refused.status, refused.fields) == (400, ["name"])


@pytest.mark.parametrize("rate", [0, -1, 61, "10", 1.5])
def test_validation_invalid_rate_limit(broadcaster: Broadcaster, rate: Any) -> None:
    """S5-44, S5-43, S5-6: Validation - Invalid Rate Limit."""
    refused = broadcaster.ask("create", body=broadcaster.body(rateLimit=rate))

    assert (refused.status, refused.fields) == (400, ["rateLimit"])


# --- Creates and edits


def names_of(broadcaster: Broadcaster) -> list[str]:
    return [each["part"] for each in broadcaster.aws.items("BroadcastsTable") if each["id"].startswith("brd_")]


WRONG = [
    ({"name": "x" * 201}, "name"),
    ({"name": "two\nlines"}, "name"),
    ({"message": "x" * 4097}, "message"),
    ({"message": "Hello {{Name}}"}, "message"),
    ({"message": "   "}, "message"),
    ({"recipients": []}, "recipients"),
    ({"recipients": [{"phone": "+5511987654321"}]}, "recipients.0.phone"),
    ({"recipients": [{"phone": "123456789"}]}, "recipients.0.phone"),
    ({"recipients": [{"phone": "1234567890123456"}]}, "recipients.0.phone"),
    ({"recipients": [*people(2), {"phone": phones(3)[2]}]}, "recipients.2.variables.name"),
    (
        {"recipients": [*people(1), {"phone": phones(2)[1], "variables": {"name": "x" * 4095}}]},
        "recipients.1.variables",
    ),
    ({"recipients": people(1, Big="x")}, "recipients.0.variables"),
    ({"mediaUrl": "http://example.com/a.png", "mediaType": "image"}, "mediaUrl"),
    ({"mediaUrl": "ftp://x/y", "mediaType": "image"}, "mediaUrl"),
    ({"mediaUrl": "https://example.com/a.png"}, "mediaType"),
    ({"mediaId": MEDIA}, "mediaType"),
    ({"mediaId": MEDIA, "mediaUrl": "https://example.com/a.png", "mediaType": "image"}, "mediaId"),
    ({"mediaId": "med_1", "mediaType": "image"}, "mediaId"),
    ({"mediaUrl": "https://example.com/a.png", "mediaType": "song"}, "mediaType"),
    ({"scheduledFor": "2026-11-20T11:59:59Z"}, "scheduledFor"),
    ({"scheduledFor": "2026-11-21T12:00:00"}, "scheduledFor"),
    ({"timeZone": "Mars/Olympus"}, "timeZone"),
    ({"windows": [{"weekdays": ["mon"], "from": "9", "to": "18:00"}]}, "windows.0.from"),
    ({"budget": 0}, "budget"),
    ({"maxRetries": 11}, "maxRetries"),
    ({"colour": "red"}, "colour"),
    ({"instanceId": "ins_01KAJ3W5V0SM0FKVYVXB9EQT6N"}, "instanceId"),
    ({"templateId": "tpl_01KAJ3W5V0SM0FKVYVXB9EQT6N"}, "templateId"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG, ids=[f"{field}-{n}" for n, (_, field) in enumerate(WRONG)])
def test_a_wrong_field_is_named_and_nothing_is_saved(
    broadcaster: Broadcaster, wrong: dict[str, Any], field: str
) -> None:
    """S5-43, S5-6."""
    refused = broadcaster.ask("create", body=broadcaster.body() | wrong)

    assert (refused.status, refused.fields) == (400, [field])
    assert names_of(broadcaster) == []


def test_a_file_that_was_uploaded_is_what_the_provider_reads(
    broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `POST /api/media` to the link in the message, which is signed at the call."""
    form = broadcaster.done(
        "broadcasts/lists/api-upload",
        body={"contentType": "image/png", "bytes": 3},
        status=201,
        subject=OWNER,
        role="user",
    )
    bucket = broadcaster.aws.ref("BroadcastsBucket")
    broadcaster.aws.client("s3").put_object(Bucket=bucket, Key=form["fields"]["key"], Body=b"PNG")
    made = broadcaster.campaign(1, mediaId=form["mediaId"], mediaType="image")
    sent: list[Message] = []
    real = Sandbox.send

    def send(sandbox: Sandbox, message: Message, attempt: str, deadline: float) -> Outcome:
        sent.append(message)
        return real(sandbox, message, attempt, deadline)

    monkeypatch.setattr(Sandbox, "send", send)
    broadcaster.start(made)
    broadcaster.work(until=lambda: broadcaster.get(made)["status"] == "COMPLETED")

    (message,) = sent
    assert message.media
    assert message.media.type is MediaType.IMAGE
    url = urlsplit(message.media.url)
    assert (url.scheme, url.path.rpartition("/")[2]) == ("https", form["mediaId"])
    assert url.path.endswith(form["fields"]["key"])
    assert parse_qs(url.query)["X-Amz-Expires"] == ["3600"]
    assert broadcaster.get(made)["mediaId"] == form["mediaId"]


def test_a_file_takes_the_place_of_an_url_and_the_other_way_round(broadcaster: Broadcaster) -> None:
    url = "https://example.com/a.png"
    made = broadcaster.campaign(mediaUrl=url, mediaType="image")

    by_id = broadcaster.told("edit", made, body={"mediaId": MEDIA})
    by_url = broadcaster.told("edit", made, body={"mediaUrl": url})

    assert (by_id["mediaUrl"], by_id["mediaId"], by_id["mediaType"]) == (None, MEDIA, "image")
    assert (by_url["mediaUrl"], by_url["mediaId"]) == (url, None)


def test_more_than_ten_thousand_recipients_are_refused(broadcaster: Broadcaster) -> None:
    """S5-6, S5-43."""
    refused = broadcaster.ask("create", body=broadcaster.body([{"phone": each} for each in phones(10_001)]))

    assert (refused.status, refused.fields) == (400, ["recipients"])
    assert names_of(broadcaster) == []


def test_a_body_over_4_mib_is_refused_and_the_file_import_is_named(broadcaster: Broadcaster) -> None:
    refused = broadcaster.ask("create", body=broadcaster.body() | {"message": "x" * (4 * 1024 * 1024)})

    assert refused.refusal[:2] == (413, "too_large")
    assert "/recipients/import" in refused.refusal[2]


def test_a_body_of_ten_thousand_recipients_is_accepted(broadcaster: Broadcaster) -> None:
    """S5-6: up to 10,000."""
    made = broadcaster.told("create", body=broadcaster.body(10_000), status=201)

    assert (made["totalRecipients"], made["pendingCount"]) == (10_000, 10_000)


def test_a_rate_above_the_instances_is_refused(broadcaster: Broadcaster) -> None:
    """S5-56, decision 40."""
    instance = broadcaster.instance(rateLimit=20)

    refused = broadcaster.ask("create", body=broadcaster.body(instanceId=instance, rateLimit=21))

    assert (refused.status, refused.fields) == (400, ["rateLimit"])


def test_without_a_rate_it_is_the_instances(broadcaster: Broadcaster) -> None:
    instance = broadcaster.instance(rateLimit=20)

    made = broadcaster.told("create", body=broadcaster.body(instanceId=instance, rateLimit=None), status=201)

    assert made["rateLimit"] == 20


def test_an_instance_and_a_template_of_others_are_as_absent(broadcaster: Broadcaster) -> None:
    """S5-42, S5-3."""
    instance, template = broadcaster.instance(subject="bob"), broadcaster.template(subject="bob")

    by_instance = broadcaster.ask("create", body=broadcaster.body(instanceId=instance))
    by_template = broadcaster.ask("create", body=broadcaster.body(templateId=template))

    assert (by_instance.status, by_instance.body["code"]) == (400, "instance_not_found")
    assert (by_template.status, by_template.body["code"]) == (400, "template_not_found")


@pytest.mark.parametrize("key", [None, "create-1"])
@pytest.mark.parametrize("kind", ["instance", "template"])
def test_a_campaign_is_not_created_by_what_is_deleted_in_the_same_moment(
    broadcaster: Broadcaster, kind: str, key: str | None
) -> None:
    """The create has read it before the deletion, whose own check has seen no campaign."""
    made = {"instance": broadcaster.instance(), "template": broadcaster.template()}
    body = broadcaster.body(instanceId=made["instance"], templateId=made["template"], message=None)

    with before_the_first("transact_write_items", lambda: broadcaster.lets_go(kind, made[kind])):
        answer = broadcaster.ask("create", body=body, key=key)

    assert (answer.status, answer.body["code"]) == (400, f"{kind}_not_found")
    assert broadcaster.told("page")["items"] == []


@pytest.mark.parametrize("kind", ["instance", "template"])
def test_a_campaign_is_not_moved_to_what_is_deleted_in_the_same_moment(broadcaster: Broadcaster, kind: str) -> None:
    campaign = broadcaster.campaign()
    made = {"instance": broadcaster.instance(), "template": broadcaster.template()}[kind]

    with before_the_first("transact_write_items", lambda: broadcaster.lets_go(kind, made)):
        answer = broadcaster.ask("edit", campaign, body={f"{kind}Id": made})

    assert (answer.status, answer.body["code"]) == (400, f"{kind}_not_found")
    assert broadcaster.get(campaign)[f"{kind}Id"] != made


def test_a_campaign_does_not_start_on_an_instance_that_is_deleted_in_the_same_moment(broadcaster: Broadcaster) -> None:
    instance = broadcaster.instance()
    campaign = broadcaster.ready(instanceId=instance)
    status = broadcaster.item(campaign)["status"]

    def deletes() -> None:
        broadcaster.hand(campaign, status="COMPLETED")  # the deletion sees no campaign, as of an index that is late
        broadcaster.lets_go("instance", instance)
        broadcaster.hand(campaign, status=status)

    with before_the_first("transact_write_items", deletes):
        answer = broadcaster.act("start", campaign)

    assert (answer.status, answer.body["code"]) == (400, "instance_not_found")
    assert broadcaster.get(campaign)["status"] == "DRAFT"


def test_a_campaign_is_edited_though_its_template_is_gone(broadcaster: Broadcaster) -> None:
    """Its text was frozen when it took the template."""
    template = broadcaster.template()
    campaign = broadcaster.campaign(templateId=template, message=None)
    broadcaster.hand(campaign, template_id=TEMPLATE)

    broadcaster.told("edit", campaign, body={"name": "Spring"})

    assert broadcaster.get(campaign)["name"] == "Spring"


def test_a_person_who_is_twice_on_the_list_is_sent_to_once(broadcaster: Broadcaster) -> None:
    """Decision 47; a Brazilian mobile with and without its ninth digit is one person."""
    people = [{"phone": "5511987654321"}, {"phone": "551187654321"}, {"phone": "5511987654321"}]

    made = broadcaster.told("create", body=broadcaster.body(people, message="Hello"), status=201)

    assert made["totalRecipients"] == 1
    assert made["listReport"]["duplicates"] == [{"line": 2, "ofLine": 1}, {"line": 3, "ofLine": 1}]


def test_a_create_is_repeated_with_its_key(broadcaster: Broadcaster) -> None:
    body = broadcaster.body()

    first, again = (broadcaster.ask("create", body=body, key="create-1") for _ in range(2))
    other = broadcaster.ask("create", body=body | {"name": "Other"}, key="create-1")

    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.refusal[:2] == (409, "idempotency_key_reused")
    assert len(broadcaster.told("page")["items"]) == 1


def test_a_time_makes_it_scheduled(broadcaster: Broadcaster) -> None:
    at = rfc3339(NOON + timedelta(hours=1))

    made = broadcaster.told("create", body=broadcaster.body(scheduledFor=at), status=201)

    assert (made["status"], made["scheduledFor"]) == ("SCHEDULED", at)


def test_new_recipients_replace_the_list(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(3)

    changed = broadcaster.told("edit", made, body={"recipients": people(2)})
    broadcaster.work()

    assert (changed["totalRecipients"], changed["listReport"]["accepted"]) == (2, 2)
    assert [each["recipient"] for each in broadcaster.recipients(made)] == phones(2)


def test_a_text_is_changed_with_the_same_recipients(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(2)

    changed = broadcaster.told("edit", made, body={"message": "Bye {{name}}!"})

    assert (changed["message"], changed["totalRecipients"]) == ("Bye {{name}}!", 2)
    assert broadcaster.get(made)["message"] == "Bye {{name}}!"


def test_a_text_that_a_stored_recipient_lacks_a_variable_for_is_refused(broadcaster: Broadcaster) -> None:
    """S5-43."""
    made = broadcaster.ready(2)

    refused = broadcaster.ask("edit", made, body={"message": "Hello {{company}}"})

    assert (refused.status, refused.fields) == (400, ["message", "message"])
    assert refused.body["errors"][1]["message"] == "Line 2 of the list: The recipient has no company"
    assert broadcaster.get(made)["message"] == "Hello {{name}}!"


@pytest.mark.parametrize(
    "wrong", [{}, {"name": None}, {"name": ""}, {"recipients": [{"phone": "1"}]}, {"rateLimit": 61}]
)
def test_a_wrong_edit_changes_nothing(broadcaster: Broadcaster, wrong: dict[str, Any]) -> None:
    made = broadcaster.ready(2)
    before = broadcaster.get(made)

    refused = broadcaster.ask("edit", made, body=wrong)

    assert refused.status == 400
    assert broadcaster.get(made) == before


def test_a_running_campaign_is_not_edited(broadcaster: Broadcaster) -> None:
    """S5-15, S5-40, S5-42."""
    made = broadcaster.running()

    refused = broadcaster.ask("edit", made, body={"name": ""} | {"name": "Spring"})

    assert refused.refusal[:2] == (409, "not_editable")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "Apenas campanhas em rascunho ou agendadas podem ser editadas"),
        ("en-GB, pt;q=0.5", None),
    ],
)
def test_a_refusal_is_in_the_readers_language(broadcaster: Broadcaster, language: str, text: str | None) -> None:
    """S5-42, decision 50."""
    made = broadcaster.running()

    refused = broadcaster.ask("edit", made, body={"name": "Spring"}, headers={"Accept-Language": language})

    assert refused.refusal[:2] == (409, "not_editable")
    assert (refused.refusal[2] == text) is (text is not None)


@pytest.mark.parametrize(
    ("field", "text"), [("instanceId", "Instância não encontrada"), ("templateId", "Template não encontrado")]
)
def test_a_reference_to_nothing_is_in_the_sources_words(broadcaster: Broadcaster, field: str, text: str) -> None:
    """S5-42."""
    body = broadcaster.body() | {field: "ins_x"}

    refused = broadcaster.ask("create", body=body, headers={"accept-language": "pt-BR"})

    assert (refused.refusal[2], refused.body["errors"]) == (text, [{"field": field, "message": text}])


# --- Actions


ALLOWED = {
    "start": {"DRAFT", "SCHEDULED", "PAUSED"},
    "pause": {"RUNNING"},
    "resume": {"PAUSED"},
    "cancel": {"DRAFT", "SCHEDULED", "RUNNING", "PAUSED"},
    "retry": {"PAUSED", "COMPLETED", "FAILED"},
}
CODES = {
    "start": "not_startable",
    "pause": "not_pausable",
    "resume": "not_startable",
    "cancel": "not_cancellable",
    "retry": "not_retryable",
}


@pytest.mark.parametrize("status", ["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "FAILED"])
@pytest.mark.parametrize("action", list(ALLOWED))
def test_an_action_is_allowed_in_its_statuses_alone(broadcaster: Broadcaster, action: str, status: str) -> None:
    """S5-40, S5-33, decision 45."""
    made = broadcaster.ready()
    broadcaster.hand(made, status=status)

    answer = broadcaster.act(action, made)

    if status in ALLOWED[action]:
        assert answer.status == 200
    else:
        assert answer.refusal[:2] == (409, CODES[action])


def test_a_campaign_without_recipients_is_not_started(broadcaster: Broadcaster) -> None:
    made = broadcaster.campaign(0)

    refused = broadcaster.act("start", made)

    assert refused.refusal[:2] == (409, "no_recipients")


def test_a_cancelled_campaign_is_failed_with_its_reason(broadcaster: Broadcaster) -> None:
    """S5-19, decision 42."""
    made = broadcaster.running()

    cancelled = broadcaster.act("cancel", made).body
    broadcaster.work()

    assert (cancelled["status"], cancelled["failureReason"]) == ("FAILED", "CANCELLED")
    assert cancelled["cancelledAt"] is not None
    assert broadcaster.get(made)["status"] == "FAILED"


def test_an_action_is_repeated_with_its_key(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()

    first, again = (broadcaster.act("start", made, key="start-1") for _ in range(2))

    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert broadcaster.actions(made).count("BROADCAST_STARTED") == 1


def test_a_repeat_of_the_same_request_succeeds(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()

    first, again = (broadcaster.act("start", made, request_id="one") for _ in range(2))
    other = broadcaster.act("start", made, request_id="two")

    assert (first.status, again.status) == (200, 200)
    assert other.refusal[:2] == (409, "not_startable")


def test_a_retry_says_to_how_many_it_sends(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(4)
    broadcaster.hand(made, status="PAUSED")

    answer = broadcaster.act("retry", made, include_unknown=True)

    assert answer.status == 200
    assert (answer.body["toRetry"], answer.body["mayGetItTwice"]) == (4, 0)
    assert answer.body["campaign"]["status"] == "RUNNING"


@pytest.mark.parametrize(
    "body", [{"action": "stop"}, {"action": "pause", "include_final": True}, {"action": "start", "force": True}, {}]
)
def test_an_unknown_action_is_refused(broadcaster: Broadcaster, body: dict[str, Any]) -> None:
    """S5-10."""
    refused = broadcaster.ask("act", broadcaster.ready(), body=body)

    assert refused.status == 400


# --- Deletes


@pytest.mark.parametrize("status", ["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "FAILED"])
def test_a_campaign_is_deleted_in_its_statuses_alone(broadcaster: Broadcaster, status: str) -> None:
    """S5-16, S5-32, S5-40."""
    made = broadcaster.ready()
    broadcaster.hand(made, status=status)

    answer = broadcaster.ask("delete", made)

    if status in ("DRAFT", "COMPLETED", "FAILED"):
        assert (answer.status, answer.body["status"]) == (202, "deleting")
        assert broadcaster.ask("get", made).refusal[:2] == (404, "campaign_not_found")
        assert broadcaster.told("page")["items"] == []
    else:
        assert answer.refusal[:2] == (409, "not_deletable")


@pytest.mark.parametrize("repeat", [{"key": "delete-1"}, {"request_id": "one"}])
def test_a_repeat_of_a_deletion_is_answered_as_before(broadcaster: Broadcaster, repeat: dict[str, str]) -> None:
    made = broadcaster.ready()

    first, again = (broadcaster.ask("delete", made, **repeat) for _ in range(2))
    other = broadcaster.ask("delete", made)

    assert (first.status, again.status, again.body) == (202, 202, first.body)
    assert other.refusal[:2] == (404, "campaign_not_found")


def test_nothing_of_a_deleted_campaign_is_found(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()
    broadcaster.ask("delete", made)

    answers = [broadcaster.ask(name, made) for name in ("get", "progress", "recipients", "report", "simulaterest")]

    assert {each.refusal[:2] for each in answers} == {(404, "campaign_not_found")}
    assert broadcaster.act("start", made).status == 404


# --- Who sees what


ROUTES = ("get", "edit", "delete", "act", "progress", "simulaterest", "sendtest", "recipients", "recipient", "report")


@pytest.mark.parametrize("name", [*ROUTES, "importfile", "imported", "startimport"])
def test_what_belongs_to_others_is_not_found(broadcaster: Broadcaster, name: str) -> None:
    """S5-35, decision 46."""
    made = broadcaster.ready()

    refused = broadcaster.ask(name, made, subject="bob")

    assert refused.refusal[:2] == (404, "campaign_not_found")


@pytest.mark.parametrize("name", ["page", "stats"])
def test_lists_have_the_owners_own_and_an_operators_any(broadcaster: Broadcaster, name: str) -> None:
    """Amendment 29."""
    broadcaster.campaign()

    def count(**more: Any) -> int:
        found = broadcaster.told(name, **more)
        return len(found["items"]) if name == "page" else found["totalCampaigns"]

    operator = {"subject": "olga", "role": "operator"}
    assert count() == 1
    assert count(query={"owner": "acme"}) == 1
    assert count(subject="bob") == 0
    assert count(**operator) == 0
    assert count(query={"owner": "acme"}, **operator) == 1
    assert count(query={"owner": "*"}, **operator) == 1
    assert broadcaster.ask(name, subject="bob", query={"owner": "acme"}).refusal[:2] == (403, "forbidden")
    assert broadcaster.ask(name, query={"owner": "*"}).refusal[:2] == (403, "forbidden")
    # DynamoDB takes no empty key.
    assert broadcaster.ask(name, query={"owner": ""}, **operator).status == 400


def test_an_operator_sees_and_commands_any_campaign(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()

    found = broadcaster.get(made, subject="olga", role="operator")
    started = broadcaster.act("start", made, subject="olga", role="operator")

    assert (found["userId"], started.status) == ("acme", 200)


# --- Lists


def test_a_list_is_filtered_searched_and_sorted(broadcaster: Broadcaster) -> None:
    """S5-11, amendment 28."""
    instance = broadcaster.instance()
    names = iter(("Winter", "spring"))
    winter, spring = a_second_apart(broadcaster, lambda: broadcaster.ready(1, name=next(names), instanceId=instance), 2)
    other = broadcaster.ready(1, name="Autumn")
    broadcaster.start(spring)

    def listed(**query: Any) -> list[str]:
        return [each["id"] for each in broadcaster.told("page", query=query)["items"]]

    assert listed(status="RUNNING") == [spring]
    assert listed(instanceId=instance) == [spring, winter]
    assert listed(search="IN") == [spring, winter]
    assert listed(sortBy="name", sortOrder="asc") == [other, spring, winter]
    assert listed(sortBy="name") == [winter, spring, other]
    assert listed(offset=1, limit=1) == [spring]
    assert listed(sortBy="createdAt", sortOrder="asc", offset=2) == [other]


def test_a_list_has_50_campaigns_if_nobody_says_how_many(broadcaster: Broadcaster) -> None:
    """S5-11: the default limit, in pages by cursor and by offset."""
    body = broadcaster.body(0)
    for _ in range(51):
        broadcaster.told("create", body=body, status=201)

    assert len(broadcaster.told("page")["items"]) == 50
    assert len(broadcaster.told("page", query={"sortBy": "name"})["items"]) == 50


@pytest.mark.parametrize("name", ["instanceId", "owner"])
def test_a_blank_filter_is_refused(broadcaster: Broadcaster, name: str) -> None:
    refused = broadcaster.ask("page", query={name: ""}, subject=OPERATOR, role="operator")

    assert (refused.status, refused.fields) == (400, [name])


def test_a_blank_instance_is_refused(broadcaster: Broadcaster) -> None:
    refused = broadcaster.ask("create", body=broadcaster.body(1, instanceId=""))

    assert (refused.status, refused.fields) == (400, ["instanceId"])


def test_a_list_is_paged_by_cursor(broadcaster: Broadcaster) -> None:
    instance = broadcaster.instance()
    made = a_second_apart(broadcaster, lambda: broadcaster.campaign(1, instanceId=instance), 3)

    first = broadcaster.told("page", query={"limit": 2})
    rest = broadcaster.told("page", query={"limit": 2, "cursor": first["nextCursor"]})

    assert [each["id"] for each in (*first["items"], *rest["items"])] == list(reversed(made))
    assert rest["nextCursor"] is None


@pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED"])
def test_live_campaigns_of_all_owners_are_listed_however_many_came_since(
    broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """Amendment 29."""
    monkeypatch.setattr(commands, "MOST_SORTED", 3)
    at = rfc3339(NOON + timedelta(days=1)) if status == "SCHEDULED" else None
    instance = broadcaster.instance()
    live = a_second_apart(broadcaster, lambda: broadcaster.campaign(1, scheduledFor=at, instanceId=instance), 3)
    for each in live if status == "RUNNING" else []:
        broadcaster.start(each)
    a_second_apart(broadcaster, lambda: broadcaster.campaign(0, name="a draft", instanceId=instance), 3)
    operator = {"subject": "olga", "role": "operator"}
    query = {"owner": "*", "status": status, "limit": 2}

    first = broadcaster.told("page", query=query, **operator)
    rest = broadcaster.told("page", query=query | {"cursor": first["nextCursor"]}, **operator)

    assert [each["id"] for each in first["items"]] == [live[2], live[1]]
    assert [each["id"] for each in rest["items"]] == [live[0]]
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "e30", "offset": 0},
        {"cursor": "e30", "sortBy": "name"},
        {"sortBy": "colour"},
        {"sortOrder": "up"},
        {"offset": 1001},
        {"offset": -1},
        {"limit": 0},
        {"limit": 201},
        {"status": "deleting"},
        {"page": 1},
    ],
)
def test_a_wrong_query_is_refused(broadcaster: Broadcaster, query: dict[str, Any]) -> None:
    refused = broadcaster.ask("page", query=query)

    assert refused.status == 400


def test_a_test_message_is_in_no_list(broadcaster: Broadcaster) -> None:
    """Amendment 13."""
    made = broadcaster.ready()

    sent = broadcaster.told("sendtest", made, body={"phone": "5521987654321"}, status=201)

    assert (sent["kind"], sent["status"], sent["totalRecipients"]) == ("test", "RUNNING", 1)
    assert [each["id"] for each in broadcaster.told("page")["items"]] == [made]
    assert broadcaster.told("stats")["totalCampaigns"] == 1
    assert broadcaster.get(sent["id"])["name"] == "Test of Winter"


def test_a_test_message_goes_out_with_the_variables_of_the_first_recipient(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()
    sent = broadcaster.told("sendtest", made, body={"phone": "5521987654321"}, status=201)

    broadcaster.work(until=lambda: broadcaster.get(sent["id"])["status"] == "COMPLETED")

    (row,) = broadcaster.recipients(sent["id"])
    assert (row["recipient"], row["variables"]) == ("5521987654321", {"name": "Person 0"})
    assert row["status"] in ("SENT", "DELIVERED", "READ")
    assert broadcaster.get(made)["sentCount"] == 0


def test_a_test_message_that_lacks_a_variable_is_refused(broadcaster: Broadcaster) -> None:
    made = broadcaster.campaign(0)

    refused = broadcaster.ask("sendtest", made, body={"phone": "5521987654321"})

    assert (refused.status, refused.fields) == (400, ["variables.name"])


# --- Progress


def test_progress_is_what_was_settled(broadcaster: Broadcaster) -> None:
    """S5-37 to S5-39."""
    made = broadcaster.running(10)
    broadcaster.work(until=lambda: broadcaster.progress(made)["sentCount"] >= 4)

    found = broadcaster.progress(made)

    counted = ("pendingCount", "sentCount", "failedCount", "skippedCount", "unknownCount")
    assert found["totalRecipients"] == sum(found[name] for name in counted) == 10
    assert found["percent"] == (found["totalRecipients"] - found["pendingCount"]) / 10 * 100
    assert found["currentRate"] == round(found["sentCount"] / found["activeSeconds"] * 60, 2)
    assert found["nextPollSeconds"] == 2
    assert datetime.fromisoformat(found["expectedEndAt"]) > datetime.now(UTC)


def test_progress_says_when_a_campaign_that_waits_for_its_window_ends(broadcaster: Broadcaster) -> None:
    windows = [{"from": "08:00", "to": "09:30"}]  # NOON is 9:00 in Sao Paulo
    made = broadcaster.running(60, windows=windows, rateLimit=1)

    found = broadcaster.progress(made)

    # 30 today, 30 tomorrow from 8:00 on.
    assert found["expectedEndAt"] == "2026-11-21T11:29:00.000000Z"


# --- Recipients


def test_recipients_are_paged_in_their_order(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(5)

    first = broadcaster.told("recipients", made, query={"limit": 3})
    rest = broadcaster.told("recipients", made, query={"limit": 3, "cursor": first["nextCursor"]})

    rows = [*first["items"], *rest["items"]]
    assert [each["recipient"] for each in rows] == phones(5)
    assert [each["line"] for each in rows] == [1, 2, 3, 4, 5]
    assert {each["status"] for each in rows} == {"PENDING"}
    assert rest["nextCursor"] is None


def test_a_recipient_is_found_by_its_key_and_by_its_phone(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(3)
    (row,) = broadcaster.recipients(made, phone=phones(3)[1])

    found = broadcaster.told("recipient", made, ("g1-r0-0", row["key"]))

    assert found == row
    assert (found["recipient"], found["variables"]) == (phones(3)[1], {"name": "Person 1"})


def test_a_phone_that_was_sent_to_is_found_by_its_contact_and_without_its_ninth_digit(
    broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5-4: no row before it is read."""
    monkeypatch.setattr(commands, "MOST_WALKED", 1)
    made = broadcaster.finished(3)
    phone = phones(3)[2]

    (row,) = broadcaster.recipients(made, phone=phone[:4] + phone[5:])

    assert row["recipient"] == phone
    assert row["messageId"]


@pytest.mark.parametrize("key", ["g2-r0-0", "g1-r9-0", "g1-r0-3"])
def test_a_recipient_who_is_not_there_is_not_found(broadcaster: Broadcaster, key: str) -> None:
    made = broadcaster.ready(3)

    refused = broadcaster.ask("recipient", made, ("g1-r0-0", key))

    assert refused.refusal[:2] == (404, "recipient_not_found")


def test_statuses_are_the_sources_for_those_who_ask(broadcaster: Broadcaster) -> None:
    """S5-5."""
    made = broadcaster.ready(3)
    broadcaster.suppress(phones(3)[1])
    broadcaster.start(made)
    broadcaster.work(until=lambda: broadcaster.get(made)["status"] == "COMPLETED")

    ours = broadcaster.statuses(made)
    theirs = {each["status"] for each in broadcaster.recipients(made, statuses="source")}
    failed = broadcaster.recipients(made, statuses="source", status="FAILED")

    assert ours[1] == "SKIPPED"
    assert theirs <= {"PENDING", "SENT", "DELIVERED", "FAILED"}
    assert [each["recipient"] for each in failed] == [phones(3)[1]]
    assert broadcaster.ask("recipients", made, query={"statuses": "source", "status": "SKIPPED"}).status == 400


def test_skipped_recipients_are_listed_by_the_index(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(4)
    broadcaster.suppress(*phones(2))
    broadcaster.start(made)
    broadcaster.work(until=lambda: broadcaster.get(made)["status"] == "COMPLETED")

    first = broadcaster.told("recipients", made, query={"status": "SKIPPED", "limit": 1})
    rest = broadcaster.told("recipients", made, query={"status": "SKIPPED", "cursor": first["nextCursor"]})

    found = [*first["items"], *rest["items"]]
    assert sorted(each["recipient"] for each in found) == phones(2)
    assert {each["error"]["code"] for each in found} == {"suppressed"}


def test_a_row_that_the_index_still_has_is_not_listed_in_a_status_that_it_left(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready(1)
    (row,) = [each for each in broadcaster.aws.items("MessagesTable") if each["id"].startswith(made)]
    broadcaster.aws.client("dynamodb").update_item(
        TableName=broadcaster.aws.ref("MessagesTable"),
        Key={"id": {"S": row["id"]}, "part": {"S": row["part"]}},
        UpdateExpression="SET outcome = :failed",
        ExpressionAttributeValues={":failed": {"S": f"{made}#FAILED"}},
    )

    assert broadcaster.recipients(made, status="FAILED") == []
    assert broadcaster.statuses(made) == ["PENDING"]


# --- The report


def test_a_report_has_a_line_for_each_recipient(broadcaster: Broadcaster) -> None:
    """S5-53."""
    made = broadcaster.finished(3)

    answer = broadcaster.ask("report", made)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    header, *lines = answer.body.splitlines()
    assert header.startswith("line,phone,status,error_code,error,attempts,sent_at")
    assert [line.split(",")[:2] for line in lines] == [[str(n), phone] for n, phone in enumerate(phones(3), 1)]
    assert "Link" not in answer.headers


def test_a_report_of_nothing_has_its_columns(broadcaster: Broadcaster) -> None:
    answer = broadcaster.ask("report", broadcaster.campaign(0))

    assert len(answer.body.splitlines()) == 1


# --- Simulations


def test_a_simulation_says_what_would_be_sent_when_and_for_how_much(broadcaster: Broadcaster) -> None:
    prices = [{"country": "BR", "category": "marketing", "price": 62_500, "from": "2026-11-01"}]
    instance = broadcaster.instance(prices=prices, pricePerMessage=1000, role="operator", subject="acme")
    broadcaster.suppress(phones(3)[0])

    found = broadcaster.told("simulate", body=broadcaster.body(3, instanceId=instance, rateLimit=2))

    assert (found["totalRecipients"], found["outcomes"]) == (3, {"suppressed": 1, "sent": 2})
    assert [each["text"] for each in found["previews"]] == ["Hello Person 1!", "Hello Person 2!"]
    (skipped,) = found["skipped"]
    assert (skipped["line"], skipped["phone"], skipped["code"]) == (1, phones(1)[0], "suppressed")
    assert (found["startsAt"], found["endsAt"]) == (rfc3339(NOON), rfc3339(NOON + timedelta(seconds=30)))
    assert found["minutes"] == [{"at": rfc3339(NOON), "messages": 2}]
    assert found["days"] == [{"date": "2026-11-20", "messages": 2}]
    assert (found["cost"], found["costByCountry"]) == (2000, [{"country": "BR", "messages": 2, "cost": 2000}])
    assert names_of(broadcaster) == []


def test_the_campaign_that_was_simulated_is_started_by_its_hash(broadcaster: Broadcaster) -> None:
    """Amendment 30."""
    body = broadcaster.body()
    reviewed = broadcaster.told("simulate", body=body)["planHash"]
    made = str(broadcaster.told("create", body=body, status=201)["id"])
    broadcaster.work()
    again = broadcaster.told("simulaterest", made)["planHash"]

    started = broadcaster.act("start", made, headers={"if-match": f'"{reviewed}"'})

    assert (again, started.status) == (reviewed, 200)


CHANGES: list[dict[str, Any]] = [
    {"rateLimit": 20},
    {"message": "Bye {{name}}!"},
    {"budget": 10},
    {"windows": [{"from": "08:00", "to": "20:00"}]},
    {"recipients": people(3)},
    {"mediaUrl": "https://files.example.com/a.png", "mediaType": "image"},
]


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(each)) for each in CHANGES])
def test_a_campaign_that_was_changed_since_is_not_started(broadcaster: Broadcaster, change: dict[str, Any]) -> None:
    made = broadcaster.ready()
    reviewed = broadcaster.told("simulaterest", made)["planHash"]
    broadcaster.told("edit", made, body=change)
    broadcaster.work()

    refused = broadcaster.act("start", made, headers={"if-match": reviewed})

    assert refused.refusal[:2] == (409, "plan_changed")
    assert broadcaster.get(made)["status"] == "DRAFT"


def test_a_campaign_whose_recipient_opted_out_since_is_not_started(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()
    reviewed = broadcaster.told("simulaterest", made)["planHash"]
    broadcaster.suppress(phones(1)[0])

    refused = broadcaster.act("start", made, headers={"if-match": reviewed})

    assert refused.refusal[:2] == (409, "plan_changed")


def test_the_hash_is_the_same_an_hour_later(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()
    reviewed = broadcaster.told("simulaterest", made)["planHash"]
    broadcaster.clock.shift(timedelta(hours=1))

    started = broadcaster.act("start", made, headers={"if-match": reviewed})

    assert started.status == 200


def test_a_blank_hash_is_that_of_no_plan(broadcaster: Broadcaster) -> None:
    made = broadcaster.ready()

    refused = broadcaster.act("start", made, headers={"if-match": ""})

    assert refused.refusal[:2] == (409, "plan_changed")


def test_a_plan_is_reviewed_for_a_start_alone(broadcaster: Broadcaster) -> None:
    made = broadcaster.running()

    refused = broadcaster.act("pause", made, headers={"if-match": "x"})

    assert (refused.status, refused.fields) == (400, ["If-Match"])


def test_a_simulation_while_rows_are_being_stored_comes_later(broadcaster: Broadcaster) -> None:
    made = broadcaster.campaign()

    refused = broadcaster.ask("simulaterest", made)

    assert refused.refusal[:2] == (409, "still_importing")


def test_another_campaign_on_the_instance_takes_half_of_its_rate(broadcaster: Broadcaster) -> None:
    instance = broadcaster.instance()
    other = broadcaster.running(1, instanceId=instance)
    broadcaster.running(1, instanceId=broadcaster.instance())

    found = broadcaster.told("simulate", body=broadcaster.body(60, instanceId=instance, rateLimit=60))

    assert found["messagesPerMinute"] == 30
    assert [each["id"] for each in found["collisions"]] == [other]


def test_lines_that_are_asked_for_are_rendered_beside_the_first_fifty(broadcaster: Broadcaster) -> None:
    found = broadcaster.told("simulate", body=broadcaster.body(60) | {"lines": [57]})

    assert [each["line"] for each in found["previews"]] == [*range(1, 51), 57]


# --- Files


def test_a_file_is_imported(broadcaster: Broadcaster) -> None:
    """S5-9, S5-47."""
    made = broadcaster.campaign(0, message="Hello")
    upload = broadcaster.told("importfile", made, body={}, status=201)

    refused = broadcaster.ask("startimport", made, ("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", upload["id"]))
    found = broadcaster.told("imported", made, ("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", upload["id"]))

    assert upload["upload"]["url"]
    assert refused.refusal[:2] == (409, "file_missing")
    assert found["status"] == "AWAITING_FILE"


def test_a_providers_template_needs_its_variables_too(broadcaster: Broadcaster) -> None:
    template = broadcaster.template(text="Hello", providerName="winter", parameters=["name"])
    body = broadcaster.body([{"phone": each} for each in phones(1)], message=None, templateId=template)

    refused = broadcaster.ask("create", body=body)

    assert (refused.status, refused.fields) == (400, ["recipients.0.variables.name"])
