"""Which requests are a provider's, and how often an instance's secrets are read because of those that are not."""

import hmac
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from broadcasts.credentials import Credentials, Secrets
from broadcasts.instance import Instance, ProviderName
from broadcasts.ports import Event, InboundEvent, StatusEvent
from broadcasts.webhooks.bootstrap import Providers
from broadcasts.webhooks.hearing import Hearing
from local.fakes import webhooks
from local.fakes.messages import Call
from sluice.errors import NotFound, Unauthorized, Unavailable

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
JWT_KEY, APP_SECRET, VERIFY = "k" * 32, "app-secret", "verify-me"
CALLBACK = "brd_x/g1/r0/7/A1"


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class Ssm:
    """Parameter Store, as far as it is read."""

    class exceptions:  # noqa: N801 - botocore's name
        ParameterNotFound = ClientError

    def __init__(self) -> None:
        self.secrets = Secrets(jwt_key=JWT_KEY, app_secret=APP_SECRET, verify_token=VERIFY)
        self.reads = 0
        self.is_down = False

    def get_parameter(self, **_: Any) -> dict[str, Any]:
        self.reads += 1
        if self.is_down:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "GetParameter")
        return {"Parameter": {"Value": json.dumps(self.secrets.given)}}


class Door:
    """The open routes of one instance."""

    def __init__(self, provider: ProviderName) -> None:
        self.clock, self.ssm = Clock(), Ssm()
        self.instance: Instance | None = Instance(
            id="ins_x",
            owner="acme",
            name="Shop",
            provider=provider,
            address="shop",
            credentials=1,
            created_at=NOW,
            updated_at=NOW,
        )
        self.put: list[tuple[str, list[Event]]] = []
        credentials = Credentials("/sluice/instances", self.clock, lambda: self.ssm)
        self.hearing = Hearing(lambda _: self.instance, credentials, Providers(self.clock), self._put)
        self.provider = provider

    def _put(self, instance_id: str, events: Iterable[Event]) -> None:
        self.put.append((instance_id, list(events)))

    def hear(self, webhook: webhooks.Webhook) -> int:
        return self.hearing.hear(self.provider, "ins_x", webhook.body, webhook.headers)


@pytest.fixture
def evolution() -> Door:
    return Door(ProviderName.EVOLUTION)


@pytest.fixture
def meta() -> Door:
    return Door(ProviderName.META)


def delivered(provider: str, secret: str, at: datetime = NOW) -> webhooks.Webhook:
    call = Call(provider, "shop", "5511987654321", "Hi", CALLBACK, {}, NOW, message_id="m1")
    return webhooks.status(call, "delivered", at, secret)


def test_an_evolution_servers_status_goes_on_the_queue(evolution: Door) -> None:
    assert evolution.hear(delivered("evolution", JWT_KEY)) == 1

    ((instance, (event,)),) = evolution.put
    assert isinstance(event, StatusEvent)
    assert (instance, event.message_id, event.status.name, event.callback) == ("ins_x", "m1", "DELIVERED", None)


def test_metas_status_goes_on_the_queue_with_our_callback(meta: Door) -> None:
    assert meta.hear(delivered("meta", APP_SECRET)) == 1

    ((_, (event,)),) = meta.put
    assert isinstance(event, StatusEvent)
    assert (event.status.name, event.callback) == ("DELIVERED", CALLBACK)


@pytest.mark.parametrize("provider", ["evolution", "meta"])
def test_what_a_person_writes_goes_on_the_queue(provider: str) -> None:
    door = Door(ProviderName(provider))
    secret = JWT_KEY if provider == "evolution" else APP_SECRET

    assert door.hear(webhooks.inbound(provider, "shop", "5511987654321", "SAIR", NOW, secret)) == 1

    ((_, (event,)),) = door.put
    assert isinstance(event, InboundEvent)
    assert (event.sender, event.text) == ("5511987654321", "SAIR")


def test_no_key_of_the_server_goes_on_the_queue(evolution: Door) -> None:
    """An Evolution server sends the instance's own key in clear."""
    webhook = delivered("evolution", JWT_KEY)
    assert b"an-instance-key-in-clear" in webhook.body

    evolution.hear(webhook)

    assert "an-instance-key-in-clear" not in str(evolution.put)


def signed(**claims: Any) -> webhooks.Webhook:
    usual = {"iat": NOW, "exp": NOW + timedelta(minutes=10), "app": "evolution"}
    token = jwt.encode(usual | claims, JWT_KEY, "HS256")
    return replace(delivered("evolution", JWT_KEY), headers={"authorization": f"Bearer {token}"})


