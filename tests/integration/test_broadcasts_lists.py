"""What campaigns need beside them, on its event files: instances, templates, suppressed people, limits, files."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from broadcasts.lists import store
from broadcasts.lists.asking import ProviderAsker
from broadcasts.lists.ports import Approved, Checked, Rejected
from broadcasts.providers.evolution import LEAST_KEY_BYTES
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import before_the_first
from tests.integration.harness import Answer, Functions, Harness, an_event

SAMPLE_INSTANCE = "ins_01KAJ3W5V0SM0FKVYVXB9EQT6N"
SAMPLE_TEMPLATE = "tpl_01KAJ3W5V0SM0FKVYVXB9EQT6N"
SECRETS = {"apiKey": "0123456789abcdef", "jwtKey": "fedcba9876543210fedcba9876543210"}
META = {"accessToken": "EAAB-access", "appSecret": "app-secret-1", "verifyToken": "verify-1"}
PHONE = "5511987654321"


class Office(Harness):
    """An owner, and an operator, at the lists."""

    def ask(self, what: str, *path: tuple[str, str], subject: str = "acme", role: str = "user", **more: Any) -> Answer:
        return self.request(f"broadcasts/lists/api-{what}", *path, subject=subject, role=role, **more)

    def get(self, what: str, *path: tuple[str, str], status: int = 200, **more: Any) -> dict[str, Any]:
        answer = self.ask(what, *path, **more)
        assert answer.status == status, answer.body
        return dict(answer.body)

    def instance(self, what: str, instance_id: str, **more: Any) -> Answer:
        return self.ask(what, (SAMPLE_INSTANCE, instance_id), **more)

    def template(self, what: str, template_id: str, **more: Any) -> Answer:
        return self.ask(what, (SAMPLE_TEMPLATE, template_id), **more)

    def an_instance(self, **more: Any) -> str:
        options = {name: more.pop(name) for name in ("role", "subject", "key") if name in more}
        body = {"name": "Demo", "provider": "sandbox", "address": "demo"} | more
        return str(self.get("createinstance", status=201, body=body, **options)["id"])

    def at_evolution(self, **more: Any) -> str:
        where = {"provider": "evolution", "baseUrl": "https://evolution.example.com", "credentials": SECRETS}
        return self.an_instance(**where | more)

    def a_template(self, **more: Any) -> str:
        body = {"name": "Winter", "text": "Hello {{name}}", "language": "pt_BR"} | more
        return str(self.get("createtemplate", status=201, body=body)["id"])

    def a_campaign(self, status: str, **more: str) -> None:
        """A campaign's item, as far as the lists look at it."""
        item = {
            "id": f"brd_{len(self.aws.items('BroadcastsTable')):026d}",
            "part": "campaign",
            "status": status,
            "kind": "campaign",
            "listed": "acme",
            "instance_id": SAMPLE_INSTANCE,
            "created_at": "2026-11-20T12:00:00.000000+0000",
        }
        values = {name: {"S": value} for name, value in (item | more).items()}
        self.aws.client("dynamodb").put_item(TableName=self.aws.ref("BroadcastsTable"), Item=values)

    def raw(self) -> list[dict[str, Any]]:
        """The items of the table of broadcasts, as they are."""
        table = self.aws.ref("BroadcastsTable")
        return list(self.aws.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"])

    def parameters(self) -> dict[str, dict[str, str]]:
        """What is in Parameter Store, by the end of the names."""
        path = self.aws.environment("BroadcastsListsApiFunction")["INSTANCES_PATH"]
        found = self.aws.client("ssm").get_parameters_by_path(Path=path, Recursive=True, WithDecryption=True)
        return {each["Name"].removeprefix(f"{path}/"): json.loads(each["Value"]) for each in found["Parameters"]}

    def suppressed(self, **more: Any) -> list[dict[str, Any]]:
        return list(self.get("suppressions", **more)["items"])

    def contacts(self) -> list[dict[str, Any]]:
        return [item for item in self.aws.items("MessagesTable") if item["part"] == "contact"]


@pytest.fixture
def office(aws: Account, functions: Functions) -> Iterator[Office]:
    aws.choose(MaxRatePerMinute="600")
    with time_machine.travel(NOON, tick=False) as clock:
        yield Office(aws, functions, clock)


# Instances


def test_an_instance_is_answered_with_its_webhooks_and_without_its_credentials(office: Office) -> None:
    answer = office.ask("createinstance")

    made = answer.body.pop("id")
    assert answer.status == 201
    assert answer.body == {
        "userId": "acme",
        "name": "Support",
        "provider": "evolution",
        "address": "support",
        "baseUrl": "https://evolution.example.com",
        "webhookUrl": f"https://api.example.com/webhooks/evolution/{made}",
        "hasCredentials": True,
        "rateLimit": 30,
        "dailyLimit": None,
        "timeZone": "America/Sao_Paulo",
        "prices": [{"country": "BR", "category": "marketing", "price": 62500, "from": "2026-11-01"}],
        "pricePerMessage": None,
        "currency": "USD",
        "createdAt": "2026-11-20T12:00:00.000000Z",
        "updatedAt": "2026-11-20T12:00:00.000000Z",
    }
    assert office.instance("instance", made).body == answer.body | {"id": made}


def test_credentials_are_in_parameter_store_and_nowhere_else(office: Office) -> None:
    made = str(office.ask("createinstance", key="k").body["id"])

    assert office.parameters() == {f"{made}/1": {"api_key": SECRETS["apiKey"], "jwt_key": SECRETS["jwtKey"]}}
    written = json.dumps([office.aws.items(each) for each in _TABLES], default=str)
    assert made in written
    assert not any(secret in written for secret in SECRETS.values())


_TABLES = ("BroadcastsTable", "AuditTable", "OutboxTable", "RequestsTable")


def test_a_repeat_of_a_create_is_answered_as_the_first_and_leaves_no_credentials(office: Office) -> None:
    first = office.ask("createinstance", key="once")

    again = office.ask("createinstance", key="once")

    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert list(office.parameters()) == [f"{first.body['id']}/1"]


def test_a_number_has_one_instance_whoever_asks(office: Office) -> None:
    """Amendment 14: two instances of one number would each keep the pace, and the number would not."""
    office.an_instance()

    answer = office.ask(
        "createinstance", subject="other", body={"name": "Mine", "provider": "sandbox", "address": "demo"}
    )

    assert answer.refusal[:2] == (409, "number_taken")


def test_the_number_of_a_deleted_instance_is_free(office: Office) -> None:
    first = office.at_evolution()

    assert office.instance("deleteinstance", first).status == 200

    assert office.instance("instance", first).refusal[:2] == (404, "instance_not_found")
    assert office.parameters() == {}
    assert office.at_evolution() != first
    assert len(office.get("instances")["items"]) == 1


def test_a_repeat_of_a_delete_is_answered_as_the_first(office: Office) -> None:
    made = office.an_instance()
    first = office.instance("deleteinstance", made, key="gone")

    again = office.instance("deleteinstance", made, key="gone")

    assert (again.status, again.body) == (200, first.body)
    assert office.instance("deleteinstance", made, key="other").status == 404


@pytest.mark.parametrize("status", ["DRAFT", "SCHEDULED", "RUNNING", "pausing", "PAUSED", "cancelling"])
def test_an_instance_stays_while_a_campaign_on_it_has_not_ended(office: Office, status: str) -> None:
    made = office.an_instance()
    office.a_campaign(status, instance_id=made)

    assert office.instance("deleteinstance", made).refusal[:2] == (409, "instance_in_use")


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "deleted"])
def test_an_instance_goes_when_its_campaigns_have_ended(office: Office, status: str) -> None:
    made = office.an_instance()
    office.a_campaign(status, instance_id=made)

    assert office.instance("deleteinstance", made).status == 200


