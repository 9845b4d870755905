"""`views.track.api`, called as Lambda calls it, with a browser in front."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import time_machine

from sluice import tokens
from tests.factories import NOON
from tests.gateway import Context, a_request
from tests.integration.harness import Answer
from tests.redis_servers import Servers
from views.held import parts_of
from views.track import api as track

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ADDRESS = "203.0.113.77"
VIEWS_SECRET = "v" * 32
VIEWER_TOKEN_SECRET = "t" * 32
VIEWERS = "sluice-viewer"
"""The audience of viewers' tokens."""
SETTINGS = {
    "VIEW_SHARDS": "16",
    "TIME_ZONE": "UTC",
    "CONTENT_TYPES": "video,story",
    "VIEWS_TABLE": "ViewsTable",
    "MAX_VIEWS_PER_SESSION": "3",
    "MAX_VIEWS_PER_DAY": "100",
    "ONCE_PER_DAY": "true",
    "COOLDOWN_SECONDS": "300",
    "SESSION_SECONDS": "86400",
    "MAX_CONTENTS": "100000",
    "NETWORK_LIMIT": "0",
    "REGISTERED_ONLY": "false",
    "HONOUR_DO_NOT_TRACK": "false",
    "LITERAL_USER_KEYS": "false",
    "VIEWS_SECRET": json.dumps({"current": VIEWS_SECRET, "previous": ""}),
    "VIEWER_TOKEN_SECRET": json.dumps({"current": VIEWER_TOKEN_SECRET, "previous": ""}),
    "VIEWER_TOKEN_AUDIENCE": VIEWERS,
}


def a_view(
    content_id: object = "123",
    *,
    session: str | None = None,
    cookie: str | None = None,
    subject: str | None = None,
    token: str | None = None,
    address: str = ADDRESS,
    agent: str = BROWSER,
    headers: Mapping[str, str] | None = None,
    path: str = "/api/views",
    **request: Any,
) -> dict[str, Any]:
    """The event of one view of a story; `text`, `body` and `query` as `a_request` takes them."""
    if "text" not in request and "body" not in request:
        view = {"content_type": "story", "content_id": content_id}
        request["body"] = view | ({"session": session} if session is not None else {})
    if subject is not None:
        token = a_token(subject)
    sent = {"user-agent": agent, **({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    event = a_request("POST", path, role=None, headers=sent, **request)
    event["requestContext"]["http"] |= {"sourceIp": address, "userAgent": agent}
    if cookie is not None:
        event["cookies"] = ["theme=dark", f"sluice_session={cookie}"]
    return event


def a_token(subject: str, now: datetime = NOON, lifetime: timedelta = timedelta(days=7)) -> str:
    return tokens.mint(VIEWER_TOKEN_SECRET, subject, None, VIEWERS, lifetime, now)


@dataclass
class TrackFunction:
    """One environment of the function; `changes` to its settings by name."""

    changes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, servers: Servers, **changes: str) -> "TrackFunction":
        return cls({"REDIS_URL": servers.url, "REDIS_MODE": servers.mode, **changes})

    def __post_init__(self) -> None:
        track.tracker.cache_clear()

    def view(self, content_id: object = "123", at: datetime = NOON, **request: Any) -> Answer:
        """One view of a story at a time."""
        return self.call(a_view(content_id, **request), at)

    def views(self, *views: object, at: datetime = NOON, session: str | None = None, **request: Any) -> Answer:
        """Views at once: of a story where only its id is given."""
        if "text" not in request and "body" not in request:
            sent = [{"content_type": "story", "content_id": each} if isinstance(each, str) else each for each in views]
            request["body"] = {"views": sent} | ({"session": session} if session is not None else {})
        return self.call(a_view(path="/api/views/batch", **request), at)

    def call(self, event: dict[str, Any], at: datetime = NOON) -> Answer:
        environment = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        with (
            patch.dict("os.environ", environment | SETTINGS | self.changes, clear=True),
            time_machine.travel(at, tick=False),
        ):
            answer = track.handler(json.loads(json.dumps(event)), Context())
        return Answer.of(answer)


def pending(servers: Servers) -> dict[str, int]:
    """Views by content, over all shards."""
    counts: dict[str, int] = {}
    for key, value in servers.everything().items():
        if key.endswith(b":pending"):
            for name, held in value.items():
                views = sum(part.views for part in parts_of(held.decode(), 0))
                counts[name.decode()] = counts.get(name.decode(), 0) + views
    return counts
