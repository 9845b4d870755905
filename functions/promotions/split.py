"""Who shares a promotion's budget, and what each gets: whole minor units, the pool exactly. Pure.

Participants are many and their weights are few. So a histogram of weights tells how large each share is, and how many
participants of a weight get one unit more (the largest remainders); the pages then give those units in hash order.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from hashlib import sha256

from promotions.ports import Account, Kind

YOUNGEST = timedelta(days=30)
MOST_FOLLOWED = 50
"""The most accounts that one follows for each of its followers."""
MOST_POSTS_A_DAY = 100
RATE_PLACES = 6


class Reason(StrEnum):
    """Why an account gets nothing."""

    OWNER = "owner"
    BOT = "bot"
    TOO_YOUNG = "account_too_young"
    FOLLOWS_TOO_MANY = "follows_too_many"
    POSTS_TOO_MUCH = "posts_too_much"
    SUSPENDED = "suspended"
    EXCEPTION = "exception"
    """An operator excluded it."""
    NO_WEIGHT = "no_weight"
    """Its kinds of engagement weigh nothing here."""
    NO_SHARE = "share_is_zero"
    """The budget has fewer units than participants."""
    DUPLICATE_USER = "duplicate_user"
    """The person has been paid for another account."""


class ParticipantState(StrEnum):
    """What became of a participant's share."""

    LISTED = "listed"
    """No page of rewards has reached it yet. A participant that is not eligible stays listed."""
    PAID = "paid"
    CLAIMABLE = "claimable"
    DUPLICATE_USER = "duplicate_user"
    """The share of a person who was paid for another account: it goes back to the owner."""
    UNPAID = "unpaid"
    """Nothing is paid, for its reason."""
    EXPIRED = "expired"
    """Claimable, and not claimed in time: it goes back to the owner. Shown, and never stored."""


@dataclass(frozen=True)
class Participant:
    """An account that engaged with a promotion. `amount` is in minor units, 0 until its page."""

    hash: str
    """Its place in the order of the split: a hash, so nobody can choose it."""
    network: str
    host: str
    account_id: str
    handle: str
    """As it was seen last: an account is known by its id alone."""
    kinds: frozenset[Kind]
    weight: int
    reason: Reason | None = None
    """Why it gets nothing; None for an eligible participant."""
    amount: int = 0
    state: ParticipantState = ParticipantState.LISTED
    user: str | None = None
    """Who was paid."""

    @property
    def is_counted(self) -> bool:
        """Whether it counts in the split. Its page of rewards does not change that."""
        return self.reason is None or self.state is not ParticipantState.LISTED


@dataclass(frozen=True)
class WeightClass:
    """All eligible participants of one weight."""

    weight: int
    participants: int
    share: int = 0
    """What each of them gets, in minor units."""
    odd: int = 0
    """How many of them get one unit more: the first ones in hash order."""
    given: int = 0
    """How many of those units the pages have given."""


@dataclass(frozen=True)
class Split:
    """How the pool is divided."""

    pool: int
    promised: int
    """The sum of all shares: the pool, unless a cap lowers it or no participant is eligible."""
    rate: str
    """Pool / total weight in major units: decimal text, rounded down to 6 places."""
    classes: tuple[WeightClass, ...]


def participant_hash(promotion_id: str, host: str, account_id: str) -> str:
    """SHA-256 in hex. The same id at another host is another account."""
    return sha256(f"{promotion_id}#{host}#{account_id}".encode()).hexdigest()


def account_key(host: str, account_id: str) -> str:
    """The name of an account in keys: `mastodon.social#1234`."""
    return f"{host}#{account_id}"