def test_an_instance_of_another_owner_is_as_absent(office: Office) -> None:
    made = office.an_instance()

    for what in ("instance", "changeinstance", "deleteinstance", "testinstance"):
        assert office.instance(what, made, subject="other").refusal[:2] == (404, "instance_not_found")
    assert office.get("instances", subject="other")["items"] == []
    assert office.instance("instance", made, subject="ops", role="operator").status == 200


def test_only_an_operator_lists_what_others_have(office: Office) -> None:
    made = office.an_instance()

    assert office.ask("instances", subject="other", query={"owner": "acme"}).refusal[:2] == (403, "forbidden")
    assert office.ask("instances", subject="ops", role="operator", query={"owner": ""}).status == 400
    found = office.get("instances", subject="ops", role="operator", query={"owner": "acme"})
    assert [each["id"] for each in found["items"]] == [made]


@pytest.mark.parametrize("what", ["instances", "templates"])
def test_an_operator_lists_the_things_of_all_owners_in_pages(office: Office, what: str) -> None:
    """Amendment 29."""
    make = f"create{what.removesuffix('s')}"
    made = []
    for number, owner in enumerate(("acme", "*", "globex")):
        office.clock.shift(1)
        body = {"name": "Demo", "provider": "sandbox", "address": f"demo{number}"}
        body = body if what == "instances" else {"name": "Winter", "text": "Hello", "language": "pt_BR"}
        made.append(office.get(make, status=201, body=body, subject=owner)["id"])
    gone = office.get(make, status=201, body=body | {"address": "gone"} if what == "instances" else body)["id"]
    sample = SAMPLE_INSTANCE if what == "instances" else SAMPLE_TEMPLATE
    assert office.ask(f"delete{what.removesuffix('s')}", (sample, gone)).status == 200
    of_all = {"subject": "ops", "role": "operator", "query": {"owner": "*", "limit": 2}}

    first = office.get(what, **of_all)
    of_all["query"] = {"owner": "*", "limit": 2, "cursor": first["next_cursor"]}
    second = office.get(what, **of_all)

    assert [[each["id"], each["userId"]] for page in (first, second) for each in page["items"]] == [
        [thing, owner] for thing, owner in zip(made, ("acme", "*", "globex"), strict=True)
    ]
    assert office.ask(what, subject="other", query={"owner": "*"}).refusal[:2] == (403, "forbidden")
    assert [each["id"] for each in office.get(what, subject="*", query={"owner": "*"})["items"]] == [made[1]]


def test_a_thing_has_one_owner_and_limits_are_one_owners(office: Office) -> None:
    """`*` is for lists."""
    operator = {"subject": "ops", "role": "operator", "query": {"owner": "*"}}
    body = {"name": "Demo", "provider": "sandbox", "address": "demo"}

    for answer in (office.ask("createinstance", body=body, **operator), office.ask("quotas", **operator)):
        assert (answer.status, answer.fields) == (400, ["owner"])


