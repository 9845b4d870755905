"""A publisher on a fake network without HTTP: what a network's adapter would answer, for tests of many runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from local.fakes.network import RESET_SECONDS, WITHOUT_EFFECT, Duplicate, FakeNetwork, Fault, Operation
from promotions.networks import policies
from promotions.ports import (
    NOT_CONNECTED,
    RATE_LIMITED,
    Account,
    Kind,
    Media,
    Metrics,
    Missing,
    NetworkPolicy,
    NotReadable,
    Page,
)
from sluice.outward import Absent, CannotTell, Done, Found, NotTaken, Outcome, Refused, Seen, Unknown


class InProcessPublisher:
    """As `SocialPublisher`."""

    def __init__(self, network: FakeNetwork, policy: NetworkPolicy = policies.SANDBOX, page: int = 20) -> None:
        self.policy = policy
        self.blocked_until: datetime | None = None
        self._network = network
        self._page = page

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        fault = self._network.asked(Operation.POST)
        if fault in WITHOUT_EFFECT:
            return self._failed(fault)
        try:
            made = self._network.post(text, reply_to, key, (each.type for each in media), fault)
        except Duplicate:
            return Unknown("duplicate")
        return self._failed(fault) if fault else Done(made.id)

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:  # noqa: ARG002
        fault = self._network.asked(Operation.FIND_OWN)
        if fault:
            return CannotTell(self._failed(fault).reason)
        for each in self._network.live():
            if each.text == text and each.reply_to == reply_to and each.made_at >= since:
                return Found(each.id)
        return Absent()

    def delete(self, post_id: str) -> Outcome:
        fault = self._network.asked(Operation.DELETE)
        if fault not in WITHOUT_EFFECT:
            self._network.delete(post_id)
        return self._failed(fault) if fault else Done(post_id)

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        self._read(Operation.METRICS)
        found = {each: self._network.get(each) for each in post_ids}
        return {each: self._network.metrics(post) if post else Missing() for each, post in found.items()}

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        self._read(Operation.ENGAGED)
        post = self._network.get(post_id)
        handles = post.engaged.get(kind, []) if post else []
        begin = int(cursor or 0)
        end = begin + self._page
        page = [self._network.account(each) for each in handles[begin:end]]
        return Page(page, str(end) if end < len(handles) else None)

    def me(self) -> Account:
        self._read(Operation.PROFILE)
        return self._network.account(self._network.handle)

    def profile(self, handle: str) -> Account | None:
        self._read(Operation.PROFILE)
        return self._network.accounts.get(handle.lower())

    def _read(self, operation: Operation) -> None:
        fault = self._network.asked(operation)
        if fault:
            failed = self._failed(fault)
            raise NotReadable(failed.reason, failed.retry_at if isinstance(failed, NotTaken) else None)

    def _failed(self, fault: Fault | None) -> Refused | NotTaken | Unknown:
        match fault:
            case Fault.LIMITED:
                self.blocked_until = self._network.clock.now() + timedelta(seconds=RESET_SECONDS)
                return NotTaken(RATE_LIMITED, self.blocked_until)
            case Fault.LIMITED_BARE:
                return NotTaken(RATE_LIMITED)
            case Fault.REFUSED:
                return Refused("refused")
            case Fault.EXPIRED:
                return Refused(NOT_CONNECTED)
            case _:
                return Unknown(str(fault))