def judged(account: Account, at: datetime, *, is_owner: bool, exception: bool | None) -> Reason | None:
    """Why an account gets nothing, at the time when the promotion began to close; None for an eligible one.

    `exception` is an operator's word, which overrules everything but the owner: True includes it, False excludes it.
    A rule is left out when the network does not say what it needs.
    """
    if is_owner:
        return Reason.OWNER
    if exception is not None:
        return None if exception else Reason.EXCEPTION
    age = at - account.created_at if account.created_at else None
    if account.suspended:
        return Reason.SUSPENDED
    if account.bot:
        return Reason.BOT
    if age is not None and age < YOUNGEST:
        return Reason.TOO_YOUNG
    following, followers = account.following, account.followers
    if following is not None and followers is not None and following > MOST_FOLLOWED * max(1, followers):
        return Reason.FOLLOWS_TOO_MANY
    if age is not None and account.posts is not None and account.posts > MOST_POSTS_A_DAY * max(1, age.days):
        return Reason.POSTS_TOO_MUCH
    return None


def weight_of(kinds: Collection[Kind], weights: Sequence[int] | None) -> int:
    """What a participant weighs by its kinds of engagement, each once; 1 for an equal split (`weights` is None).

    `weights` are the weights of a like, a repost, a quote and a reply.
    """
    if weights is None:
        return int(bool(kinds))
    return sum(weight for kind, weight in zip(Kind, weights, strict=True) if kind in kinds)


def met(
    before: Participant | None, seen: Participant, kinds: frozenset[Kind], weights: Sequence[int] | None
) -> Participant:
    """A participant with these kinds of engagement and the kinds found before: each kind counts once."""
    kinds |= before.kinds if before else frozenset()
    weight = weight_of(kinds, weights)
    reason = seen.reason or (None if weight else Reason.NO_WEIGHT)
    return replace(seen, kinds=kinds, weight=weight, reason=reason)


def counted(
    classes: Iterable[WeightClass], changes: Iterable[tuple[Participant | None, Participant]]
) -> tuple[WeightClass, ...]:
    """The histogram after participants changed: each is in the class of its weight, if it is eligible."""
    numbers = {each.weight: each.participants for each in classes}
    for before, after in changes:
        for participant, step in ((before, -1), (after, 1)):
            if participant and participant.reason is None:
                numbers[participant.weight] = numbers.get(participant.weight, 0) + step
    return tuple(WeightClass(weight, number) for weight, number in sorted(numbers.items()) if number)


def divided(pool: int, classes: Sequence[WeightClass], cap: int | None, exponent: int) -> Split:
    """Divide a pool by weights: each share is the exact one rounded down, or one unit more by the largest remainders.

    `cap` is the most that one participant gets; the rest of the share is not promised. `exponent`: the currency's.
    """
    total = sum(each.weight * each.participants for each in classes)
    if not total:
        return Split(pool, 0, "0", ())
    left = pool - sum(pool * each.weight // total * each.participants for each in classes)
    odd: Mapping[int, int] = {}
    for each in sorted(classes, key=lambda each: (-(pool * each.weight % total), -each.weight)):
        odd = {**odd, each.weight: min(left, each.participants)}
        left -= odd[each.weight]
    shared = tuple(
        _capped(replace(each, share=pool * each.weight // total, odd=odd[each.weight]), cap) for each in classes
    )
    promised = sum(each.share * each.participants + each.odd for each in shared)
    rate = (Decimal(pool) / total).scaleb(-exponent).quantize(Decimal(1).scaleb(-RATE_PLACES), ROUND_DOWN)
    return Split(pool, promised, f"{rate.normalize():f}", shared)


def _capped(found: WeightClass, cap: int | None) -> WeightClass:
    return found if cap is None or found.share < cap else replace(found, share=cap, odd=0)


def shares(
    classes: Sequence[WeightClass], page: Sequence[Participant]
) -> tuple[list[Participant], tuple[WeightClass, ...]]:
    """The next eligible participants in hash order with their amounts, and the classes with the odd units given."""
    found = {each.weight: each for each in classes}
    shared = []
    for participant in page:
        mine = found[participant.weight]
        extra = int(mine.given < mine.odd)
        found[participant.weight] = replace(mine, given=mine.given + extra)
        shared.append(replace(participant, amount=mine.share + extra))
    return shared, tuple(found[each.weight] for each in classes)
