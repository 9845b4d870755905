"""Meta's Cloud API: a client of one phone number, by its access token. It keeps no messages that could be looked up."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from broadcasts.ports import PATIENT, Accepted, Event, Message, Outcome, Patience, Refused, Scope, Untrusted
from broadcasts.providers.answers import Answer, Post, inner, json_object, objects, one_line, text_in, throttled
from broadcasts.providers.cloud import body_of, events_of, refusal
from sluice.outward import CannotTell, Seen, Unknown

BASE_URL = "https://graph.facebook.com"
VERSION = "v23.0"
_SIGNATURE = "x-hub-signature-256"


class Meta:
    """As `Provider`, for the phone number `phone_number_id`."""

    can_be_asked = False
    absence_is_proof = False

    def __init__(
        self,
        phone_number_id: str,
        access_token: str,
        app_secret: str,
        post: Post,
        base_url: str = BASE_URL,
        patience: Patience = PATIENT,
    ) -> None:
        """`app_secret`: signs the webhooks; without one none is trusted."""
        self.patience = patience
        self._url = f"{base_url.rstrip('/')}/{VERSION}/{quote(phone_number_id, safe='')}/messages"
        self._headers = {"Authorization": f"Bearer {access_token}", "Content-Type": "application/json"}
        self._app_secret = app_secret
        self._post = post

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:  # noqa: ARG002 - it is in the callback
        """As `Provider.send`."""
        answer = self._post(self._url, self._headers, body_of(message), deadline)
        return outcome(answer) if isinstance(answer, Answer) else answer

    def find(
        self,
        message: Message,  # noqa: ARG002
        attempt: str,  # noqa: ARG002
        since: datetime,  # noqa: ARG002
        until: datetime,  # noqa: ARG002
        is_taken: Callable[[str], bool],  # noqa: ARG002
    ) -> Seen:
        """As `Provider.find`: a webhook with our callback is the only proof."""
        return CannotTell("The provider cannot be asked")

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:
        """As `Provider.parse_events`: signed by the app's secret, over the body as it came."""
        given = next((value for name, value in headers.items() if name.lower() == _SIGNATURE), "")
        expected = "sha256=" + hmac.new(self._app_secret.encode(), body, sha256).hexdigest()
        if not self._app_secret or not hmac.compare_digest(given.encode(), expected.encode()):
            raise Untrusted("The signature is not the app's")
        return [event for entry in objects(json_object(body).get("entry")) for event in events_of(entry, now)]


def outcome(answer: Answer) -> Outcome:
    """What an answer of the Cloud API means. An error is judged by its code, and not by its status."""
    body = answer.json()
    if answer.status == 200:
        accepted = next(iter(objects(body.get("messages"))), {})
        message_id = text_in(accepted, "id")
        return Accepted(message_id) if message_id else Unknown("The answer has no id")
    error = inner(body, "error")
    known = refusal(error, answer.headers)
    if known:
        return known
    if answer.status == 429:
        return throttled(answer.headers)
    if answer.status == 401:
        return Refused(Scope.INSTANCE, True, "401", one_line(error.get("message") or "Unauthorized"))
    return Unknown(one_line(f"{answer.status}: {error.get('code') or ''} {error.get('message') or ''}"))


def challenge(query: Mapping[str, str], verify_token: str) -> str:
    """What a subscription of webhooks is answered. Raises Untrusted.

    `query`: `hub.mode`, `hub.verify_token`, `hub.challenge`.
    """
    given = query.get("hub.verify_token", "")
    is_ours = verify_token and hmac.compare_digest(given.encode(), verify_token.encode())
    if not is_ours or query.get("hub.mode") != "subscribe":
        raise Untrusted("The token of the subscription is not ours")
    return query.get("hub.challenge", "")