def test_instances_are_listed_in_pages_the_oldest_first(office: Office) -> None:
    made = []
    for number in range(3):
        office.clock.shift(timedelta(seconds=1))
        made.append(office.an_instance(address=f"demo {number}"))

    first = office.get("instances", query={"limit": 2})
    rest = office.get("instances", query={"limit": 2, "cursor": first["next_cursor"]})

    assert [each["id"] for each in first["items"] + rest["items"]] == made
    assert rest["next_cursor"] is None


def test_new_credentials_are_another_version_and_the_old_ones_are_gone(office: Office) -> None:
    made = office.at_evolution()

    answer = office.instance("changeinstance", made, body={"credentials": {"apiKey": "new", "jwtKey": "n" * 32}})

    assert answer.status == 200
    assert office.parameters() == {f"{made}/2": {"api_key": "new", "jwt_key": "n" * 32}}
    assert [entry["after"] for entry in office.entries(made)][1] != ""
    assert "newer" not in json.dumps(office.entries(made), default=str)


def test_a_change_of_credentials_passes_over_a_version_that_another_request_left(office: Office) -> None:
    made = office.at_evolution()
    path = office.aws.environment("BroadcastsListsApiFunction")["INSTANCES_PATH"]
    office.aws.client("ssm").put_parameter(Name=f"{path}/{made}/2", Value='{"api_key": "x"}', Type="SecureString")

    office.instance("changeinstance", made, body={"credentials": SECRETS})

    assert list(office.parameters()) == [f"{made}/3"]


def test_a_change_keeps_what_is_not_given(office: Office) -> None:
    made = str(office.ask("createinstance").body["id"])
    before = office.instance("instance", made).body
    office.clock.shift(timedelta(minutes=1))

    after = office.instance("changeinstance", made, body={"name": "Sales", "dailyLimit": 250}).body

    changed = {"name": "Sales", "dailyLimit": 250, "updatedAt": "2026-11-20T12:01:00.000000Z"}
    assert after == before | changed


def test_a_change_makes_a_claim_that_read_the_instance_before_fail(office: Office) -> None:
    """A claim is computed with the rate as read, on condition of `v`."""
    made = office.an_instance()

    office.instance("changeinstance", made, body={"rateLimit": 5})

    (item,) = [each for each in office.aws.items("BroadcastsTable") if each["id"] == made]
    assert (item["v"], item["rate_limit"]) == (1, 5)


def test_a_change_without_a_change_leaves_no_entry(office: Office) -> None:
    made = office.an_instance()

    office.instance("changeinstance", made, body={"name": "Demo"}, key="same")

    assert office.actions(made) == ["BROADCAST_INSTANCE_CREATED"]


def test_an_instance_may_take_another_number_which_frees_the_old_one(office: Office) -> None:
    made = office.an_instance()

    assert office.instance("changeinstance", made, body={"address": "other"}).status == 200

    assert office.an_instance() != made
    taken = office.instance("changeinstance", made, body={"address": "demo"})
    assert taken.refusal[:2] == (409, "number_taken")


def test_an_instance_that_sends_with_the_platforms_rights_is_an_operators_to_create(office: Office) -> None:
    body = {"name": "Shop", "provider": "aws", "address": "phone-number-id-976c72a700aac43eaf573ae050example"}

    refused = office.ask("createinstance", body=body)
    made = office.get("createinstance", status=201, body=body, subject="ops", role="operator", query={"owner": "acme"})

    assert refused.refusal[:2] == (403, "forbidden")
    assert made["userId"] == "acme"
    assert [each["id"] for each in office.get("instances")["items"]] == [made["id"]]


def test_an_instance_stays_with_its_provider(office: Office) -> None:
    made = office.an_instance()

    answer = office.instance("changeinstance", made, body={"provider": "aws"})

    assert answer.refusal[:2] == (400, "provider_fixed")


def test_an_instance_stays_with_its_currency(office: Office) -> None:
    """Budgets of its campaigns are in it."""
    made = office.an_instance()

    answer = office.instance("changeinstance", made, body={"currency": "BRL"})

    assert answer.refusal[:2] == (400, "currency_fixed")
    assert office.instance("changeinstance", made, body={"currency": "USD"}).status == 200


@pytest.mark.parametrize("change", [{"address": "other"}, {"baseUrl": "https://other.example.com"}])
@pytest.mark.parametrize("status", ["RUNNING", "pausing", "cancelling"])
def test_an_instance_stays_where_it_is_while_messages_may_be_in_flight(
    office: Office, status: str, change: dict[str, Any]
) -> None:
    """Another server does not have them, and would prove that they were not sent."""
    made = str(office.ask("createinstance").body["id"])
    office.a_campaign(status, instance_id=made)

    assert office.instance("changeinstance", made, body=change).refusal[:2] == (409, "instance_in_use")
    assert office.instance("changeinstance", made, body={"name": "Other"}).status == 200


def test_an_instance_moves_while_its_campaigns_are_paused(office: Office) -> None:
    made = office.an_instance()
    office.a_campaign("PAUSED", instance_id=made)

    assert office.instance("changeinstance", made, body={"address": "other"}).status == 200


