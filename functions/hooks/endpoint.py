"""An endpoint: where events go, which ones, and how it does. Pure.

enabled -disable, 410, five days of failures-> disabled -enable-> enabled      any -delete-> deleted
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from hooks.backoff import ATTEMPTS, DELAYS

PREFIX = "hok"
MOST = 50
"""Endpoints that there may be."""
DISABLED_AFTER = timedelta(days=5)
_APART = timedelta(hours=12)
KEEPS_FAILING = "failing"
GONE = "gone"
BY_HAND = "by hand"


class HookStatus(StrEnum):
    """Whether an endpoint gets anything."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint. Times are UTC."""

    id: str
    url: str
    created_at: datetime
    created_by: str
    updated_at: datetime
    master: int
    """The number of the master that its secret is derived from."""
    events: tuple[str, ...] = ()
    description: str = ""
    status: HookStatus = HookStatus.ENABLED
    disabled_reason: str | None = None
    generation: int = 1
    old_generation: int | None = None
    old_master: int | None = None
    old_signs_until: datetime | None = None
    """Until when the secret before signs too."""
    audit_number: int = 0
    audit_hash: str = ""
    failing_since: datetime | None = None
    """When the first attempt since the last success failed."""
    first_failing_event_at: datetime | None = None
    """When the event of that attempt's delivery came."""
    next_probe_at: datetime | None = None
    """While it fails: when the next attempt is made, its probe. All deliveries wait for it."""
    failures: int = 0
    """How many probes failed in a row. Deliveries that come meanwhile do not begin from five seconds again."""
    last_success_at: datetime | None = None
    request: str | None = None
    """The last command and the id of its request: a repeat after a lost answer succeeds."""

    @property
    def is_enabled(self) -> bool:
        return self.status is HookStatus.ENABLED

    def generations(self, now: datetime) -> list[tuple[int, int]]:
        """Master and generation of each secret that signs now, the newest first."""
        found = [(self.master, self.generation)]
        if self.old_generation and self.old_master and self.old_signs_until and now < self.old_signs_until:
            found.append((self.old_master, self.old_generation))
        return found

    def master_of(self, generation: int) -> int | None:
        """The master of a generation that it remembers; None for an older one."""
        return {self.generation: self.master, self.old_generation: self.old_master}.get(generation)

    def waits_until(self, now: datetime) -> datetime | None:
        """Until when deliveries wait for the next probe; None if they may go now."""
        return self.next_probe_at if self.next_probe_at and now < self.next_probe_at else None


def changed(endpoint: Endpoint, values: dict[str, Any], now: datetime) -> Endpoint:
    """The endpoint with other terms. Another URL has no past."""
    after = replace(endpoint, updated_at=now, **values)
    return after if after.url == endpoint.url else healthy(after)


def healthy(endpoint: Endpoint) -> Endpoint:
    """The endpoint without its failures."""
    return replace(endpoint, failing_since=None, first_failing_event_at=None, next_probe_at=None, failures=0)


def disabled(endpoint: Endpoint, reason: str, now: datetime) -> Endpoint:
    """The endpoint, which gets nothing from now on: what comes is held."""
    return replace(endpoint, status=HookStatus.DISABLED, disabled_reason=reason, updated_at=now)


def enabled(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint, which gets events again, with its failures forgotten."""
    return replace(healthy(endpoint), status=HookStatus.ENABLED, disabled_reason=None, updated_at=now)


def deleted(endpoint: Endpoint, now: datetime) -> Endpoint:
    """The endpoint as it is kept for its audit chain."""
    return replace(endpoint, status=HookStatus.DELETED, updated_at=now)


def rotated(endpoint: Endpoint, master: int, overlap: timedelta, now: datetime) -> Endpoint:
    """The endpoint with a new secret; the one before signs too for `overlap`."""
    return replace(
        endpoint,
        generation=endpoint.generation + 1,
        master=master,
        old_generation=endpoint.generation,
        old_master=endpoint.master,
        old_signs_until=now + overlap,
        updated_at=now,
    )


def failed(endpoint: Endpoint, event_at: datetime, next_at: datetime | None, now: datetime) -> Endpoint:
    """The endpoint after a failed attempt, which is made again at `next_at`, if ever.

    A probe that is still ahead stays. The next one keeps the schedule of a delivery that fails from the first failure
    on: else each new delivery of a busy endpoint would make a probe five seconds later, for which all others wait.
    """
    failing = replace(
        endpoint,
        failing_since=endpoint.failing_since or now,
        first_failing_event_at=endpoint.first_failing_event_at or event_at,
    )
    if endpoint.waits_until(now):
        return failing
    failures = endpoint.failures + 1
    planned = now + DELAYS[min(failures, ATTEMPTS - 1)]
    return replace(failing, failures=failures, next_probe_at=max(planned, next_at or planned))


def keeps_failing(endpoint: Endpoint, event_at: datetime, now: datetime) -> bool:
    """Whether it failed for five days, with events twelve hours apart (Svix's rule)."""
    since, first = endpoint.failing_since, endpoint.first_failing_event_at
    return bool(since and first and now - since >= DISABLED_AFTER and event_at - first >= _APART)


def masters_in_use(endpoints: Iterable[Endpoint], now: datetime) -> list[int]:
    """The masters that may not be taken out of HooksSecret yet."""
    return sorted({master for each in endpoints for master, _ in each.generations(now)})
