"""A network's request budget (S4-22, S4-23): a token is taken before each request, and is never given back."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pynamodb.expressions.condition import Condition

from promotions.items import QuotaItem
from promotions.limits import LIMITS, Family, Left, Limit
from sluice.clock import rfc3339
from sluice.dynamodb import transient_as_unavailable, update_if

_WINDOW = "window"


def take(network: str, host: str, family: Family, requests: int, now: datetime) -> datetime | None:
    """Take tokens for requests that are about to be made: None when they were taken, else when to come back.

    On condition of the window: the counter of a new window begins once, and a late caller never sets it back.
    """
    limit = LIMITS[network][family]
    opened, ends = _window(limit, now)
    item = _item(host, family)
    free = QuotaItem.blocked_until.does_not_exist() | (QuotaItem.blocked_until <= now)
    room = (QuotaItem.opened_at == opened) & (QuotaItem.used <= limit.most - requests)
    older = QuotaItem.opened_at.does_not_exist() | (QuotaItem.opened_at < opened)
    more = [QuotaItem.used.add(requests)], room & free
    first = [QuotaItem.opened_at.set(opened), QuotaItem.used.set(requests)], older & free
    # Twice, because another caller may begin the window in between.
    if any(update_if(item, *each) for each in (more, first, more)):
        return None
    return _left(_read([item.id]).get(str(item.id)), network, family, now).blocked_until or ends


def block(host: str, family: Family, until: datetime) -> None:
    """Make no request of a family before `until`: the network said that none is left."""
    update_if(_item(host, family), [QuotaItem.blocked_until.set(until)], _sooner(until))


def succeeded(host: str, family: Family, now: datetime) -> None:
    """Note when the network last answered as it should."""
    later = QuotaItem.last_success.does_not_exist() | (QuotaItem.last_success < now)
    update_if(_item(host, family), [QuotaItem.last_success.set(now)], later)


def left(network: str, host: str, now: datetime) -> list[Left]:
    """What is left of each budget of a server, by a consistent read."""
    found = _read(_item(host, family).id for family in Family)
    return [_left(found.get(str(_item(host, family).id)), network, family, now) for family in Family]


def _left(item: QuotaItem | None, network: str, family: Family, now: datetime) -> Left:
    limit = LIMITS[network][family]
    opened, _ = _window(limit, now)
    used = int(item.used) if item and item.opened_at == opened else 0
    blocked = item.blocked_until if item and item.blocked_until and item.blocked_until > now else None
    return Left(family, used, limit.most, limit.seconds, blocked, item.last_success if item else None)


def _read(ids: Iterable[str]) -> dict[str, QuotaItem]:
    with transient_as_unavailable():
        items = QuotaItem.batch_get([(each, _WINDOW) for each in ids], consistent_read=True)
        return {str(item.id): item for item in items}


def _sooner(until: datetime) -> Condition:
    sooner: Condition = QuotaItem.blocked_until.does_not_exist() | (QuotaItem.blocked_until < until)
    return sooner


def _item(host: str, family: Family) -> QuotaItem:
    return QuotaItem(f"quota#{host}#{family}", _WINDOW)


def _window(limit: Limit, now: datetime) -> tuple[str, datetime]:
    """When the present window opened, as text, and when it ends."""
    since = int(now.timestamp()) // limit.seconds * limit.seconds
    opened = datetime.fromtimestamp(since, UTC)
    return rfc3339(opened), opened + timedelta(seconds=limit.seconds)
