"""What is outside of the promotions: a network and an escrow in memory, which count what was ever done to them."""

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.fakes.in_process import InProcessPublisher
from local.fakes.network import FakeNetwork, Operation
from promotions import quota
from promotions.accounts import Token
from promotions.networks import policies
from promotions.networks.factory import NetworkFactory
from promotions.ports import Account, Kind, Media, Metrics, Missing, NetworkPolicy, NotReadable, Page, SocialPublisher
from promotions.quota import Family, Limit
from sluice.clock import SystemClock
from sluice.outward import Absent, CannotTell, Done, Found, Outcome, Patience, Refused, Seen, Unknown
from tests.faults.world import Violation, World

KINDS = frozenset({Kind.LIKE, Kind.REPOST})
POLICY = replace(policies.SANDBOX, call_seconds=20, settle_seconds=120, kinds=KINDS)
"""The hardest of all networks, as X is, but for rewards."""
PAGE = 2
_FAMILIES = {
    **dict.fromkeys((Operation.POST, Operation.DELETE), Family.POSTS),
    **dict.fromkeys((Operation.FIND_OWN, Operation.METRICS), Family.METRICS),
    Operation.ENGAGED: Family.ENGAGERS,
}


class Wrong(StrEnum):
    """How the escrow misbehaves."""

    REFUSED = "refused"
    """Nothing is done, now and ever."""
    LOST = "lost"
    """It is done, and the answer is lost."""
    NEVER = "never"
    """Nothing is done, and there is no answer."""


@dataclass
class Outside:
    """The network and the escrow. They know no keys, so whatever is sent twice is done twice."""

    network: FakeNetwork = field(default_factory=lambda: FakeNetwork(SystemClock(), knows_keys=False))
    executed: list[tuple[str, str]] = field(default_factory=list)
    """The references and functions of what the contract executed."""
    refs: int = 0
    wrong: deque[Wrong | None] = field(default_factory=deque)
    """How the escrow's next calls go wrong; None: one goes well."""
    cannot_tell: int = 0
    """How many of the escrow's next looks come to nothing."""
    requests: Counter[tuple[Family, datetime]] = field(default_factory=Counter)
    """How many requests the network got, by their family and window."""
    limits: Mapping[Family, Limit] = field(default_factory=lambda: quota.LIMITS["sandbox"])
    restores: int = 0
    """How often the tables were put back: what was done here stays done."""
    put_back_at: datetime | None = None
    """When that was, the last time."""
    lost_posts: set[int] = field(default_factory=set)
    """The numbers of the posts that a restored promotion does not know of, until it finds them."""
    lost_calls: set[int] = field(default_factory=set)
    """So for what the contract executed."""

    def copy(self) -> "Outside":
        """As it is now."""
        return deepcopy(self)

    def became(self, other: "Outside") -> None:
        """Be as another one was."""
        vars(self).update(vars(other.copy()))

    def limit(self, **most: int) -> None:
        """Let so many requests of a family through in a minute, and no more."""
        self.limits = {each: Limit(most.get(each, 10_000), 60) for each in Family}

    def asked(self, operation: Operation, requests: int) -> None:
        """Count requests. Raises Violation for more than the budget has."""
        family = _FAMILIES[operation]
        now, limit = self.network.clock.now(), self.limits[family]
        since = int(now.timestamp()) // limit.seconds * limit.seconds
        window = family, datetime.fromtimestamp(since, now.tzinfo)
        self.requests[window] += requests
        # Of what was asked for before the tables were put back they know nothing.
        is_known = self.put_back_at is None or window[1] > self.put_back_at
        if self.requests[window] > limit.most and is_known:
            raise Violation(f"{self.requests[window]} requests of {family} in a window of {limit}")

    def check(self) -> None:
        """At most one post of each campaign, round and purpose was ever taken, and each function executed once.

        After a restore what was deleted in the lost time may be posted again, but nothing is there twice, as a reply to
        the same post. The escrow knows no call but by its reference, which is lost: it may execute each once more.
        """
        posts = Counter(
            (each.key, each.reply_to if self.restores else None)
            for each in self.network.posts
            if not self.restores or each.deleted_at is None
        )
        calls = Counter((ref.partition("@")[0], function) for ref, function in self.executed)
        twice: list[Any] = [each for each, many in posts.items() if many > 1]
        twice += [each for each, many in calls.items() if many > 1 + self.restores]
        if twice:
            raise Violation(f"done twice: {twice}")

    def put_back(self) -> None:
        """The tables are put back: they know less of what was done here."""
        self.restores += 1
        self.lost_posts = set(range(len(self.network.posts)))
        self.lost_calls = set(range(len(self.executed)))
        self.put_back_at = self.network.clock.now()

    def comes_lost(self) -> None:
        """A worker whose intent was taken back calls: the next post, or the next call, is not known of either."""
        self.lost_posts.add(len(self.network.posts))
        self.lost_calls.add(len(self.executed))

    def left_of(self, promotion: str) -> list[str]:
        """What is live, or in flight, of a promotion, and not lost: its posts, and open contracts."""
        posts = [
            each.key
            for number, each in enumerate(self.network.posts)
            if number not in self.lost_posts and _is_of(each.key, promotion) and each.deleted_at is None
        ]
        return posts + self.open_contracts(promotion)

    def open_contracts(self, promotion: str, *, lost: bool = False) -> list[str]:
        """The rounds of a promotion whose contract is there and not closed; `lost`: those of the lost time too."""
        done = {(ref.partition("@")[0], function) for ref, function in self.executed if _is_of(ref, promotion)}
        known = {
            ref.partition("@")[0]
            for number, (ref, _) in enumerate(self.executed)
            if lost or number not in self.lost_calls
        }
        return [
            ref
            for ref, function in sorted(done)
            if ref in known and function == "createCampaign" and (ref, "closeCampaign") not in done
        ]

    def has_undone(self, promotion: str) -> bool:
        """Whether anything of a promotion was undone in the lost time."""
        posts = (each for number, each in enumerate(self.network.posts) if number in self.lost_posts)
        calls = (each for number, each in enumerate(self.executed) if number in self.lost_calls)
        is_deleted = any(_is_of(each.key, promotion) and each.deleted_at for each in posts)
        return is_deleted or any(_is_of(ref, promotion) and function == "closeCampaign" for ref, function in calls)

    def has_all(self, promotion: str, number: int) -> bool:
        """Whether all of a publish is outside: of a promotion that was never restored, and nothing else of it."""
        live = [each.key for each in self.network.posts if _is_of(each.key, promotion) and each.deleted_at is None]
        wanted = {f"{promotion}#{number}#{stage}" for stage in ("first_post", "second_post")}
        contracts = self.open_contracts(promotion, lost=True)
        if self.restores:
            return {*live} >= wanted and f"{promotion}#{number}" in contracts
        return sorted(live) == sorted(wanted) and contracts == [f"{promotion}#{number}"]


