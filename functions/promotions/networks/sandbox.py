"""The sandbox: a network in the promotions table, for demos and tests. It knows a post by its key, exactly.

A text with `[sandbox:<switch>]` makes the post go wrong:

| switch     | first post of the text                        | later ones |
|------------|-----------------------------------------------|------------|
| lost       | made, and the answer is lost                  | the same   |
| unreadable | made, and the answer cannot be read           | the same   |
| inflight   | made 3 s after the answer is lost             | the same   |
| hidden     | made, lost, and not visible for 3 s           | the same   |
| hang       | not made, and no answer comes                 | made       |
| 429        | not taken, to come again in 2 s               | made       |
| 429-bare   | not taken, without a time                     | made       |
| expired    | refused, because the token is not valid       | made       |
| refused    | refused                                       | the same   |
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from promotions.networks import policies
from promotions.networks.items import PART, SandboxItem
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
from sluice.clock import Clock, rfc3339
from sluice.dynamodb import bound_to, read_batch, setting, transient_as_unavailable, update_if
from sluice.errors import Unavailable
from sluice.outward import Absent, CannotTell, Done, Found, NotTaken, Outcome, Refused, Seen, Unknown

LATER_SECONDS = 3
RETRY_SECONDS = 2
MOST_ENGAGED = 5_000
"""Handles of a post in all: they are in its item."""
_PAGE = 40
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,320}")
_SWITCH = re.compile(r"\[sandbox:([a-z0-9-]+)\]")


class Switch(StrEnum):
    """What a text can ask for."""

    LOST = "lost"
    UNREADABLE = "unreadable"
    INFLIGHT = "inflight"
    HIDDEN = "hidden"
    HANG = "hang"
    LIMITED = "429"
    LIMITED_BARE = "429-bare"
    EXPIRED = "expired"
    REFUSED = "refused"


_ONCE = frozenset({Switch.HANG, Switch.LIMITED, Switch.LIMITED_BARE, Switch.EXPIRED})
_LATE = frozenset({Switch.INFLIGHT, Switch.HIDDEN})


class Sandbox:
    """The sandbox of a table, as an operator sets it. Raises Unavailable."""

    def __init__(self, table: str, clock: Clock) -> None:
        self._items = bound_to(SandboxItem, table)
        self._clock = clock

    def set_account(self, account: Account) -> Account:
        """Set an account, by its handle; its id is made of the handle."""
        profile = {
            "handle": account.handle,
            "created_at": rfc3339(account.created_at) if account.created_at else None,
            "followers": account.followers,
            "following": account.following,
            "posts": account.posts,
            "bot": account.bot,
            "suspended": account.suspended,
            "note": account.note,
        }
        with transient_as_unavailable():
            self._items(_account_key(account.handle), profile=profile).save()
        return _account(account.handle, profile)

    def set_engagement(
        self, post_id: str, engaged: Mapping[Kind, Sequence[str]], metrics: Metrics | None = None
    ) -> bool:
        """Set who engaged with a post, at most MOST_ENGAGED handles in all; False if there is no such post.

        `metrics`: what the post counts, if not as many.
        """
        if self.post(post_id) is None:
            return False
        values = {
            "engaged": {kind: list(handles) for kind, handles in engaged.items()},
            "metrics": vars(metrics) if metrics else None,
        }
        return self._set(_post_key(post_id), values, is_new=False)

    def post(self, post_id: str) -> SandboxItem | None:
        """A post that can be seen."""
        return next((each for each in self.posts([post_id]).values() if each), None)

    def posts(self, post_ids: Sequence[str]) -> dict[str, SandboxItem | None]:
        """Posts that can be seen, at most 100."""
        now = self._clock.now()
        found = {each.id: each for each in self._read([_post_key(each) for each in post_ids])}
        visible = {key: each for key, each in found.items() if each.visible_at <= now and each.deleted_at is None}
        return {each: visible.get(_post_key(each)) for each in post_ids}

    def accounts(self, handles: Sequence[str]) -> list[Account]:
        """At most 100 accounts. An account that was never set has an id and nothing else."""
        found = {each.id: each.profile for each in self._read([_account_key(each) for each in handles])}
        return [_account(each, found.get(_account_key(each), {})) for each in handles]

    def profile(self, handle: str) -> Account | None:
        """An account that an operator set."""
        found = next(iter(self._read([_account_key(handle)])), None)
        return _account(handle, found.profile) if found else None

    def take(self, post_id: str, author: str, text: str, reply_to: str | None, media: list[str], late: bool) -> None:
        """Make a post, if there is none with its id; `late`: it is visible in LATER_SECONDS."""
        now = self._clock.now()
        values = {
            "author": author,
            "text": text,
            "reply_to": reply_to,
            "media": media,
            "made_at": now,
            "visible_at": now + timedelta(seconds=LATER_SECONDS if late else 0),
        }
        self._set(_post_key(post_id), values, is_new=True)

    def delete(self, post_id: str) -> None:
        """Delete a post, if there is one."""
        self._set(_post_key(post_id), {"deleted_at": self._clock.now()}, is_new=False)

    def is_first(self, switch: Switch, text: str) -> bool:
        """Whether a switch of a text has had no effect yet; then it has."""
        digest = sha256(f"{switch} {text}".encode()).hexdigest()
        return self._set(f"sandbox#!{digest}", {"made_at": self._clock.now()}, is_new=True)

    def _set(self, key: str, values: Mapping[str, object], *, is_new: bool) -> bool:
        exists = self._items.id.exists()
        condition = ~exists if is_new else exists
        return update_if(self._items(key), setting(self._items, values), condition)

    def _read(self, keys: Sequence[str]) -> list[SandboxItem]:
        return read_batch(self._items, [(each, PART) for each in dict.fromkeys(keys)], lambda item: item)


class SandboxPublisher:
    """As `SocialPublisher`, for the account `author` of the sandbox."""

    policy: NetworkPolicy = policies.SANDBOX
    blocked_until: datetime | None = None

    def __init__(self, sandbox: Sandbox, clock: Clock, author: str) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._author = author

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        """As `SocialPublisher.post`; see the module for switches."""
        try:
            return self._post(text, media, reply_to, _post_id(key))
        except Unavailable as error:
            return Unknown(str(error))

    def _post(self, text: str, media: Sequence[Media], reply_to: str | None, post_id: str) -> Outcome:
        switch = _switch(text)
        if switch in _ONCE and not self._sandbox.is_first(switch, text):
            switch = None
        match switch:
            case Switch.LIMITED:
                return NotTaken(RATE_LIMITED, self._clock.now() + timedelta(seconds=RETRY_SECONDS))
            case Switch.LIMITED_BARE:
                return NotTaken(RATE_LIMITED)
            case Switch.REFUSED:
                return Refused("The sandbox refuses this text")
            case Switch.EXPIRED:
                return Refused(NOT_CONNECTED)
            case Switch.HANG:
                return Unknown("No answer in time")
        if reply_to and self._sandbox.post(reply_to) is None:
            return Refused("There is no post to reply to")
        types = [each.type for each in media]
        self._sandbox.take(post_id, self._author, text, reply_to, types, late=switch in _LATE)
        return Unknown(f"The sandbox was asked for this: {switch}") if switch else Done(post_id)

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:  # noqa: ARG002
        """As `SocialPublisher.find_own`, by the key."""
        try:
            found = self._sandbox.post(_post_id(key))
        except Unavailable as error:
            return CannotTell(str(error))
        return Found(_post_id(key)) if found else Absent()

    def delete(self, post_id: str) -> Outcome:
        """As `SocialPublisher.delete`."""
        try:
            self._sandbox.delete(post_id)
        except Unavailable as error:
            return Unknown(str(error))
        return Done(post_id)

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        """As `SocialPublisher.metrics`."""
        with _readable():
            found = self._sandbox.posts(post_ids)
        return {each: _metrics(item) if item else Missing() for each, item in found.items()}

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        """As `SocialPublisher.engaged`."""
        begin = int(cursor or 0)
        end = begin + _PAGE
        with _readable():
            post = self._sandbox.post(post_id)
            handles = (post.engaged or {}).get(kind, []) if post else []
            accounts = self._sandbox.accounts(handles[begin:end])
        return Page(accounts, str(end) if end < len(handles) else None)

    def me(self) -> Account:
        """As `SocialPublisher.me`: the author's name is the token."""
        if not _NAME.fullmatch(self._author):
            raise NotReadable(NOT_CONNECTED)
        with _readable():
            return self._sandbox.accounts([self._author])[0]

    def profile(self, handle: str) -> Account | None:
        """As `SocialPublisher.profile`."""
        with _readable():
            return self._sandbox.profile(handle.removeprefix("@"))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise NotReadable(str(error)) from error


def _switch(text: str) -> Switch | None:
    found = _SWITCH.search(text)
    return Switch(found[1]) if found and found[1] in set(Switch) else None


def _post_id(key: str) -> str:
    return f"sbx{sha256(key.encode()).hexdigest()[:24]}"


def _post_key(post_id: str) -> str:
    return f"sandbox#{post_id}"


def _account_key(handle: str) -> str:
    return f"sandbox#@{handle.lower()}"


def _account(handle: str, profile: Mapping[str, object]) -> Account:
    fields = dict(profile) | {"id": f"acc{sha256(handle.lower().encode()).hexdigest()[:24]}"}
    made = fields.get("created_at")
    fields |= {
        "handle": profile.get("handle", handle),
        "created_at": datetime.fromisoformat(str(made)) if made else None,
    }
    return Account(**fields)  # type: ignore[arg-type] # as `set_account` writes it


def _metrics(item: SandboxItem) -> Metrics:
    if item.metrics:
        return Metrics(**item.metrics)
    likes, reposts, quotes, replies = (len((item.engaged or {}).get(kind, [])) for kind in Kind)
    return Metrics(likes, reposts, quotes, replies)
