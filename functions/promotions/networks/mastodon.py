"""Mastodon: a client of one account at one server, by Mastodon.py, which makes the requests.

Responses are read here, as JSON: the library casts them to its types, and returns an empty list for a response that is
no list.

A post is made with an idempotency key, which servers keep for an hour, but store only after the post (mastodon#21840),
and which Pixelfed and others ignore: so an unknown post is looked for among the account's own.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mastodon import Mastodon

from promotions.networks import policies
from promotions.networks.posting import is_same, post_with, without_markup
from promotions.networks.wire import Wire
from promotions.ports import Account, Kind, Media, Metrics, Missing, NetworkPolicy, NotReadable, Page
from sluice.clock import Clock
from sluice.egress import Hosts, base_url, session
from sluice.outward import Absent, CannotTell, Done, Found, Outcome, Seen

REQUEST_SECONDS = 8.0
_VERSION = (4, 3, 0)
_PAGE = 80
_OWN_PAGE = 40
_OWN_PAGES = 2
_GONE = (404, 410)
_LISTS = {Kind.LIKE: "favourited_by", Kind.REPOST: "reblogged_by", Kind.QUOTE: "quotes"}


class MastodonPublisher:
    """As `SocialPublisher`, for the account `account_id` at `host`."""

    policy: NetworkPolicy = policies.MASTODON

    def __init__(
        self, host: str, token: str, account_id: str, hosts: Hosts, clock: Clock, seconds: float = REQUEST_SECONDS
    ) -> None:
        """`seconds`: the longest that one request takes."""
        self._account_id = account_id
        self._seconds = seconds
        self._session = session(hosts, seconds)
        self._wire = Wire(self._session, clock)
        self._client = Mastodon(
            api_base_url=base_url(host),
            ratelimit_method="throw",  # it would sleep, up to 5 minutes
            version_check_mode="none",
            mastodon_version=".".join(map(str, _VERSION)),  # it would ask the server
            request_timeout=seconds,
            session=self._session,
        )
        # Without a check, it takes every server for a 1.0.
        self._client.mastodon_major, self._client.mastodon_minor, self._client.mastodon_patch = _VERSION
        # Given to the constructor, it would be read as a file's name: /proc/self/environ is one.
        self._client.access_token = token or None

    @property
    def blocked_until(self) -> datetime | None:
        """As `SocialPublisher.blocked_until`."""
        return self._wire.blocked_until

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:
        """As `SocialPublisher.post`."""

        def upload(picture: Media) -> Outcome:
            return self._wire.outcome(lambda: self._id_of(self._client.media_post(picture.content, picture.type)))

        def post(media_ids: list[str]) -> Outcome:
            return self._wire.outcome(
                lambda: self._id_of(
                    self._client.status_post(
                        text,
                        in_reply_to_id=reply_to,
                        media_ids=media_ids or None,
                        visibility="public",
                        idempotency_key=key,
                    )
                )
            )

        return post_with(media, upload, post, self.policy.call_seconds - self._seconds)

    def _id_of(self, _: object) -> Any:
        return self._wire.json()["id"]

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:  # noqa: ARG002
        """As `SocialPublisher.find_own`, by the text: no server can be asked for a key."""
        return self._wire.seen(lambda: self._look(text, reply_to, since))

    def _look(self, text: str, reply_to: str | None, since: datetime) -> Seen:
        oldest = None
        for _ in range(_OWN_PAGES):
            self._client.account_statuses(self._account_id, exclude_reblogs=True, limit=_OWN_PAGE, max_id=oldest)
            own = self._wire.listed()
            for each in own:
                replies_to = each["in_reply_to_id"]
                is_reply_meant = (str(replies_to) if replies_to else None) == reply_to
                if is_reply_meant and is_same(without_markup(each["content"]), text):
                    return Found(str(each["id"]))
            if len(own) < _OWN_PAGE or datetime.fromisoformat(own[-1]["created_at"]) < since:
                return Absent()
            oldest = own[-1]["id"]
        return CannotTell("The account has posted too much since")

    def delete(self, post_id: str) -> Outcome:
        """As `SocialPublisher.delete`."""
        outcome = self._wire.outcome(lambda: self._client.status_delete(post_id) and post_id)
        return Done(post_id) if self._wire.status in _GONE else outcome

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        """As `SocialPublisher.metrics`. Servers before 4.3 cannot answer it."""
        if not post_ids:
            return {}

        def read() -> dict[str, Metrics]:
            self._client.statuses(list(post_ids))
            return {str(each["id"]): _metrics(each) for each in self._wire.listed()}

        found = self._wire.read(read)
        return {each: found.get(each, Missing()) for each in post_ids}

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:
        """As `SocialPublisher.engaged`: what this server knows, which may be fewer than its counts (mastodon#24082).

        Quotes are listed by servers from 4.5 on; older ones have none.
        """
        if kind is Kind.REPLY:
            return self._or_none(lambda: self._replied(post_id, int(cursor or 0)))
        page: Any = {
            "_pagination_method": "GET",
            "_pagination_endpoint": f"/api/v1/statuses/{post_id}/{_LISTS[kind]}",
            "limit": _PAGE,
        } | ({"max_id": cursor} if cursor else {})

        def read() -> Page[Account]:
            following = getattr(self._client.fetch_next(page), "_pagination_next", None)
            found = self._wire.listed()
            accounts = [each["account"] if kind is Kind.QUOTE else each for each in found]
            return Page(_distinct(accounts), str(following["max_id"]) if following and found else None)

        return self._or_none(read)

    def _replied(self, post_id: str, begin: int) -> Page[Account]:
        self._client.status_context(post_id)
        replies = self._wire.json()["descendants"]
        accounts = _distinct(each["account"] for each in replies if str(each["in_reply_to_id"]) == post_id)
        end = begin + _PAGE
        return Page(accounts[begin:end], str(end) if len(accounts) > end else None)

    def _or_none(self, read: Callable[[], Page[Account]]) -> Page[Account]:
        try:
            return self._wire.read(read)
        except NotReadable:
            if self._wire.status in _GONE:
                return Page([], None)
            raise

    def me(self) -> Account:
        """As `SocialPublisher.me`."""

        def read() -> Account:
            self._client.account_verify_credentials()
            return _account(self._wire.json())

        return self._wire.read(read)

    def profile(self, handle: str) -> Account | None:
        """As `SocialPublisher.profile`: an account that this server knows."""

        def read() -> Account:
            self._client.account_lookup(handle.removeprefix("@"))
            return _account(self._wire.json())

        try:
            return self._wire.read(read)
        except NotReadable:
            if self._wire.status in _GONE:
                return None
            raise


def _metrics(status: Any) -> Metrics:
    return Metrics(
        likes=int(status["favourites_count"]),
        reposts=int(status["reblogs_count"]),
        quotes=int(status.get("quotes_count") or 0),
        replies=int(status["replies_count"]),
    )


def _account(found: Any) -> Account:
    made = found.get("created_at")
    return Account(
        id=str(found["id"]),
        handle=str(found["acct"]),
        created_at=datetime.fromisoformat(made) if made else None,
        followers=found.get("followers_count"),
        following=found.get("following_count"),
        posts=found.get("statuses_count"),
        bot=found.get("bot"),
        suspended=bool(found.get("suspended")),  # present only for suspended accounts
        note=without_markup(found.get("note") or ""),
    )


def _distinct(found: Any) -> list[Account]:
    return list({each.id: each for each in map(_account, found)}.values())
