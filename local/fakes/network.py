"""A social network in memory: it counts each post that it ever made, and misbehaves by a script. With a clock."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from promotions.ports import Account, Kind, Metrics
from sluice.clock import Clock


class Operation(StrEnum):
    """What a network is asked for: the methods of `SocialPublisher`."""

    POST = "post"
    UPLOAD = "upload"
    FIND_OWN = "find_own"
    DELETE = "delete"
    METRICS = "metrics"
    ENGAGED = "engaged"
    PROFILE = "profile"


class Fault(StrEnum):
    """How a request goes wrong."""

    LIMITED = "limited"
    """Nothing happens; 429, and when to come again."""
    LIMITED_BARE = "limited-bare"
    """Nothing happens; 429 alone."""
    REFUSED = "refused"
    """Nothing happens, now and ever."""
    DUPLICATE = "duplicate"
    """Nothing happens: the text is said to be a duplicate."""
    EXPIRED = "expired"
    """Nothing happens: the token is rejected."""
    UNAVAILABLE = "unavailable"
    """Nothing happens; 503."""
    HANG = "hang"
    """Nothing happens, and no answer comes."""
    LOST = "lost"
    """It happens, and the connection is dropped."""
    GATEWAY = "gateway"
    """It happens, and a gateway answers 504 (Tusky#2951)."""
    FAILED = "failed"
    """It happens, and the answer is 500 (atproto#3718)."""
    UNREADABLE = "unreadable"
    """It happens, and the answer is 200 with HTML."""
    NO_ID = "no-id"
    """It happens, and the answer is 200 without what was asked for."""
    ODD_RESET = "odd-reset"
    """It happens, and the answer has a header of the rate limit that is no time."""
    LATER = "later"
    """It happens `LATER_SECONDS` after the connection was dropped."""
    HIDDEN = "hidden"
    """It happens, and cannot be seen for `HIDDEN_SECONDS`, nor is its key known (mastodon#21840); no answer comes."""


WITHOUT_EFFECT = frozenset(
    {
        Fault.LIMITED,
        Fault.LIMITED_BARE,
        Fault.REFUSED,
        Fault.DUPLICATE,
        Fault.EXPIRED,
        Fault.UNAVAILABLE,
        Fault.HANG,
    }
)
LATER_SECONDS = 100
HIDDEN_SECONDS = 60
RESET_SECONDS = 60
"""When a limited request may come again."""


class Duplicate(Exception):
    """The network has had this text."""


@dataclass
class Post:
    """A post that is made at `made_at`, and seen from `visible_at`, until it is deleted."""

    id: str
    author: str
    text: str
    reply_to: str | None
    key: str
    media: tuple[str, ...]
    made_at: datetime
    visible_at: datetime
    deleted_at: datetime | None = None
    metrics: Metrics | None = None
    """None: as many as `engaged` has."""
    engaged: dict[Kind, list[str]] = field(default_factory=dict)
    """Handles, by what they did."""


class FakeNetwork:
    """What a network holds. `author` and `handle` are of the account that posts."""

    def __init__(
        self,
        clock: Clock,
        *,
        author: str = "1001",
        handle: str = "acme",
        knows_keys: bool = True,
        refuses_duplicates: bool = False,
    ) -> None:
        """`knows_keys`: one post for each key. `refuses_duplicates`: of any text it ever had, deleted ones too."""
        self.author = author
        self.handle = handle
        self.posts: list[Post] = []
        """All that were ever taken, in their order: also those that are not made yet, or deleted."""
        self.accounts: dict[str, Account] = {}
        """By handle in lower case."""
        self.requests: list[Operation] = []
        self.clock = clock
        self._knows_keys = knows_keys
        self._refuses_duplicates = refuses_duplicates
        self._script: dict[Operation, deque[Fault | None]] = {}

    def script(self, operation: Operation, *faults: Fault | None) -> None:
        """The next requests of an operation go wrong like this, in their order; None: one goes well."""
        self._script.setdefault(operation, deque()).extend(faults)

    def asked(self, operation: Operation) -> Fault | None:
        """Note a request: the fault that it meets, if any."""
        self.requests.append(operation)
        script = self._script.get(operation)
        return script.popleft() if script else None

    def post(
        self,
        text: str,
        reply_to: str | None = None,
        key: str = "",
        media: Iterable[str] = (),
        fault: Fault | None = None,
    ) -> Post:
        """Take a post, whose `fault` may be LATER or HIDDEN. Raises Duplicate."""
        now = self.clock.now()
        if self._knows_keys and key:
            for each in self.posts:
                if each.key == key and each.visible_at <= now:
                    return each
        if self._refuses_duplicates and any(each.text == text and each.made_at <= now for each in self.posts):
            raise Duplicate
        made_at = now + timedelta(seconds=LATER_SECONDS if fault is Fault.LATER else 0)
        visible_at = made_at + timedelta(seconds=HIDDEN_SECONDS if fault is Fault.HIDDEN else 0)
        number = 9_007_199_254_740_993 + len(self.posts)  # more than a browser's number can hold
        found = Post(str(number), self.author, text, reply_to, key, tuple(media), made_at, visible_at)
        self.posts.append(found)
        return found

    def made(self, text: str | None = None, key: str | None = None) -> int:
        """How many posts were ever made, with this text or key if given, deleted ones too."""
        now = self.clock.now()
        return sum(each.made_at <= now and text in (None, each.text) and key in (None, each.key) for each in self.posts)

    def live(self) -> list[Post]:
        """The posts that anybody can see, the newest first."""
        now = self.clock.now()
        return [each for each in reversed(self.posts) if each.visible_at <= now and each.deleted_at is None]

    def get(self, post_id: str) -> Post | None:
        """A post that anybody can see."""
        return next((each for each in self.live() if each.id == post_id), None)

    def delete(self, post_id: str) -> bool:
        """Delete a post: False if there is none."""
        found = self.get(post_id)
        if found:
            found.deleted_at = self.clock.now()
        return found is not None

    def engage(self, post_id: str, engaged: Mapping[Kind, Iterable[str]], metrics: Metrics | None = None) -> None:
        """Set who engaged with a post, by handle, and what it counts, if it is not as many."""
        found = self.get(post_id)
        if found is None:
            raise KeyError(post_id)
        found.engaged = {kind: list(handles) for kind, handles in engaged.items()}
        found.metrics = metrics

    def metrics(self, post: Post) -> Metrics:
        """What a post counts."""
        if post.metrics:
            return post.metrics
        likes, reposts, quotes, replies = (len(post.engaged.get(kind, [])) for kind in Kind)
        return Metrics(likes, reposts, quotes, replies)

    def account(self, handle: str) -> Account:
        """An account, as it was set; else one of which little is known."""
        if handle.lower() == self.handle:
            return Account(id=self.author, handle=handle)
        known = self.accounts.get(handle.lower())
        return known or Account(id=str(int(sha256(handle.lower().encode()).hexdigest()[:14], 16)), handle=handle)
