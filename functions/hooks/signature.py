"""Signatures by Standard Webhooks (https://www.standardwebhooks.com), with secrets that are derived and not stored."""

import base64
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256

SECRET = "whsec_"


def derived(master: str, hook_id: str, generation: int) -> str:
    """The secret of an endpoint's generation: `whsec_` and base64. A stolen table holds no secret."""
    return SECRET + base64.b64encode(_mac(master.encode(), f"{hook_id}#{generation}".encode())).decode()


def headers(event_id: str, at: datetime, body: bytes, secrets: Iterable[str]) -> Mapping[str, str]:
    """The headers of one attempt at `at`: one signature for each secret."""
    timestamp = str(int(at.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    keys = [base64.b64decode(secret.removeprefix(SECRET)) for secret in secrets]
    marks = [f"v1,{base64.b64encode(_mac(key, signed)).decode()}" for key in keys]
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(marks)}


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, sha256).digest()
