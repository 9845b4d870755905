"""The steps of a close: each reads what it needs, and returns the change to commit (promotions section 5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from promotions import engagement, links, participants, settling
from promotions.outside import NotConnected, Outside
from promotions.ports import NOT_CONNECTED, Account, Kind, Metrics, Missing, NotReadable, SocialPublisher
from promotions.promotion import Change, Final, Promotion, PromotionType, Stage, halt
from promotions.publishing import WORKER
from promotions.split import Participant, judged, met, participant_hash
from sluice import ledger
from sluice.clock import Clock
from sluice.journal import Balance, budget, reserved

PAGE = 20
"""Participants of one page of rewards: 84 actions of the 100 that a transaction may have."""
MOST_ROWS = 95
"""Participants that one step lists; with the promotion and the platform they are 97 actions."""
MOST_REQUESTS = 8
_LARGEST_PAGE = 80
"""The most accounts that a network's page has."""
_READS = 100
_PATIENCE = timedelta(hours=1)
"""How long final metrics that cannot be read are tried again."""
_WAIT = timedelta(minutes=5)
_READING = timedelta(seconds=25)
"""How long one step reads pages: the last request and the commit must fit into the rest of the worker's timeout."""


@dataclass(frozen=True)
class Closing:
    """Computes the changes of the stages from final metrics to the end of the claims."""

    outside: Outside
    clock: Clock

    def __call__(self, promotion: Promotion, now: datetime) -> Change:
        """The next change of a promotion that closes. Raises Unavailable."""
        match promotion.stage:
            case Stage.FINAL_METRICS:
                return self._final_metrics(promotion, now)
            case Stage.ENGAGERS:
                return self._engagers(promotion, now)
            case Stage.SPLIT:
                return settling.split(promotion, _balance(budget(promotion.id)), now, WORKER)
            case Stage.REWARDS:
                return self._rewards(promotion, now)
            case Stage.REFUND:
                accounts = [budget(promotion.id)]
                if promotion.abandoned_at:
                    accounts.append(reserved(promotion.id))
                return settling.refund(promotion, ledger.read(accounts), now, WORKER)
            case Stage.CLAIMS:
                left = _balance(reserved(promotion.id))
                return settling.expire(promotion, left, now, WORKER, calls=self.outside.escrow.expires)
            case _:
                raise ValueError(f"{promotion.stage} is no stage of a close")

    def _final_metrics(self, promotion: Promotion, now: datetime) -> Change:
        """Read the metrics one last time. After an hour without a response, the known metrics are final."""
        gives_up_at = (promotion.closing_since or now) + _PATIENCE
        posts = _posts(promotion)
        known = engagement.known(promotion.id)
        policy = self.outside.networks.policy(promotion.network)
        lists = policy.rewards and promotion.type is PromotionType.REWARDED
        try:
            found = self._read(promotion, lambda publisher: publisher.metrics(posts))
        except NotReadable as error:
            if now >= gives_up_at:
                return settling.finish(promotion, known, now, lists=lists)
            return settling.wait(promotion, min(_until(error, now), gives_up_at), now)
        final = _final(known, [found[each] for each in posts], now)
        return settling.finish(promotion, final, now, lists=lists)

    def _engagers(self, promotion: Promotion, now: datetime) -> Change:
        """The next pages of accounts that engaged: as many as fit into one transaction, and into the worker's time."""
        sources = self._sources(promotion)
        source, cursor = promotion.progress.source, promotion.progress.cursor
        seen: dict[str, tuple[Account, frozenset[Kind]]] = {}
        requests = 0
        while source < len(sources) and self._has_room(seen, requests, now):
            post, kind = sources[source]
            requests += 1
            try:
                page = self._read(
                    promotion,
                    lambda publisher: publisher.engaged(post, kind, cursor),  # noqa: B023
                )
            except NotReadable as error:
                if (source, cursor) != (promotion.progress.source, promotion.progress.cursor):
                    break  # the pages before it are kept, else few requests a window would never get further
                if error.reason == NOT_CONNECTED:
                    return halt(promotion, NOT_CONNECTED, now)
                return settling.wait(promotion, _until(error, now), now)
            for account in page.items:
                _, kinds = seen.get(account.id, (account, frozenset()))
                seen[account.id] = account, kinds | {kind}
            # A server that goes on behind an empty page, or at the same place, would never end the list.
            cursor = page.cursor if page.items and page.cursor != cursor else None
            source += cursor is None
        listed = self._met(promotion, seen)
        is_last = source >= len(sources)
        return settling.list_engagers(promotion, listed, source, cursor, now, is_last=is_last)

    def _has_room(self, seen: dict[str, tuple[Account, frozenset[Kind]]], requests: int, now: datetime) -> bool:
        fits = len(seen) + _LARGEST_PAGE <= MOST_ROWS and requests < MOST_REQUESTS
        return fits and self.clock.now() < now + _READING

    def _sources(self, promotion: Promotion) -> list[tuple[str, Kind]]:
        kinds = self.outside.networks.policy(promotion.network).kinds
        return [(post, kind) for post in _posts(promotion) for kind in Kind if kind in kinds]

    def _met(
        self, promotion: Promotion, seen: dict[str, tuple[Account, frozenset[Kind]]]
    ) -> list[tuple[Participant | None, Participant]]:
        """Participants of the accounts that were seen, with all kinds that were found so far."""
        host = str(promotion.host)
        hashes = {each: participant_hash(promotion.id, host, each) for each in seen}
        before = participants.read(promotion.id, hashes.values())
        users, exceptions = links.owners_of(host, seen), links.exceptions_of(host, seen)
        found = []
        for account, kinds in seen.values():
            is_owner = account.id == promotion.account_id or users.get(account.id) == promotion.created_by
            at = promotion.closing_since or promotion.updated_at
            reason = judged(account, at, is_owner=is_owner, exception=exceptions.get(account.id))
            place = hashes[account.id]
            one = Participant(place, promotion.network, host, account.id, account.handle, frozenset(), 0, reason)
            earlier = before.get(place)
            found.append((earlier, met(earlier, one, kinds, settling.weights_of(promotion))))
        return found

    def _rewards(self, promotion: Promotion, now: datetime) -> Change:
        """The next page of shares, in hash order."""
        found, following = participants.page(promotion.id, _READS, promotion.progress.after)
        page = [each for each in found if each.reason is None]
        if len(page) > PAGE:
            page = page[:PAGE]
            following = page[-1].hash
        users = links.owners_of(str(promotion.host), [each.account_id for each in page])
        paid = participants.paid_of(promotion.id, users.values())
        promised = _balance(reserved(promotion.id))
        return settling.pay(promotion, promised, page, users, paid, following, now, WORKER)

    def _read[T](self, promotion: Promotion, read: Callable[[SocialPublisher], T]) -> T:
        """Make one read of a network with the owner's token. Raises NotReadable, Unavailable."""
        networks, network, owner = self.outside.networks, promotion.network, promotion.created_by
        try:
            return read(self.outside.publisher(promotion))
        except NotConnected as error:
            raise NotReadable(NOT_CONNECTED) from error
        except NotReadable as error:
            if error.reason == NOT_CONNECTED:
                networks.revoked(network, owner)
            raise


def _posts(promotion: Promotion) -> list[str]:
    return [each for each in (promotion.tweet_id, promotion.last_thread_tweet_id) if each]


def _final(known: Final, found: Sequence[Metrics | Missing], now: datetime) -> Final:
    """The final metrics after a read. If a post is gone, the metrics that were known last stay."""
    there = [each for each in found if isinstance(each, Metrics)]
    final = Final({name: sum(getattr(each, name) for each in there) for name in vars(Metrics())}, now)
    if len(there) == len(found):
        return final
    return replace(known if known.read_at else final, missing=True)


def _balance(account: str) -> Balance:
    return ledger.read([account])[account]


def _until(error: NotReadable, now: datetime) -> datetime:
    return error.retry_at or now + _WAIT
