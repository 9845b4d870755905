"""HTTP: mint impression tokens, and count impressions and clicks. No framework: what is imported here is most of a cold
start.

`sponsorships.recording.routes` documents the routes.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from sluice import bearer, envelope, keyring, settings
from sluice.clock import rfc3339
from sluice.errors import NotFound, Refused, Unavailable
from sponsorships.impressions import CLICK, IMPRESSION, Reason
from sponsorships.recording import bodies
from sponsorships.recording.bootstrap import Settings, recorder
from sponsorships.recording.recorder import Caller, Recorded, Recorder

_PATH = re.compile(r"/api/v1/campaigns/(spn_[0-7][0-9A-HJKMNP-TV-Z]{25})(/[a-z/]+)")

_encode = json.JSONEncoder(separators=(",", ":")).encode
logger = logging.getLogger(f"sluice.{__name__}")
# Metrics are made of these lines, whatever the runtime's own level is.
logger.setLevel(logging.INFO)


@dataclass(frozen=True)
class Recording:
    """Answers the public routes of sponsorships."""

    recorder: Recorder
    subject_of: Callable[[str], str | None]

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the answer to a request. Raises Refused, Unavailable."""
        found = _PATH.fullmatch(event["rawPath"])
        route = _ROUTES.get(found[2]) if found and event["requestContext"]["http"]["method"] == "POST" else None
        if found is None or route is None:
            raise NotFound("This route does not exist", "not_found")
        headers = envelope.headers_of(event)
        envelope.check_query(event.get("rawQueryString", ""), ())
        text = envelope.text_of(event.get("body") or "", is_base64=event.get("isBase64Encoded", False))
        return route(self, found[1], text, Caller(headers, event["requestContext"]["http"]["sourceIp"]))

    def token(self, campaign_id: str, text: str, caller: Caller) -> dict[str, Any]:
        streamer = bodies.streamer(text, caller.headers)
        authorization = caller.headers.get("authorization", "")
        subject = self.subject_of(authorization) if authorization else None
        minted = self.recorder.mint(campaign_id, streamer, subject, caller)
        return {
            "token": minted.token,
            "usable_at": rfc3339(minted.usable_at),
            "expires_at": rfc3339(minted.expires_at),
        }

    def one(self, campaign_id: str, text: str, caller: Caller) -> dict[str, Any]:
        return _shown(*self._record(campaign_id, [bodies.token(text, caller.headers, IMPRESSION)], caller))

    def many(self, campaign_id: str, text: str, caller: Caller) -> dict[str, Any]:
        tokens = bodies.tokens(text, caller.headers, IMPRESSION)
        return {"impressions": [_shown(each) for each in self._record(campaign_id, tokens, caller)]}

    def click(self, campaign_id: str, text: str, caller: Caller) -> dict[str, Any]:
        clicked = self.recorder.click(campaign_id, bodies.token(text, caller.headers, CLICK))
        _report("Click", [clicked])
        return _shown(clicked)

    def _record(self, campaign_id: str, tokens: Sequence[str], caller: Caller) -> list[Recorded]:
        recorded = self.recorder.record(campaign_id, tokens, caller)
        _report("Impressions", recorded)
        return recorded


_ROUTES: Mapping[str, Callable[[Recording, str, str, Caller], dict[str, Any]]] = {
    "/impressions/token": Recording.token,
    "/impressions": Recording.one,
    "/impressions/batch": Recording.many,
    "/clicks": Recording.click,
}


def recording_of_environment() -> Recording:
    read = settings.read(Settings)
    secrets = keyring.usable(read.viewer_token_secret, "viewer token secret")
    return Recording(recorder(read), bearer.subject_by(secrets, read.viewer_token_audience))


recording = cache(recording_of_environment)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    try:
        return _response(200, recording().answer(event))
    except Exception as error:
        return _refusal(error, event["requestContext"]["requestId"])


def _report(what: str, recorded: Sequence[Recorded]) -> None:
    """One line of which metrics are made: how many were counted, refused, and not ours."""
    forged = sum(Reason.TOKEN_INVALID in each.reasons for each in recorded)
    counted = sum(each.is_counted for each in recorded)
    refused = len(recorded) - counted - forged
    logger.info(what, extra={"counted": counted, "refused": refused, "forged": forged})


def _shown(recorded: Recorded) -> dict[str, Any]:
    shown: dict[str, Any] = {"counted": recorded.is_counted}
    if recorded.reasons:
        shown |= {"reason": recorded.reasons[0], "reasons": recorded.reasons}
    shown |= {name: value for name in ("accepted_at", "click_token") if (value := getattr(recorded, name))}
    if recorded.retry_after_seconds is not None:
        shown["retry_after_seconds"] = recorded.retry_after_seconds
    return shown


def _refusal(error: Exception, request_id: str) -> dict[str, Any]:
    match error:
        case Refused():
            pass  # the access log has it
        case Unavailable():
            logger.warning("Unavailable", exc_info=error, extra={"request_id": request_id})
        case _:
            logger.error("Unexpected error", exc_info=error, extra={"request_id": request_id})
    status, problem, headers = envelope.problem(error, request_id)
    return _response(status.value, asdict(problem), headers)


def _response(status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **envelope.HEADERS, **(headers or {})},
        "body": _encode(body),
        "isBase64Encoded": False,
    }
