"""WhatsApp's Cloud API: the body of a message, its refusals, and its webhooks. Pure.

Meta and AWS take the same body, and give the same events. A code that is not among `meanings` proves nothing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from broadcasts.meanings import LATER, MEANINGS
from broadcasts.ports import (
    INBOUND_BYTES,
    Event,
    InboundEvent,
    Media,
    MediaType,
    Message,
    Refused,
    Scope,
    StatusEvent,
    Throttled,
)
from broadcasts.providers.answers import inner, json_object, objects, one_line, text_in, throttled
from broadcasts.row import Evidence

_WORDS = {
    "sent": Evidence.SENT,
    "delivered": Evidence.DELIVERED,
    "read": Evidence.READ,
    "played": Evidence.READ,
    "failed": Evidence.FAILED,
}


def refusal(error: Mapping[str, Any], headers: Mapping[str, str]) -> Refused | Throttled | None:
    """What an error object of Meta means; None if it does not prove that nothing was accepted."""
    code = error.get("code")
    meaning = MEANINGS.get(code) if isinstance(code, int) else None
    if meaning is None:
        return None
    if meaning.throttles:
        return throttled(headers)
    return Refused(meaning.scope, meaning.is_final, str(code), _said(error))


def _said(error: Mapping[str, Any]) -> str:
    details = inner(error, "error_data").get("details")
    return one_line(details or error.get("message") or error.get("title") or "")


def body_of(message: Message) -> bytes:
    """The message, as both APIs take it."""
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": f"+{message.to}",
        "biz_opaque_callback_data": message.callback,
    }
    if message.template:
        body |= {"type": "template", "template": _template(message)}
    elif message.media:
        body |= {"type": message.media.type.value, message.media.type.value: _media(message.media, message.text)}
    else:
        body |= {"type": "text", "text": {"preview_url": False, "body": message.text}}
    return json.dumps(body).encode()


def _template(message: Message) -> dict[str, Any]:
    call = message.template
    assert call
    header: list[dict[str, Any]] = [{"type": "text", "text": each} for each in call.header]
    if message.media:
        header = [{"type": message.media.type.value, message.media.type.value: _media(message.media, "")}]
    components: list[dict[str, Any]] = []
    if header:
        components.append({"type": "header", "parameters": header})
    if call.parameters:
        values = [{"type": "text", "text": each} for each in call.parameters]
        components.append({"type": "body", "parameters": values})
    template: dict[str, Any] = {"name": call.name, "language": {"code": call.language}}
    return template | ({"components": components} if components else {})


def _media(media: Media, caption: str) -> dict[str, str]:
    found = {"link": media.url}
    if caption and media.type is not MediaType.AUDIO:
        found["caption"] = caption
    if media.type is MediaType.DOCUMENT:
        found["filename"] = file_name(media.url)
    return found


def file_name(url: str) -> str:
    """What a file is called, by its URL."""
    return PurePosixPath(unquote(urlsplit(url).path)).name or "file"


def events_of(entry: Mapping[str, Any], now: datetime) -> list[Event]:
    """The events of an entry of a webhook, in its order."""
    values = [inner(each, "value") for each in objects(entry.get("changes")) if each.get("field") == "messages"]
    found: list[Event | None] = []
    for value in values:
        found += [_status(each, now) for each in objects(value.get("statuses"))]
        found += [_inbound(each, now) for each in objects(value.get("messages"))]
    return [each for each in found if each]


def entry_of(text: str) -> Mapping[str, Any]:
    """The entry that AWS passes on as a text."""
    return json_object(text)


def _status(found: Mapping[str, Any], now: datetime) -> StatusEvent | None:
    status = _WORDS.get(text_in(found, "status"))
    message_id = text_in(found, "id")
    if status is None or not message_id:
        return None
    at = moment(found.get("timestamp"), now)
    callback = text_in(found, "biz_opaque_callback_data") or None
    if status is not Evidence.FAILED:
        return StatusEvent(status, message_id, callback, at)
    error = next(iter(objects(found.get("errors"))), {})
    code = error.get("code")
    # What is not in the table may be sent again by a person who asks for it.
    meaning = MEANINGS.get(code, LATER) if isinstance(code, int) else LATER
    return StatusEvent(
        status,
        message_id,
        callback,
        at,
        code=str(code) if code is not None else None,
        text=_said(error),
        retryable=not meaning.is_final or meaning.scope is not Scope.RECIPIENT,
    )


def _inbound(found: Mapping[str, Any], now: datetime) -> InboundEvent | None:
    sender = digits(text_in(found, "from"))
    message_id = text_in(found, "id")
    if not sender or not message_id:
        return None
    # A tap on a button of a template says its text, too.
    said = text_in(inner(found, "text"), "body") or text_in(inner(found, "button"), "text")
    reply = inner(found, "interactive")
    said = said or text_in(inner(reply, "button_reply"), "title")
    return InboundEvent(sender, cut(said), moment(found.get("timestamp"), now), message_id)


def digits(phone: str) -> str:
    """A phone in digits; empty for anything else."""
    bare = phone.removeprefix("+")
    return bare if bare.isdecimal() and bare.isascii() and len(bare) <= 15 else ""


def cut(text: str) -> str:
    """At most INBOUND_BYTES of a text, and no half character."""
    return text.encode(errors="ignore")[:INBOUND_BYTES].decode(errors="ignore")


def moment(seconds: Any, now: datetime) -> datetime:
    """A moment in seconds of 1970, as a number or a text; now, for what is none, or in the future."""
    try:
        found = datetime.fromtimestamp(int(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now
    return min(found, now)
