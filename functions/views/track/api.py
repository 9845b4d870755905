"""HTTP: count views, or say which rules refuse them. No framework: what is imported here is most of a cold start.

`views.track.routes` documents the routes.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sluice import bearer, envelope, keyring, settings
from sluice.clock import Clock, SystemClock
from sluice.errors import NotFound, Refused, Unavailable
from views import viewers
from views.rules import DO_NOT_TRACK, Decision
from views.track import bodies
from views.track.bodies import Body
from views.track.bootstrap import TrackingSettings, deciding, recognised
from views.track.counter import LeftAlone, NotTracked, OutcomeUnknown, ViewCounter
from views.track.fallback import Fallback
from views.viewers import Viewer, Viewers, ViewRequest

COOKIE = "sluice_session"

_encode = json.JSONEncoder(separators=(",", ":")).encode
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings(TrackingSettings):
    """What the function reads from the environment."""

    viewer_token_secret: str
    viewer_token_audience: str


@dataclass(frozen=True)
class Tracker:
    """Recognises viewers and counts their views: in Redis, and in the database while Redis is away."""

    recognised: Viewers
    counted: ViewCounter
    fallback: Fallback
    clock: Clock
    content_types: tuple[str, ...]
    _: KW_ONLY
    honours_do_not_track: bool

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises Invalid, TooLarge, Unavailable."""
        headers = envelope.headers_of(event)
        body = self._read(event, headers)
        request = ViewRequest(headers, event["requestContext"]["http"]["sourceIp"], body.session or _cookie(event))
        now = self.clock.now()
        viewer = self.recognised.recognise(request, now)
        reasons = viewers.reasons_not_to_count(request, honours_do_not_track=self.honours_do_not_track)
        contents = [viewed for viewed in body.views if isinstance(viewed, tuple)]
        decisions, is_degraded = self._track(viewer, contents, now, reasons) if contents else ([], False)
        # A browser that asks not to be tracked is given no cookie.
        cookies = [] if DO_NOT_TRACK in reasons else [_set_cookie(viewer, now)]
        told = _TOLD[_route(event)](list(_each_told(body, decisions)))
        degraded = {"degraded": True} if is_degraded else {}
        return _response(200, told | degraded | {"session": viewer.session}, cookies=cookies)

    def _read(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> Body:
        kind = bodies.KINDS.get(_route(event))
        if kind is None:  # a Function URL passes on whatever is asked of it
            raise NotFound("This route does not exist", "not_found")
        envelope.check_query(event.get("rawQueryString", ""), ())
        text = envelope.text_of(event.get("body") or "", is_base64=event.get("isBase64Encoded", False))
        return bodies.read(kind, text, headers, self.content_types)

    def _track(
        self, viewer: Viewer, contents: Sequence[tuple[str, str]], now: datetime, reasons: tuple[str, ...]
    ) -> tuple[list[Decision], bool]:
        """What became of views, and whether without Redis."""
        try:
            return self.counted.track_many(viewer.key, contents, now, reasons, viewer.beside), False
        except LeftAlone:
            pass  # it was logged when it failed
        except NotTracked as error:
            logger.warning("Redis is away: views go to the database", exc_info=error)
        if reasons:
            return [Decision(reasons)] * len(contents), True
        # Today's name, so that a session of another day and none are one viewer there too.
        return self.fallback.track_many(viewer.beside.today or viewer.key, contents, now), True


@cache
def tracker() -> Tracker:
    read = settings.read(Settings)
    secrets = keyring.usable(read.viewer_token_secret, "viewer token secret")
    return Tracker(
        recognised(read, bearer.subject_by(secrets, read.viewer_token_audience)),
        deciding(read),
        Fallback(read.views_table, read.time_zone),
        SystemClock(),
        read.content_types,
        honours_do_not_track=read.honour_do_not_track,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        return tracker().answer(event)
    except Exception as error:
        return _refusal(error, event["requestContext"]["requestId"])


def _refusal(error: Exception, request_id: str) -> dict[str, Any]:
    match error:
        case Refused():
            pass  # the access log has it
        case OutcomeUnknown():
            logger.warning("Redis is away: it gave no answer", exc_info=error, extra={"request_id": request_id})
        case Unavailable():
            logger.warning("Unavailable", exc_info=error, extra={"request_id": request_id})
        case _:
            logger.error("Unexpected error", exc_info=error, extra={"request_id": request_id})
    status, problem, headers = envelope.problem(error, request_id)
    return _response(status.value, asdict(problem), headers)


def _each_told(body: Body, decisions: Sequence[Decision]) -> Iterator[dict[str, Any]]:
    """What is told of each view, in order; `decisions` are those on the good ones."""
    deciding = iter(decisions)
    for viewed in body.views:
        if isinstance(viewed, tuple):
            yield _told(next(deciding))
        else:
            yield {"counted": False, "errors": [asdict(error) for error in viewed]}


def _told(decision: Decision) -> dict[str, Any]:
    told: dict[str, Any] = {"counted": decision.is_counted}
    if not decision.is_counted:
        told |= {"reason": decision.reason, "reasons": decision.reasons}
    if decision.retry_after_seconds is not None:
        told["retry_after_seconds"] = decision.retry_after_seconds
    return told


_TOLD: dict[str, Callable[[list[dict[str, Any]]], dict[str, Any]]] = {
    "POST /api/views": lambda told: told[0],
    "POST /api/views/batch": lambda told: {"views": told},
}


def _route(event: Mapping[str, Any]) -> str:
    """By method and path: the route key of a Function URL is always `$default`."""
    return f"{event['requestContext']['http']['method']} {event['rawPath']}"


def _cookie(event: Mapping[str, Any]) -> str:
    for cookie in event.get("cookies", ()):
        name, _, value = cookie.partition("=")
        if name == COOKIE:
            return str(value)
    return ""


def _set_cookie(viewer: Viewer, now: datetime) -> str:
    left = viewer.session_ends - int(now.timestamp())
    return f"{COOKIE}={viewer.session}; Max-Age={left}; Path=/; HttpOnly; Secure; SameSite=Lax"


def _response(
    status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None, cookies: list[str] | None = None
) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **envelope.HEADERS, **(headers or {})},
        "cookies": cookies or [],
        "body": _encode(body),
        "isBase64Encoded": False,
    }