def test_a_rate_above_sixty_is_an_operators_word(office: Office) -> None:
    """Amendment 15: an owner who sets a limit of their own has none."""
    made = office.an_instance()

    refused = office.instance("changeinstance", made, body={"rateLimit": 61})
    office.instance("changeinstance", made, body={"rateLimit": 61}, subject="ops", role="operator")
    kept = office.instance("changeinstance", made, body={"rateLimit": 61, "name": "Fast"})

    assert refused.refusal[:2] == (403, "forbidden")
    assert kept.body["rateLimit"] == 61


def test_no_rate_is_above_the_stacks(office: Office) -> None:
    most = int(office.aws.environment("BroadcastsListsApiFunction")["MAX_RATE_PER_MINUTE"])

    answer = office.ask(
        "createinstance",
        role="operator",
        body={"name": "Demo", "provider": "sandbox", "address": "demo", "rateLimit": most + 1},
    )

    assert (answer.status, answer.fields) == (400, ["rateLimit"])


@pytest.mark.parametrize("day", ["2026-1-1", "2026-W01-1", "20261101", "2026-02-30", "２０２６-11-01", "2026-11-01\n"])  # noqa: RUF001
def test_a_price_holds_from_a_day_that_every_step_can_read(office: Office, day: str) -> None:
    """By one that it cannot read no campaign of the instance would send again."""
    made = office.an_instance()
    price = {"country": "BR", "category": "marketing", "price": 1, "from": day}

    refused = office.instance("changeinstance", made, body={"prices": [price]})

    assert (refused.status, refused.fields) == (400, ["prices.0.from"])


def test_the_price_of_a_message_is_an_operators_word(office: Office) -> None:
    made = office.an_instance()

    refused = office.instance("changeinstance", made, body={"pricePerMessage": 1})
    office.instance("changeinstance", made, body={"pricePerMessage": 35000}, subject="ops", role="operator")
    cleared = office.instance("changeinstance", made, body={"pricePerMessage": None})

    assert refused.refusal[:2] == (403, "forbidden")
    assert cleared.refusal[:2] == (403, "forbidden")
    assert office.instance("instance", made).body["pricePerMessage"] == 35000


@pytest.mark.parametrize(
    "url",
    [
        "http://evolution.example.com",
        "https://127.0.0.1",
        "https://[::1]",
        "https://169.254.169.254/latest",
        "https://2130706433",
        "https://localhost:8080",
        "https://user:secret@evolution.example.com",
        "https://evolution.example.com?x=1",
        "ftp://evolution.example.com",
        "evolution.example.com",
        "https://",
        "https://[half",
    ],
)
def test_a_provider_is_at_a_public_host_by_https(office: Office, url: str) -> None:
    body = {"name": "E", "provider": "evolution", "address": "e", "baseUrl": url, "credentials": SECRETS}

    answer = office.ask("createinstance", body=body)

    assert (*answer.refusal[:2], answer.fields) == (400, "host_not_allowed", ["baseUrl"])
    assert office.parameters() == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"provider": "evolution", "baseUrl": "https://e.example.com"}, "credentials.apiKey"),
        (
            {"provider": "evolution", "baseUrl": "https://e.example.com", "credentials": {"apiKey": "x"}},
            "credentials.jwtKey",
        ),
        ({"provider": "evolution", "credentials": SECRETS}, "baseUrl"),
        ({"provider": "meta", "credentials": META | {"apiKey": "x"}}, "credentials.apiKey"),
        ({"provider": "sandbox", "credentials": {"apiKey": "x"}}, "credentials.apiKey"),
        ({"provider": "aws", "baseUrl": "https://e.example.com"}, "baseUrl"),
        ({"provider": "other"}, "provider"),
        ({"provider": "sandbox", "timeZone": "Mars/Base"}, "timeZone"),
        ({"provider": "sandbox", "timeZone": "../etc/passwd"}, "timeZone"),
        ({"provider": "sandbox", "address": "a#b"}, "address"),
        ({"provider": "sandbox", "rateLimit": 0}, "rateLimit"),
        ({"provider": "sandbox", "id": "ins_1"}, "id"),
        ({"provider": "sandbox", "base_url": "x"}, "base_url"),
    ],
)
def test_a_wrong_field_is_named_as_it_was_written(office: Office, body: dict[str, Any], field: str) -> None:
    answer = office.ask("createinstance", body={"name": "E", "address": "e"} | body, role="operator")

    assert (answer.status, answer.fields) == (400, [field])
    assert office.parameters() == {}


def test_a_key_by_which_no_webhook_would_be_trusted_is_refused_at_a_create_and_at_a_change(office: Office) -> None:
    short = {"credentials": {"apiKey": "x", "jwtKey": "k" * (LEAST_KEY_BYTES - 1)}}
    made = office.at_evolution(credentials={"apiKey": "x", "jwtKey": "k" * LEAST_KEY_BYTES})

    created = office.ask("createinstance", body={"name": "E", "address": "e", "provider": "evolution"} | short)
    changed = office.instance("changeinstance", made, body=short)

    for answer in (created, changed):
        assert (answer.status, answer.fields) == (400, ["credentials.jwtKey"])
    assert list(office.parameters()) == [f"{made}/1"]