BAD_OF_EVOLUTION = {
    "another key": delivered("evolution", "x" * 32),
    "no token": replace(delivered("evolution", JWT_KEY), headers={}),
    "a word": replace(delivered("evolution", JWT_KEY), headers={"Authorization": "Bearer x"}),
    "expired": signed(exp=NOW - timedelta(minutes=1)),
    "lives too long": signed(exp=NOW + timedelta(hours=1)),
    "for another use": signed(app="other"),
}


@pytest.mark.parametrize("name", BAD_OF_EVOLUTION)
def test_a_request_that_is_not_the_servers_is_refused(evolution: Door, name: str) -> None:
    with pytest.raises(Unauthorized):
        evolution.hear(BAD_OF_EVOLUTION[name])

    assert evolution.put == []


def test_a_request_that_is_not_metas_is_refused(meta: Door) -> None:
    good = delivered("meta", APP_SECRET)

    for bad in (
        delivered("meta", "another"),
        replace(good, headers={}),
        replace(good, body=good.body + b" "),
        replace(good, headers={"x-hub-signature-256": "sha256="}),
    ):
        with pytest.raises(Unauthorized):
            meta.hear(bad)

    assert meta.put == []


def test_without_a_secret_nothing_is_trusted(meta: Door) -> None:
    """A signature by an empty secret is one that anybody can make."""
    meta.ssm.secrets = Secrets()
    webhook = delivered("meta", APP_SECRET)
    signature = hmac.new(b"", webhook.body, sha256).hexdigest()

    with pytest.raises(Unauthorized):
        meta.hear(replace(webhook, headers={"X-Hub-Signature-256": f"sha256={signature}"}))


@pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")
def test_a_key_that_is_too_short_proves_nothing(evolution: Door) -> None:
    evolution.ssm.secrets = Secrets(jwt_key="k" * 31)

    with pytest.raises(Unauthorized):
        evolution.hear(delivered("evolution", "k" * 31))


def test_a_subscription_is_answered_with_its_challenge(meta: Door) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}

    assert meta.hearing.challenged(ProviderName.META, "ins_x", query) == "1158201444"
    for wrong in ({"hub.verify_token": "x"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(Unauthorized):
            meta.hearing.challenged(ProviderName.META, "ins_x", query | wrong)


# Whose route it is


def test_only_an_instance_of_that_provider_has_a_webhook(meta: Door) -> None:
    good = delivered("meta", APP_SECRET)
    assert meta.instance
    for instance in (None, replace(meta.instance, deleted_at=NOW), replace(meta.instance, provider=ProviderName.AWS)):
        meta.instance = instance
        with pytest.raises(NotFound):
            meta.hear(good)

    assert meta.ssm.reads == 0


def test_no_other_item_than_an_instance_is_read_for_what_stands_in_a_path(meta: Door) -> None:
    good = delivered("meta", APP_SECRET)

    with pytest.raises(NotFound):
        meta.hearing.hear(ProviderName.META, "brd_x", good.body, good.headers)


# How often secrets are read


def test_wrong_signatures_read_the_secrets_again_once_a_minute(meta: Door) -> None:
    """Amendment 19: or anybody could use up what an account may read of Parameter Store."""
    bad = delivered("meta", "another")
    for _ in range(10):
        with pytest.raises(Unauthorized):
            meta.hear(bad)
    assert meta.ssm.reads == 1

    meta.clock.at += timedelta(seconds=60)
    for _ in range(10):
        with pytest.raises(Unauthorized):
            meta.hear(bad)
    assert meta.ssm.reads == 2


def test_right_signatures_read_the_secrets_every_five_minutes(meta: Door) -> None:
    good = delivered("meta", APP_SECRET)
    for minute in range(5):
        meta.clock.at = NOW + timedelta(minutes=minute)
        meta.hear(good)
    assert meta.ssm.reads == 1

    meta.clock.at = NOW + timedelta(minutes=5)
    meta.hear(good)
    assert meta.ssm.reads == 2


def test_a_secret_that_was_changed_is_trusted_within_a_minute(meta: Door) -> None:
    meta.hear(delivered("meta", APP_SECRET))
    meta.ssm.secrets = replace(meta.ssm.secrets, app_secret="new")
    meta.clock.at += timedelta(seconds=61)

    assert meta.hear(delivered("meta", "new")) == 1


def test_a_new_version_of_the_secrets_is_read_at_once(meta: Door) -> None:
    meta.hear(delivered("meta", APP_SECRET))
    assert meta.instance
    meta.ssm.secrets, meta.instance = replace(meta.ssm.secrets, app_secret="new"), replace(meta.instance, credentials=2)

    assert meta.hear(delivered("meta", "new")) == 1


def test_while_the_secrets_cannot_be_read_the_provider_is_to_try_again(meta: Door) -> None:
    """Not a 401: an Evolution server does not repeat what that is answered to."""
    meta.ssm.is_down = True

    with pytest.raises(Unavailable):
        meta.hear(delivered("meta", APP_SECRET))
