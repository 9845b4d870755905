"""The pure rules of the hooks: types, times, signatures."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from standardwebhooks import Webhook, WebhookVerificationError

from hooks.backoff import ATTEMPTS, DELAYS, delay_after
from hooks.campaign import CALL_SECONDS, PATIENCE, WORKER_SECONDS, Delivery, DeliveryStatus, claim, replay
from hooks.endpoint import Endpoint, changed, failed, healthy, keeps_failing, masters_in_use, rotated
from hooks.masters import Masters, parsed
from hooks.messages import parse
from hooks.signature import derived, headers
from hooks.types import type_of
from sluice.clock import SystemClock
from sluice.errors import Conflicting, Misconfigured, Unreadable
from sluice.outward import begin
from tests.factories import NOON
from tests.template_reader import translated

MASTER = "m" * 64


def test_the_library_verifies_each_of_two_signatures() -> None:
    old, new = derived(MASTER, "hok_1", 1), derived(MASTER, "hok_1", 2)
    signed = headers("evt_1", SystemClock().now(), b'{"a":1}', [new, old])

    assert Webhook(old).verify(b'{"a":1}', dict(signed)) == Webhook(new).verify(b'{"a":1}', dict(signed)) == {"a": 1}


def test_a_secret_follows_from_master_endpoint_and_generation_for_ever() -> None:
    """Receivers keep it: another derivation would be a rotation of all endpoints at once, without an overlap."""
    first = derived(MASTER, "hok_1", 1)

    assert first == "whsec_DBtcaqWJtpPxVTv2Hap3BkzOZVF47/L/3iGKNapeDy0="
    others = [derived("n" * 64, "hok_1", 1), derived(MASTER, "hok_2", 1), derived(MASTER, "hok_1", 2)]
    assert len({first, *others}) == 4


def test_the_library_refuses_other_bytes() -> None:
    secret = derived(MASTER, "hok_1", 1)
    signed = headers("evt_1", SystemClock().now(), b'{"a":1}', [secret])

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b'{"a":2}', dict(signed))


def test_ten_attempts_take_some_75_hours() -> None:
    assert ATTEMPTS == 10
    assert timedelta(hours=75) < sum(DELAYS, timedelta()) < timedelta(hours=76)


def test_a_receiver_can_only_ask_for_a_longer_wait_of_at_most_a_day() -> None:
    assert delay_after(1, timedelta(seconds=1), lambda: 0) == timedelta(seconds=5)
    assert delay_after(1, timedelta(hours=1), lambda: 0) == timedelta(hours=1)
    assert delay_after(1, timedelta(hours=99), lambda: 0) == timedelta(hours=24)
    assert delay_after(2, None, lambda: 1) == timedelta(minutes=6)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BoostCompleted", "boost.completed"),
        ("BoostRevertStarted", "boost.revert_started"),
        ("ViewsImportCreated", "view.import_created"),
        ("ContentRegistered", "view.content_registered"),
        ("WalletDeposited", "wallet.deposited"),
        ("KeysLoaded", "sponsorship.keys_loaded"),
        ("campaign.completion.check", "sponsorship.campaign_completion_check"),
        ("CAMPAIGN_PUBLISH_CONTENT", "promotion.campaign_publish_content"),
        ("PromotionCreated", "promotion.created"),
        ("message:sent", "broadcast.message_sent"),
        ("campaign:completed", "broadcast.campaign_completed"),
        ("PlatformStopped", "platform.stopped"),
        ("HookDisabled", "hook.disabled"),
    ],
)
def test_a_type_is_its_context_and_its_name(name: str, kind: str) -> None:
    assert type_of(name) == kind


FIRST = Endpoint(id="hok_1", url="https://shop.example/", created_at=NOON, created_by="ada", updated_at=NOON, master=1)


def failing(endpoint: Endpoint, at: datetime, next_at: datetime | None = None) -> Endpoint:
    return failed(endpoint, at, next_at, at)


def test_an_endpoint_that_fails_is_asked_again_when_its_delivery_is() -> None:
    due = NOON + timedelta(seconds=6)

    endpoint = failing(FIRST, NOON, due)

    assert endpoint.waits_until(NOON) == due
    assert endpoint.waits_until(due) is None


def test_a_probe_that_is_ahead_stays_where_it_is() -> None:
    """The failures of attempts that began before it failed say nothing new."""
    endpoint = failing(FIRST, NOON, NOON + timedelta(seconds=5))

    assert failing(endpoint, NOON + timedelta(seconds=1), NOON + timedelta(hours=1)) == endpoint


def test_new_deliveries_do_not_begin_the_schedule_of_a_failing_endpoint_again() -> None:
    """Each comes with its own five seconds; a busy endpoint would be asked all the time, and each wait is a step."""
    endpoint, now, waits = FIRST, NOON, []
    for _ in range(len(DELAYS) + 1):
        endpoint = failing(endpoint, now, now + DELAYS[1])
        assert endpoint.next_probe_at
        waits.append(endpoint.next_probe_at - now)
        now = endpoint.next_probe_at

    assert waits == [*DELAYS[1:], DELAYS[-1], DELAYS[-1]]


@pytest.mark.parametrize(
    ("lasts", "apart", "is_enough"),
    [
        (timedelta(days=5), timedelta(hours=12), True),
        (timedelta(days=5) - timedelta(seconds=1), timedelta(hours=12), False),
        (timedelta(days=9), timedelta(hours=12) - timedelta(seconds=1), False),
    ],
)
def test_five_days_of_failures_of_deliveries_twelve_hours_apart_are_enough(
    lasts: timedelta, apart: timedelta, is_enough: bool
) -> None:
    """Svix's rule: one event that nobody takes disables nothing."""
    endpoint = failing(FIRST, NOON)

    assert keeps_failing(endpoint, NOON + apart, NOON + lasts) is is_enough


