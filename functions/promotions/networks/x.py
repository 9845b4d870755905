"""X: a client of one account, by tweepy. X knows no idempotency keys: an unknown post is looked for in the timeline.

X's rules forbid paying for engagement, so nobody reads who engaged.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import tweepy  # type: ignore[import-untyped]

from promotions.networks import policies
from promotions.networks.posting import is_same, post_with
from promotions.networks.wire import Elsewhere, Wire
from promotions.ports import NOT_CONNECTED, Account, Kind, Media, Metrics, Missing, NetworkPolicy, NotReadable, Page
from sluice.clock import Clock
from sluice.egress import Hosts, session
from sluice.outward import Absent, CannotTell, Done, Found, Outcome, Seen

HOST = "api.twitter.com"
"""The host to which tweepy sends requests, and for which it signs them."""
REQUEST_SECONDS = 8.0
_OWN_PAGE = 100
_OAUTH1 = {"consumer_key", "consumer_secret", "access_token", "access_token_secret"}


class XPublisher:
    """As `SocialPublisher`, for the account `account_id`.

    `token`: a user's OAuth 2 token, or the four texts of OAuth 1 as JSON: `{"consumer_key", "consumer_secret",
    "access_token", "access_token_secret"}`. `base_url`: where X is, if not at its own host.
    """

    policy: NetworkPolicy = policies.X

    def __init__(
        self,
        token: str,
        account_id: str,
        hosts: Hosts,
        clock: Clock,
        base_url: str = "",
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        """`seconds`: the longest that one request takes. Raises NotReadable for JSON that is no token."""
        self._account_id = account_id
        self._seconds = seconds
        keys = _keys(token) if token.startswith("{") else {}
        self._is_oauth1 = bool(keys)
        self._client = tweepy.Client(None if keys else token, return_type=dict, **keys)
        self._client.session = session(hosts, seconds)
        if base_url:
            elsewhere = Elsewhere(base_url, self._client.session.get_adapter(base_url))
            self._client.session.mount(f"https://{HOST}/", elsewhere)
        self._wire = Wire(self._client.session, clock, _is_duplicate)

    @property
    def blocked_until(self) -> datetime | None:
        """As `SocialPublisher.blocked_until`."""
        return self._wire.blocked_until

    def post(self, text: str, media: Sequence[Media], reply_to: str | None, key: str) -> Outcome:  # noqa: ARG002
        """As `SocialPublisher.post`. A duplicate is Unknown: it may be this very post, after a lost answer."""

        def post(media_ids: list[str]) -> Outcome:
            return self._wire.outcome(
                lambda: self._client.create_tweet(
                    text=text,
                    in_reply_to_tweet_id=reply_to,
                    media_ids=media_ids or None,
                    user_auth=self._is_oauth1,
                )["data"]["id"]
            )

        return post_with(media, self._upload, post, self.policy.call_seconds - self._seconds)

    def _upload(self, picture: Media) -> Outcome:
        """tweepy has no upload of API v2."""

        def upload() -> Any:
            client = self._client
            answer = client.session.post(
                f"https://{HOST}/2/media/upload",
                data={"media_category": "tweet_image", "media_type": picture.type},
                files={"media": picture.content},
                auth=self._signer() if self._is_oauth1 else None,
                headers={} if self._is_oauth1 else {"Authorization": f"Bearer {client.bearer_token}"},
            )
            answer.raise_for_status()
            return answer.json()["data"]["id"]

        return self._wire.outcome(upload)

    def _signer(self) -> Any:
        client = self._client
        handler = tweepy.OAuth1UserHandler(
            client.consumer_key, client.consumer_secret, client.access_token, client.access_token_secret
        )
        return handler.apply_auth()

    def find_own(self, text: str, reply_to: str | None, key: str, since: datetime) -> Seen:  # noqa: ARG002
        """As `SocialPublisher.find_own`, by the text."""
        return self._wire.seen(lambda: self._look(text, reply_to, since))

    def _look(self, text: str, reply_to: str | None, since: datetime) -> Seen:
        answer = self._client.get_users_tweets(
            self._account_id,
            start_time=since,
            max_results=_OWN_PAGE,
            tweet_fields=["created_at", "entities", "referenced_tweets"],
            user_auth=self._is_oauth1,
        )
        own = answer.get("data", [])
        for each in own:
            if _replies_to(each) == reply_to and is_same(_text(each), text):
                return Found(str(each["id"]))
        return CannotTell("The account has posted too much since") if answer["meta"].get("next_token") else Absent()

    def delete(self, post_id: str) -> Outcome:
        """As `SocialPublisher.delete`."""

        def delete() -> str | None:
            answer = self._client.delete_tweet(post_id, user_auth=self._is_oauth1)
            return post_id if answer["data"]["deleted"] else None

        outcome = self._wire.outcome(delete)
        return Done(post_id) if self._wire.status == 404 else outcome

    def metrics(self, post_ids: Sequence[str]) -> Mapping[str, Metrics | Missing]:
        """As `SocialPublisher.metrics`. Missing posts are named in the `errors` of an answer with status 200."""
        if not post_ids:
            return {}

        def read() -> dict[str, Metrics]:
            answer = self._client.get_tweets(list(post_ids), tweet_fields=["public_metrics"], user_auth=self._is_oauth1)
            if "data" not in answer and "errors" not in answer:
                raise ValueError("neither posts nor errors")
            return {str(each["id"]): _metrics(each["public_metrics"]) for each in answer.get("data", [])}

        found = self._wire.read(read)
        return {each: found.get(each, Missing()) for each in post_ids}

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Account]:  # noqa: ARG002
        """Return no accounts: rewards are off, and reading accounts costs money."""
        return Page([], None)

    def me(self) -> Account:
        """As `SocialPublisher.me`."""
        return self._wire.read(lambda: _account(self._client.get_me(user_auth=self._is_oauth1)["data"]))

    def profile(self, handle: str) -> Account | None:
        """As `SocialPublisher.profile`."""

        def read() -> Account | None:
            answer = self._client.get_user(
                username=handle.removeprefix("@"),
                user_fields=["created_at", "description", "public_metrics"],
                user_auth=self._is_oauth1,
            )
            return _account(answer["data"]) if "data" in answer else None

        try:
            return self._wire.read(read)
        except NotReadable:
            if self._wire.status == 404:
                return None
            raise


def _keys(token: str) -> dict[str, str]:
    try:
        keys: dict[str, str] = json.loads(token)
    except ValueError:
        raise NotReadable(NOT_CONNECTED) from None  # it quotes the token
    if keys.keys() != _OAUTH1 or not all(isinstance(each, str) and each for each in keys.values()):
        raise NotReadable(NOT_CONNECTED)
    return keys


def hosts_of(base_url: str, private: Sequence[str]) -> Hosts:
    """The one host that X is at."""
    return Hosts.of([urlsplit(base_url).netloc if base_url else HOST], private)


def _is_duplicate(status: int, reason: str) -> bool:
    return status == 403 and "duplicate" in reason.lower()


def _replies_to(post: Mapping[str, Any]) -> str | None:
    referenced = post.get("referenced_tweets", [])
    return next((str(each["id"]) for each in referenced if each["type"] == "replied_to"), None)


def _text(post: Mapping[str, Any]) -> str:
    """The text as it was posted: X replaces URLs, and puts one behind it for the pictures."""
    text = str(post["text"])
    for each in post.get("entities", {}).get("urls", []):
        text = text.replace(each["url"], "" if "media_key" in each else each.get("expanded_url") or each["url"])
    return text


def _metrics(found: Mapping[str, int]) -> Metrics:
    """X's documentation says `retweet_count`, its specification `repost_count`."""
    return Metrics(
        likes=found.get("like_count", 0),
        reposts=found.get("retweet_count", found.get("repost_count", 0)),
        quotes=found.get("quote_count", 0),
        replies=found.get("reply_count", 0),
    )


def _account(found: Mapping[str, Any]) -> Account:
    counts = found.get("public_metrics", {})
    created_at = found.get("created_at")
    return Account(
        id=str(found["id"]),
        handle=str(found["username"]),
        created_at=datetime.fromisoformat(created_at) if created_at else None,
        followers=counts.get("followers_count"),
        following=counts.get("following_count"),
        posts=counts.get("tweet_count"),
        note=str(found.get("description", "")),
    )