def test_there_are_at_most_a_thousand_instances(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameter Store holds 10,000 parameters (amendment 19)."""
    monkeypatch.setattr("broadcasts.lists.commands.MOST_INSTANCES", 2)
    monkeypatch.setattr(store, "MOST_INSTANCES", 2)
    first = office.an_instance(address="1")
    office.an_instance(address="2")
    body = {"name": "E", "provider": "sandbox", "address": "3"}

    refused = office.ask("createinstance", body=body)
    office.instance("deleteinstance", first)

    assert refused.refusal[:2] == (409, "too_many_instances")
    assert office.ask("createinstance", body=body).status == 201


# Others beside it


def test_of_two_creates_of_one_number_at_once_one_wins_and_only_its_credentials_stay(office: Office) -> None:
    others = "other"

    with before_the_first("transact_write_items", lambda: office.ask("createinstance", subject=others)):
        answer = office.ask("createinstance")

    assert answer.refusal[:2] == (409, "number_taken")
    (kept,) = office.get("instances", subject=others)["items"]
    assert list(office.parameters()) == [f"{kept['id']}/1"]


def test_of_two_creates_at_once_the_last_place_is_for_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadcasts.lists.commands.MOST_INSTANCES", 1)
    monkeypatch.setattr(store, "MOST_INSTANCES", 1)

    with before_the_first("transact_write_items", lambda: office.an_instance(address="first")):
        answer = office.ask("createinstance")

    assert answer.refusal[:2] == (409, "too_many_instances")


def test_of_two_changes_at_once_each_names_its_own_credentials(office: Office) -> None:
    made = office.at_evolution()

    def other() -> None:
        office.instance("changeinstance", made, body={"credentials": {"apiKey": "a", "jwtKey": "b" * 32}})

    with before_the_first("transact_write_items", other):
        office.instance("changeinstance", made, body={"credentials": {"apiKey": "c", "jwtKey": "d" * 32}})

    (name,) = office.parameters()
    (item,) = [each for each in office.aws.items("BroadcastsTable") if each["id"] == made]
    assert office.parameters()[name] == {"api_key": "c", "jwt_key": "d" * 32}
    assert name == f"{made}/{item['credentials']}"


def test_a_change_of_a_deleted_instance_brings_it_back_to_nobody(office: Office) -> None:
    made = office.an_instance()

    with before_the_first("transact_write_items", lambda: office.instance("deleteinstance", made)):
        answer = office.instance("changeinstance", made, body={"name": "Sales"})

    assert answer.refusal[:2] == (404, "instance_not_found")
    assert office.an_instance() != made


def test_of_two_changes_of_a_template_at_once_each_is_a_version(office: Office) -> None:
    made = office.a_template()

    with before_the_first(
        "transact_write_items", lambda: office.template("changetemplate", made, body={"text": "Two"})
    ):
        answer = office.template("changetemplate", made, body={"text": "Three"})

    assert answer.body["version"] == 3
    texts = [office.template("template", made, query={"version": each}).body["text"] for each in (1, 2, 3)]
    assert texts == ["Hello {{name}}", "Two", "Three"]


def test_a_change_of_a_name_beside_another_is_made_again(office: Office) -> None:
    made = office.a_template()

    with before_the_first(
        "transact_write_items", lambda: office.template("changetemplate", made, body={"category": "utility"})
    ):
        answer = office.template("changetemplate", made, body={"name": "Spring"})

    assert (answer.body["name"], answer.body["category"], answer.body["version"]) == ("Spring", "utility", 2)
    assert office.actions(made) == [f"BROADCAST_TEMPLATE_{each}" for each in ("CREATED", "CHANGED", "CHANGED")]


def test_a_claim_beside_a_suppression_is_seen(office: Office) -> None:
    """Both are on condition of the contact's `v` as read: of the two, one comes first and the other sees it [B20]."""
    office.ask("consent")

    def claim() -> None:
        (contact,) = office.contacts()
        office.aws.client("dynamodb").update_item(
            TableName=office.aws.ref("MessagesTable"),
            Key={"id": {"S": contact["id"]}, "part": {"S": "contact"}},
            UpdateExpression="SET v = v + :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with before_the_first("transact_write_items", claim):
        assert office.ask("suppress").body["changed"] == 1

    (contact,) = office.contacts()
    assert (contact["v"], contact["consent"], contact["suppressed_why"]) == (3, "web form", "asked by telephone")


def test_of_two_limits_at_once_the_later_stands_and_both_are_audited(office: Office) -> None:
    def put(limit: int) -> Answer:
        return office.ask("setquotas", subject="ops", role="operator", body={"dailyLimit": limit})

    with before_the_first("transact_write_items", lambda: put(1)):
        assert put(2).body["dailyLimit"] == 2

    assert office.get("quotas")["dailyLimit"] == 2
    assert len(office.actions("limits:acme")) == 2


def test_all_that_is_done_to_an_instance_is_audited(office: Office) -> None:
    made = office.at_evolution()
    office.instance("changeinstance", made, body={"name": "Sales"})
    office.instance("deleteinstance", made)

    assert office.actions(made) == [f"BROADCAST_INSTANCE_{each}" for each in ("CREATED", "CHANGED", "DELETED")]
    events = [item["name"] for item in office.aws.items("OutboxTable")]
    assert sorted(events) == [f"BroadcastInstance{each}" for each in ("Changed", "Created", "Deleted")]


def test_the_sandbox_always_works(office: Office) -> None:
    made = office.an_instance()

    assert office.instance("testinstance", made).body["works"] is True


def test_a_test_asks_the_provider_with_the_credentials_as_they_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def check(_asker: ProviderAsker, line: Any) -> Checked:
        asked.append((line.address, line.base_url, dict(line.secrets)))
        return Checked(False, "The provider rejects the credentials (401)")

    monkeypatch.setattr(ProviderAsker, "check", check)
    made = office.at_evolution(address="support")

    answer = office.instance("testinstance", made)

    assert answer.body == {"works": False, "message": "The provider rejects the credentials (401)"}
    secrets = {"api_key": SECRETS["apiKey"], "jwt_key": SECRETS["jwtKey"]}
    assert asked == [("support", "https://evolution.example.com", secrets)]


def test_errors_are_in_the_language_of_the_reader(office: Office) -> None:
    """S5-42."""
    event = an_event("broadcasts/lists/api-instance")
    event["headers"]["Accept-Language"] = "pt-BR,pt;q=0.9,en;q=0.5"

    answer = Answer.of(office.invoke("broadcasts/lists/api-instance", event))

    assert answer.refusal == (404, "instance_not_found", "Instância não encontrada")


def test_the_audit_trail_verifies_all_that_the_lists_write(office: Office) -> None:
    instance, template = office.an_instance(), office.a_template()
    office.template("changetemplate", template, body={"name": "Spring"})
    office.ask("suppress")
    office.ask("setquotas", subject="ops", role="operator")

    found = [office.verified(each) for each in (instance, template, "contacts:acme", "limits:acme")]

    assert [(each["valid"], each["entries"]) for each in found] == [(True, 1), (True, 2), (True, 1), (True, 1)]


def test_an_instance_that_a_restore_took_back_is_changed_with_a_bridge(office: Office) -> None:
    made = office.an_instance()
    (before,) = [each for each in office.raw() if each["id"]["S"] == made]
    office.instance("changeinstance", made, body={"name": "Sales"})
    office.aws.client("dynamodb").put_item(TableName=office.aws.ref("BroadcastsTable"), Item=before)

    answer = office.instance("changeinstance", made, body={"rateLimit": 5})

    assert (answer.body["name"], answer.body["rateLimit"]) == ("Demo", 5)
    assert office.actions(made)[2:] == ["BROADCAST_INSTANCE_RESTORED", "BROADCAST_INSTANCE_CHANGED"]
    assert office.verified(made)["valid"]


# Templates


def test_a_template_is_answered_with_its_variables(office: Office) -> None:
    answer = office.ask("createtemplate")

    made = answer.body.pop("id")
    assert answer.status == 201
    assert answer.body == {
        "userId": "acme",
        "name": "Winter",
        "text": "Hello {{name|friend}}, come to {{city}}",
        "variables": ["name", "city"],
        "category": "marketing",
        "language": "pt_BR",
        "providerName": None,
        "header": [],
        "parameters": [],
        "version": 1,
        "approval": None,
        "syncedAt": None,
        "createdAt": "2026-11-20T12:00:00.000000Z",
        "updatedAt": "2026-11-20T12:00:00.000000Z",
    }
    assert office.template("template", made).body == answer.body | {"id": made}


def test_a_change_of_a_text_is_a_version_and_the_old_one_stays(office: Office) -> None:
    made = office.a_template(text="One {{name}}")

    changed = office.template("changetemplate", made, body={"text": "Two {{name}}"}).body

    assert (changed["version"], changed["text"]) == (2, "Two {{name}}")
    old = office.template("template", made, query={"version": 1}).body
    assert (old["version"], old["text"]) == (1, "One {{name}}")
    assert office.template("template", made, query={"version": 3}).refusal[:2] == (404, "template_not_found")


def test_another_name_is_no_version(office: Office) -> None:
    made = office.a_template()

    changed = office.template("changetemplate", made, body={"name": "Spring"}).body

    assert (changed["version"], changed["name"]) == (1, "Spring")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "Hello {{Name}}"}, "text"),
        ({"text": " "}, "text"),
        ({"text": "x" * 4097}, "text"),
        ({"parameters": ["name"]}, "parameters"),
        ({"providerName": "winter", "parameters": ["Name"]}, "parameters.0"),
        ({"language": "portuguese"}, "language"),
        ({"category": "spam"}, "category"),
    ],
)
def test_a_template_that_cannot_be_sent_is_refused(office: Office, body: dict[str, Any], field: str) -> None:
    answer = office.ask("createtemplate", body={"name": "W", "text": "Hello", "language": "pt_BR"} | body)

    assert (answer.status, answer.fields) == (400, [field])


