"""A publisher that takes a token of its network's request budget before each request (section 6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from promotions import quota
from promotions.limits import Family
from promotions.ports import RATE_LIMITED, Account, Kind, Media, Metrics, Missing, NetworkPolicy, NotReadable, Page
from promotions.ports import SocialPublisher as Publisher
from sluice.clock import Clock
from sluice.outward import Absent, CannotTell, Done, Found, NotTaken, Outcome, Seen

LOOK_REQUESTS = 2
"""The most requests of one look: Mastodon lists an account's posts in pages of 40, and two of them are read."""


@dataclass
class Metered:
    """Asks the budget first. A call without a token is not made, and comes back in the next window."""

    publisher: Publisher
    network: str
    host: str
    clock: Clock

    def __post_init__(self) -> None:
        self.policy: NetworkPolicy = self.publisher.policy
        self.blocked_until: datetime | None = None

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        return self._do(1 + len(media), lambda: self.publisher.post(text, media, reply_to, key))

    def delete(self, post_id: str) -> Outcome:
        return self._do(1, lambda: self.publisher.delete(post_id))

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:
        if self._taken(Family.METRICS, LOOK_REQUESTS):
            return CannotTell(RATE_LIMITED)
        found = self.publisher.find_own(text, reply_to, key, since)
        self._noted(Family.METRICS, isinstance(found, Found | Absent))
        return found

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        return self._read(Family.METRICS, lambda: self.publisher.metrics(post_ids))

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        return self._read(Family.ENGAGERS, lambda: self.publisher.engaged(post_id, kind, cursor))

    def me(self) -> Account:
        return self._read(Family.METRICS, self.publisher.me)

    def profile(self, handle: str) -> Account | None:
        return self._read(Family.METRICS, lambda: self.publisher.profile(handle))

    def _do(self, requests: int, act: Callable[[], Outcome]) -> Outcome:
        if wait := self._taken(Family.POSTS, requests):
            return NotTaken(RATE_LIMITED, wait)
        outcome = act()
        self._noted(Family.POSTS, isinstance(outcome, Done))
        return outcome

    def _read[T](self, family: Family, read: Callable[[], T]) -> T:
        if wait := self._taken(family, 1):
            raise NotReadable(RATE_LIMITED, wait)
        try:
            found = read()
        except NotReadable:
            self._noted(family, is_success=False)
            raise
        self._noted(family, is_success=True)
        return found

    def _taken(self, family: Family, requests: int) -> datetime | None:
        return quota.take(self.network, self.host, family, requests, self.clock.now())

    def _noted(self, family: Family, is_success: bool) -> None:
        self.blocked_until = self.publisher.blocked_until
        if self.blocked_until:
            quota.block(self.host, family, self.blocked_until)
        if is_success:
            quota.succeeded(self.host, family, self.clock.now())
