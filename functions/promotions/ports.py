"""What promotions ask of social networks and of escrows, and what these answer. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from promotions.accounts import Connection
from sluice.errors import Unavailable
from sluice.outward import Outcome, Seen

NOT_CONNECTED = "not_connected"
"""Reason of a refusal or of a failed read: the network rejects the token. The connection is marked revoked."""
RATE_LIMITED = "rate_limited"
"""Reason of a call that the network did not take, or of a failed read: too many requests."""


class Kind(StrEnum):
    """How an account engages with a post."""

    LIKE = "like"
    REPOST = "repost"
    QUOTE = "quote"
    REPLY = "reply"


@dataclass(frozen=True)
class NetworkPolicy:
    """What a network allows, what it costs, and how long a call and its look take."""

    network: str
    """`sandbox`, `mastodon`, `x`."""
    rewards: bool
    """Whether the network's rules allow paying people who engage; if not, Sluice does not read who engaged."""
    kinds: frozenset[Kind]
    """The engagements whose accounts `engaged` can list."""
    length: Callable[[str], int]
    """The length of a text as the network counts it."""
    text_limit: int
    """The most that `length` may be."""
    media_types: frozenset[str]
    """`image/png` and its like."""
    media_count: int
    """The most media of one post."""
    media_bytes: int
    """The most bytes of one of them."""
    batch: int
    """The most posts that `metrics` reads in one request."""
    links: bool
    """Whether an account can be proven by a code in its profile."""
    post_price: Decimal
    """US dollars of a post, by the network's price list."""
    link_price: Decimal
    """US dollars of a post with a URL in its text."""
    has_url: Callable[[str], bool]
    """Whether a text costs `link_price`."""
    call_seconds: float
    """The longest that one method of the publisher takes: a total time, uploads included."""
    settle_seconds: float
    """Seconds after the end of a call until an absent post counts as never made."""

    def price(self, text: str) -> Decimal:
        """US dollars of a post with this text, by the network's price list."""
        return self.link_price if self.has_url(text) else self.post_price


@dataclass(frozen=True)
class Media:
    """A picture of a post."""

    type: str
    content: bytes


@dataclass(frozen=True)
class Metrics:
    """How often a post was engaged with, as the network counts; 0 for what it does not count."""

    likes: int = 0
    reposts: int = 0
    quotes: int = 0
    replies: int = 0


@dataclass(frozen=True)
class Missing:
    """The network has no such post, or no longer."""


@dataclass(frozen=True)
class Account:
    """An account of a network. A field is None when the network does not say it."""

    id: str
    """The network's stable id: never a handle."""
    handle: str
    created_at: datetime | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    bot: bool | None = None
    suspended: bool | None = None
    note: str = ""
    """The profile's text without markup."""


@dataclass(frozen=True)
class Page[T]:
    """A part of a list, and the cursor of the next part, if any."""

    items: Sequence[T]
    cursor: str | None


class NotReadable(Unavailable):
    """Raised when a network does not answer a read. `retry_at` is None when the network does not say."""

    def __init__(self, reason: str, retry_at: datetime | None = None) -> None:
        super().__init__(f"The network cannot be read: {reason}")
        self.reason = reason
        self.retry_at = retry_at


class SocialPublisher(Protocol):
    """One account's client of a network. It makes one attempt, never sleeps, and ends within `policy.call_seconds`.

    `post`, `find_own` and `delete` answer and never raise; the other methods raise NotReadable.
    """

    policy: NetworkPolicy

    @property
    def blocked_until(self) -> datetime | None:
        """The network said that no request is left until then; None after a response that says otherwise."""

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        """Post a text, as a reply to the own post `reply_to` if given: Done(post id).

        `key` names this attempt: a network that knows keys makes one post of all calls with one key.
        A rejected token is Refused(NOT_CONNECTED).
        """

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:
        """Look for an own post made since then, by its text and what it replies to, or by its key: Found(post id)."""

    def delete(self, post_id: str) -> Outcome:
        """Delete an own post: Done(post id), also when it is gone."""

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        """The metrics of at most `policy.batch` posts, in one request; each id is in the answer."""

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        """A page of at most 80 accounts that engaged with a post, in one request; a missing post has none."""

    def me(self) -> Account:
        """The account that the token is of. Raises NotReadable: `NOT_CONNECTED` for a rejected token."""

    def profile(self, handle: str) -> Account | None:
        """An account by its handle (`user`, or `user@host` on a federated network); None if there is none."""


class Escrow(Protocol):
    """Holds a campaign's record outside."""

    @property
    def expires(self) -> bool:
        """Whether it is called a last time when rewards were not claimed."""

    @property
    def settle_seconds(self) -> float:
        """Seconds after the end of a call until it has taken effect, or never will."""

    def made(self, ref: str) -> bool:
        """Whether a reference is of this kind of escrow: the stack may have been deployed with another one since."""

    def new_ref(self, key: str, now: datetime) -> str:
        """The reference of a call that is yet to be made: kept before it is. `key`: the campaign and its round."""

    def submit(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Outcome:
        """Call a function of the contract once: Done(transaction id)."""

    def outcome(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Seen:
        """Look a call up: Found(transaction id) only if memo, function and arguments are the same."""


class Connections(Protocol):
    """Who connected which network, and who may publish."""

    def find(self, owner: str, network: str) -> Connection | None:
        """A user's connection, by a consistent read. Raises Unavailable."""

    def is_suspended(self, connection: Connection) -> bool:
        """Whether an operator says that the account may not publish."""