def test_a_template_stays_while_a_campaign_uses_it(office: Office) -> None:
    made, other = office.a_template(), office.a_template()
    office.a_campaign("PAUSED", template_id=made)
    office.a_campaign("COMPLETED", template_id=other)

    assert office.template("deletetemplate", made).refusal[:2] == (409, "template_in_use")
    assert office.template("deletetemplate", other).status == 200
    assert [each["id"] for each in office.get("templates")["items"]] == [made]
    assert office.template("template", other).status == 404


def test_a_template_of_another_owner_is_as_absent(office: Office) -> None:
    made = office.a_template()

    for what in ("template", "changetemplate", "deletetemplate", "synctemplate"):
        assert office.template(what, made, subject="other").refusal[:2] == (404, "template_not_found")
    assert office.get("templates", subject="other")["items"] == []


def test_a_sync_reads_the_approval_and_a_new_category_is_a_version(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def template(_asker: ProviderAsker, line: Any, account: str, name: str, language: str) -> Approved:
        asked.append((line.secrets["access_token"], account, name, language))
        return Approved("APPROVED", "utility", language)

    monkeypatch.setattr(ProviderAsker, "template", template)
    instance = office.an_instance(provider="meta", address="1029", credentials=META)
    made = office.a_template(providerName="winter_sale", parameters=["name"])

    synced = office.template("synctemplate", made, body={"instanceId": instance, "accountId": "77"}).body

    assert asked == [("EAAB-access", "77", "winter_sale", "pt_BR")]
    assert (synced["approval"], synced["category"], synced["version"]) == ("APPROVED", "utility", 2)
    assert synced["syncedAt"] == "2026-11-20T12:00:00.000000Z"


def test_a_sync_says_what_stands_against_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = office.an_instance(provider="meta", address="1029", credentials=META)
    others = office.an_instance(subject="other", address="others")
    made, free = office.a_template(providerName="winter_sale"), office.a_template()

    def sync(found: Any, template_id: str, instance_id: str) -> tuple[int, str]:
        monkeypatch.setattr(ProviderAsker, "template", lambda *_: found)
        body = {"instanceId": instance_id, "accountId": "77"}
        return office.template("synctemplate", template_id, body=body).refusal[:2]

    assert sync(None, made, instance) == (409, "no_provider_template")
    assert sync(Rejected("The provider answered 500"), made, instance) == (409, "provider_refused")
    assert sync(None, free, instance) == (409, "no_provider_template")
    assert sync(None, made, others) == (400, "instance_not_found")


# People


def test_a_suppressed_person_is_listed_until_that_is_lifted(office: Office) -> None:
    answer = office.ask("suppress")

    assert (answer.status, answer.body) == (201, {"changed": 1, "unchanged": 0, "refused": []})
    listed = {"phone": PHONE, "reason": "asked by telephone", "at": "2026-11-20T12:00:00.000000Z"}
    assert office.suppressed() == [listed]
    office.clock.shift(timedelta(seconds=1))
    assert office.ask("lift").status == 200
    assert office.suppressed() == []
    assert office.ask("lift", key="again").refusal[:2] == (404, "suppression_not_found")


def test_a_contact_that_was_read_before_is_no_more_as_it_was(office: Office) -> None:
    """A claim is on condition of the contact's `v`: an answered suppression holds [B20]."""
    office.ask("suppress")

    (contact,) = office.contacts()

    assert (contact["v"], contact["suppressed_why"]) == (1, "asked by telephone")
    assert PHONE not in json.dumps(contact, default=str)


def test_a_brazilian_mobile_is_one_person_with_and_without_its_ninth_digit(office: Office) -> None:
    office.ask("suppress", body={"phone": "551187654321", "reason": "asked"})

    again = office.ask("suppress", body={"phone": "5511987654321", "reason": "asked"})

    assert again.body["unchanged"] == 1
    assert len(office.suppressed()) == 1


def test_owners_suppress_for_themselves_alone(office: Office) -> None:
    office.ask("suppress")

    assert office.suppressed(subject="other") == []
    assert office.suppressed(subject="ops", role="operator", query={"owner": "acme"})[0]["phone"] == PHONE
    assert office.ask("suppressions", subject="other", query={"owner": "acme"}).status == 403


def test_an_import_names_the_phones_that_are_none(office: Office) -> None:
    phones = [PHONE, "+55 (11) 98765-4322", "5.51199E+12", "12", PHONE]

    answer = office.ask("importsuppressions", body={"phones": phones, "reason": "list"})

    refused = [(each["row"], each["code"]) for each in answer.body["refused"]]
    assert (answer.body["changed"], answer.body["unchanged"]) == (2, 0)
    assert refused == [(2, "phone_notation"), (3, "phone_length")]
    assert {each["phone"] for each in office.suppressed()} == {PHONE, "5511987654322"}


def test_an_import_of_many_is_several_transactions_and_one_answer(office: Office) -> None:
    phones = [f"4915112{number:06d}" for number in range(100)]

    first = office.ask("importsuppressions", body={"phones": phones, "reason": "list"}, key="all")
    again = office.ask("importsuppressions", body={"phones": phones, "reason": "list"}, key="all")
    more = office.ask("importsuppressions", body={"phones": phones, "reason": "list"}, key="more")

    assert first.body == {"changed": 100, "unchanged": 0, "refused": []}
    assert again.body == first.body
    assert more.body == {"changed": 0, "unchanged": 100, "refused": []}
    assert [json.loads(entry["after"])["contacts"] for entry in office.entries("contacts:acme")] == [45, 45, 10]


def test_the_audit_log_of_contacts_has_no_phone(office: Office) -> None:
    office.ask("suppress")
    office.clock.shift(timedelta(seconds=1))
    office.ask("lift")

    assert office.actions("contacts:acme") == ["BROADCAST_CONTACTS_SUPPRESSED", "BROADCAST_CONTACTS_LIFTED"]
    assert PHONE not in json.dumps(office.entries(), default=str)
    assert PHONE not in json.dumps(office.aws.items("RequestsTable"), default=str)


def test_the_export_is_the_list_in_parts(office: Office) -> None:
    phones = [f"4915112{number:06d}" for number in range(3)]
    office.ask("importsuppressions", body={"phones": phones, "reason": "=list"})

    first = office.ask("exportsuppressions", query={"limit": 2})
    cursor = first.headers["Link"].partition("cursor=")[2].partition(">")[0]
    rest = office.ask("exportsuppressions", query={"limit": 2, "cursor": cursor})

    lines = (first.body + rest.body).splitlines()
    assert lines[0] == "phone,reason,at"
    assert sorted(line.split(",")[0] for line in lines[1:]) == phones
    assert {line.split(",")[1] for line in lines[1:]} == {"'=list"}
    assert not any(phone in first.headers["Link"] for phone in phones)


def test_consent_is_kept_with_its_source_until_it_is_taken_back(office: Office) -> None:
    given = office.ask("consent").body
    (contact,) = office.contacts()

    gone = office.ask("withdraw").body

    assert (given["changed"], contact["consent"], gone["changed"]) == (1, "web form", 1)
    assert "consent" not in office.contacts()[0]


# Limits


def test_quotas_say_what_holds_and_what_is_used(office: Office) -> None:
    instance = office.an_instance(dailyLimit=250)
    office.ask("setquotas", subject="ops", role="operator")
    _used(office, "quota#acme#2026-11-20", used=40, price=2_500_000)

    found = office.get("quotas")

    assert found == {
        "userId": "acme",
        "dailyLimit": 1000,
        "frequencyCap": {"count": 2, "hours": 24},
        "requiresConsent": True,
        "optOutWords": ["CHEGA"],
        "timeZone": "America/Sao_Paulo",
        "day": "2026-11-20",
        "usedToday": 40,
        "remainingToday": 960,
        "spentToday": 2_500_000,
        "instances": [{"instanceId": instance, "name": "Demo", "dailyLimit": 250, "used": 0, "remaining": 250}],
    }


def test_a_day_begins_at_the_owners_midnight(office: Office) -> None:
    office.ask("setquotas", subject="ops", role="operator")
    office.clock.move_to(NOON.replace(hour=2))

    assert office.get("quotas")["day"] == "2026-11-19"


def test_without_a_word_of_an_operator_there_is_no_limit(office: Office) -> None:
    found = office.get("quotas")

    assert (found["dailyLimit"], found["remainingToday"], found["frequencyCap"]) == (None, None, None)


def test_nobody_sets_a_limit_of_their_own(office: Office) -> None:
    """S5-55: a limit that its user sets is none (amendment 15)."""
    answer = office.ask("setquotas")

    assert answer.refusal[:2] == (403, "forbidden")
    assert office.get("quotas")["dailyLimit"] is None


def test_limits_are_put_as_a_whole_and_audited(office: Office) -> None:
    office.ask("setquotas", subject="ops", role="operator")

    answer = office.ask("setquotas", subject="ops", role="operator", body={"dailyLimit": 5})

    assert (answer.body["dailyLimit"], answer.body["frequencyCap"], answer.body["timeZone"]) == (5, None, "UTC")
    assert office.actions("limits:acme") == ["BROADCAST_LIMITS_CHANGED"] * 2
    assert [entry["actor"] for entry in office.entries("limits:acme")] == ["ops", "ops"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"frequencyCap": {"count": 11, "hours": 24}}, "frequencyCap.count"),
        ({"frequencyCap": {"count": 1, "hours": 0}}, "frequencyCap.hours"),
        ({"optOutWords": ["!!"]}, "optOutWords.0"),
        ({"dailyLimit": -1}, "dailyLimit"),
        ({"timeZone": "Nowhere"}, "timeZone"),
    ],
)
def test_a_limit_that_cannot_be_kept_is_refused(office: Office, body: dict[str, Any], field: str) -> None:
    answer = office.ask("setquotas", subject="ops", role="operator", body=body)

    assert (answer.status, answer.fields) == (400, [field])