def test_an_endpoint_without_failures_never_failed_for_long() -> None:
    endpoint = healthy(failing(FIRST, NOON))

    assert not keeps_failing(endpoint, NOON + timedelta(days=9), NOON + timedelta(days=9))


def test_a_change_of_its_url_forgets_its_failures_and_another_change_does_not() -> None:
    endpoint = failing(FIRST, NOON)

    assert changed(endpoint, {"url": "https://new.example/"}, NOON).failing_since is None
    assert changed(endpoint, {"description": "new"}, NOON).failing_since == NOON


def test_two_secrets_sign_until_the_overlap_is_over() -> None:
    endpoint = rotated(FIRST, 2, timedelta(hours=1), NOON)

    assert endpoint.generations(NOON) == [(2, 2), (1, 1)]
    assert endpoint.generations(NOON + timedelta(hours=1)) == [(2, 2)]
    assert masters_in_use([endpoint], NOON) == [1, 2]
    assert masters_in_use([endpoint], NOON + timedelta(hours=1)) == [2]


def a_delivery(status: str, wait: timedelta | None = None, **more: Any) -> Delivery:
    return Delivery(
        id="dlv_1",
        status=DeliveryStatus(status),
        created_at=NOON,
        created_by="fanout",
        updated_at=NOON,
        hook_id="hok_1",
        event_id="evt_1",
        event_type="boost.completed",
        event_at=NOON,
        body="{}",
        wake_at=None if wait is None else NOON + wait,
        **more,
    )


@pytest.mark.parametrize(
    ("delivery", "again"),
    [
        (a_delivery("waiting", timedelta(hours=2)), False),
        (a_delivery("failed", steps_done=20, ended_at=NOON), False),
        (a_delivery("held", expires_at=1), False),
        (a_delivery("delivered"), True),
    ],
    ids=lambda each: str(getattr(each, "status", each)),
)
def test_what_is_replayed_is_due_now(delivery: Delivery, again: bool) -> None:
    change = replay(delivery, "replay", NOON, again=again)

    assert change
    after = change.after
    assert (after.status, after.wake_at, after.step) == ("waiting", NOON, delivery.step + 1)
    assert (after.steps_done, after.ended_at, after.expires_at) == (0, None, None)


def test_a_replay_of_one_that_waits_begins_its_ten_attempts_not_again() -> None:
    claimed = claim(a_delivery("waiting", timedelta(), steps_done=3), NOON).after
    waiting = replace(claimed, status=DeliveryStatus.WAITING, wake_at=NOON + timedelta(hours=2))

    change = replay(waiting, "replay", NOON, again=False)

    assert change
    assert (change.after.call, change.after.steps_done) == (claimed.call, 4)


@pytest.mark.parametrize(
    "delivery",
    [
        a_delivery("sending", timedelta(seconds=30)),
        a_delivery("waiting", timedelta()),
        a_delivery("waiting", timedelta(hours=2), replayed_by="replay"),
        a_delivery("delivered", replayed_by="replay"),
    ],
    ids=["under way", "due", "waits, and this replay had it", "delivered by this replay"],
)
def test_what_is_under_way_or_was_in_this_replay_is_passed_by(delivery: Delivery) -> None:
    assert replay(delivery, "replay", NOON, again=True) is None


@pytest.mark.parametrize(("status", "code"), [("delivered", "already_delivered"), ("dropped", "hook_deleted")])
def test_a_replay_of_what_was_delivered_or_dropped_is_refused(status: str, code: str) -> None:
    with pytest.raises(Conflicting) as refused:
        replay(a_delivery(status), "replay", NOON, again=status == "dropped")

    assert refused.value.code == code


class Kept:
    """Secrets Manager with one secret; counts how often it is read."""

    def __init__(self) -> None:
        self.masters = {"1": MASTER}
        self.reads = 0

    def get_secret_value(self, **_: str) -> dict[str, str]:
        self.reads += 1
        return {"SecretString": json.dumps(self.masters)}


def test_masters_are_read_once_a_minute_and_when_a_newer_one_is_asked_for() -> None:
    kept = Kept()
    with time_machine.travel(NOON, tick=False) as clock:
        masters = Masters("arn", SystemClock(), lambda: kept)
        assert [masters.master(1), masters.newest(), masters.master(1), kept.reads] == [MASTER, 1, MASTER, 1]
        kept.masters["2"] = "n" * 64
        assert (masters.newest(), kept.reads) == (1, 1)
        assert (masters.master(2), masters.newest(), kept.reads) == ("n" * 64, 2, 2)
        with pytest.raises(Misconfigured):
            masters.master(3)
        clock.shift(timedelta(minutes=1))
        del kept.masters["1"]

        with pytest.raises(Misconfigured):
            masters.master(1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": "x"}', '{"1": "short"}', '{"1": 1}', "null"])
def test_masters_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        parsed(text)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"replay": {}}',
        '{"detail-type": "BoostCompleted", "detail": {"id": "evt_1", "at": "soon", "data": {}}}',
    ],
)
def test_a_message_that_is_neither_an_event_nor_a_replay_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        parse(body)


def test_the_worker_is_dead_when_its_claim_is_judged() -> None:
    """The template's timeout, and the deadline of a claim."""
    resources = translated()["Resources"]
    deadline = begin(None, "deliver", "evt_1", NOON, NOON + timedelta(seconds=CALL_SECONDS), PATIENCE).deadline

    assert resources["HooksWorkerFunction"]["Properties"]["Timeout"] == WORKER_SECONDS
    assert deadline - NOON >= timedelta(seconds=WORKER_SECONDS)