def _is_of(key: str, promotion: str) -> bool:
    return key.startswith(f"{promotion}#")


type Arrives = Callable[[str], None]
"""Called with its reference when a call arrives that changes something."""


@dataclass
class Publisher:
    """As `SocialPublisher`: each request is a call to somebody outside, whose answer may be lost."""

    world: World
    outside: Outside
    arrives: Arrives

    def __post_init__(self) -> None:
        self.policy = POLICY
        self.blocked_until: datetime | None = None
        self._inner = InProcessPublisher(self.outside.network, POLICY, PAGE)

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        return self._act(Operation.POST, key, lambda: self._inner.post(text, media, reply_to, key))

    def delete(self, post_id: str) -> Outcome:
        return self._act(Operation.DELETE, "", lambda: self._inner.delete(post_id))

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:
        def look() -> Seen:
            self.outside.asked(Operation.FIND_OWN, 1)
            return self._inner.find_own(text, reply_to, key, since)

        try:
            found: Seen = self.world.outside("LookUp", look)
        except TimeoutError:
            return CannotTell("timeout")
        return found

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        return self._read(Operation.METRICS, lambda: self._inner.metrics(post_ids))

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        return self._read(Operation.ENGAGED, lambda: self._inner.engaged(post_id, kind, cursor))

    def me(self) -> Account:
        raise NotImplementedError

    def profile(self, handle: str) -> Account | None:
        raise NotImplementedError

    def _act(self, operation: Operation, ref: str, act: Callable[[], Outcome]) -> Outcome:
        def call() -> Outcome:
            if "@" in ref:
                raise Violation(f"a network was given a reference of the escrow: {ref}")
            self.outside.asked(operation, 1)
            self.arrives(ref)
            outcome = act()
            self.outside.check()
            return outcome

        try:
            outcome: Outcome = self.world.outside("Call", call)
        except TimeoutError:
            return Unknown("timeout")
        return outcome

    def _read[T](self, operation: Operation, read: Callable[[], T]) -> T:
        def look() -> T:
            self.outside.asked(operation, 1)
            return read()

        try:
            found: T = self.world.outside("LookUp", look)
        except TimeoutError as error:
            raise NotReadable("timeout") from error
        return found


@dataclass
class Escrow:
    """As `Escrow`: a look finds a call by its reference, and an absent one can no longer happen."""

    world: World
    outside: Outside
    arrives: Arrives

    expires = True
    patience = Patience(30, 0, looks=3)

    def made(self, ref: str) -> bool:
        return True

    def new_ref(self, key: str, now: datetime) -> str:
        self.outside.refs += 1
        return f"{key}@{self.outside.refs}"

    def submit(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Outcome:
        def call() -> Outcome:
            self.arrives(ref)
            wrong = self.outside.wrong.popleft() if self.outside.wrong else None
            if wrong is Wrong.REFUSED:
                return Refused("refused")
            if wrong is not Wrong.NEVER:
                self.outside.executed.append((ref, function))
                self.outside.check()
            return Unknown(wrong) if wrong else Done(ref)

        try:
            outcome: Outcome = self.world.outside("Call", call)
        except TimeoutError:
            return Unknown("timeout")
        return outcome

    def outcome(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Seen:
        def look() -> Seen:
            if "@" not in ref:
                raise Violation(f"the escrow was asked about {ref}, which it has never heard of")
            if self.outside.cannot_tell:
                self.outside.cannot_tell -= 1
                return CannotTell("the mirror is away")
            return Found(ref) if (ref, function) in self.outside.executed else Absent()

        try:
            found: Seen = self.world.outside("LookUp", look)
        except TimeoutError:
            return CannotTell("timeout")
        return found


def factory(world: World, outside: Outside, arrives: Arrives) -> type[NetworkFactory]:
    """The networks as they are, but for their one client and policy."""

    class Networks(NetworkFactory):
        def policy(self, network: str) -> NetworkPolicy:
            return POLICY

        def _client(self, network: str, token: Token) -> SocialPublisher:
            return Publisher(world, outside, arrives)

    return Networks