# Files


def test_a_file_is_uploaded_by_a_form_that_names_its_type_and_size(office: Office) -> None:
    answer = office.ask("upload")

    made = answer.body
    assert answer.status == 201
    assert made["fields"]["key"].startswith("media/")
    assert made["fields"]["key"].endswith(made["mediaId"])
    assert made["fields"]["Content-Type"] == "image/png"
    assert made["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert ["content-length-range", 20480, 20480] in _policy(made)["conditions"]
    assert made["expiresAt"] == "2026-11-20T12:15:00.000000Z"


def test_owners_files_lie_apart(office: Office) -> None:
    mine, others = office.ask("upload").body, office.ask("upload", subject="other").body

    assert mine["fields"]["key"].rpartition("/")[0] != others["fields"]["key"].rpartition("/")[0]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"contentType": "text/html", "bytes": 10}, (400, "invalid", ["contentType"])),
        ({"contentType": "image/png", "bytes": 0}, (400, "invalid", ["bytes"])),
        ({"contentType": "image/png", "bytes": 5 * 1024 * 1024 + 1}, (400, "media_too_large", ["bytes"])),
    ],
)
def test_a_file_that_no_message_carries_is_refused(
    office: Office, body: dict[str, Any], refusal: tuple[int, str, list[str]]
) -> None:
    answer = office.ask("upload", body=body)

    assert (*answer.refusal[:2], answer.fields) == refusal


def _policy(made: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(made["fields"]["policy"])))


def _used(office: Office, item_id: str, used: int, price: int) -> None:
    values = {"id": {"S": item_id}, "part": {"S": "quota"}, "used": {"N": str(used)}, "price": {"N": str(price)}}
    office.aws.client("dynamodb").put_item(TableName=office.aws.ref("BroadcastsTable"), Item=values)
