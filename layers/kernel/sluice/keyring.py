"""Secrets that can be rotated: the JSON `{"current": ..., "previous": ...}`, as Secrets Manager keeps it."""

import json

from sluice.errors import Misconfigured

MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2: a key as long as the hash, or longer


def usable(secret: str, name: str = "token secret") -> tuple[str, ...]:
    """The secrets in the JSON, the current one first; `previous` may be empty.

    Raises Misconfigured, saying what to do, when it is not such an object, or when a secret is shorter than 32 bytes.
    """
    try:
        parts = dict(json.loads(secret))
    except (ValueError, TypeError) as error:
        # Without the error's text, which may quote the secret.
        raise Misconfigured(f'the {name} must be JSON: {{"current": "...", "previous": ""}}') from error
    parts_given = ["current", "previous"] if parts.get("previous") else ["current"]
    return tuple(long_enough(part, parts.get(part), name) for part in parts_given)


def long_enough(part: str, secret: object, name: str = "token secret") -> str:
    """The secret. Raises Misconfigured when it is not a text, or too short."""
    if isinstance(secret, str) and len(secret.encode()) >= MIN_SECRET_BYTES:
        return secret
    raise Misconfigured(
        f"the {name}'s `{part}` is shorter than {MIN_SECRET_BYTES} bytes: put a longer random value into it"
    )
