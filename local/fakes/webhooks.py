"""The webhooks of the fakes: bodies in the forms of Evolution, Meta and AWS, with the signatures of the first two."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt

from local.fakes.messages import Call

JWT_KEY = "fake-key-of-webhooks-with-32-bytes"
APP_SECRET = "fake-app-secret"
STATUSES = ("sent", "delivered")
_EVOLUTION = {"sent": "SERVER_ACK", "delivered": "DELIVERY_ACK", "read": "READ", "failed": "ERROR"}
_NOT_ON_WHATSAPP = {
    "code": 131026,
    "title": "Message undeliverable",
    "message": "Message undeliverable",
    "error_data": {"details": "Message Undeliverable."},
}


@dataclass(frozen=True)
class Webhook:
    """A request of a provider; of AWS, the body of a message in a queue."""

    headers: dict[str, str]
    body: bytes


def status(call: Call, word: str, at: datetime, secret: str = "", **error: Any) -> Webhook:
    """What a provider says of a message: sent, delivered, read, failed. `error` replaces fields of Meta's."""
    if call.provider == "evolution":
        said = {
            "keyId": call.message_id,
            "remoteJid": f"{call.to}@s.whatsapp.net",
            "fromMe": True,
            "status": _EVOLUTION.get(word, word),
            "instanceId": "b8e2",
            "messageId": "cm1",
        }
        return _evolution("messages.update", call.instance, said, at, secret)
    found: dict[str, Any] = {
        "id": call.message_id,
        "status": word,
        "timestamp": str(int(at.timestamp())),
        "recipient_id": call.to,
    }
    if call.callback:
        found["biz_opaque_callback_data"] = call.callback
    if word == "failed":
        found["errors"] = [_NOT_ON_WHATSAPP | error]
    return _cloud(call.provider, call.instance, {"statuses": [found]}, at, secret)


def inbound(provider: str, instance: str, sender: str, text: str, at: datetime, secret: str = "") -> Webhook:
    """What a person writes to an instance's number."""
    message_id = f"in-{sha256(f'{sender} {text} {at}'.encode()).hexdigest()[:16]}"
    if provider == "evolution":
        said = {
            "key": {"remoteJid": f"{sender}@s.whatsapp.net", "fromMe": False, "id": message_id},
            "pushName": "Ana",
            "message": {"conversation": text},
            "messageType": "conversation",
            "messageTimestamp": int(at.timestamp()),
        }
        return _evolution("messages.upsert", instance, said, at, secret)
    found = {
        "from": sender,
        "id": message_id,
        "timestamp": str(int(at.timestamp())),
        "type": "text",
        "text": {"body": text},
    }
    contacts = [{"profile": {"name": "Ana"}, "wa_id": sender}]
    return _cloud(provider, instance, {"contacts": contacts, "messages": [found]}, at, secret)


def _evolution(event: str, instance: str, said: dict[str, Any], at: datetime, secret: str) -> Webhook:
    claims = {"iat": at, "exp": at + timedelta(minutes=10), "app": "evolution", "action": "webhook"}
    token = jwt.encode(claims, secret or JWT_KEY, "HS256")
    body = {
        "event": event,
        "instance": instance,
        "data": said,
        "date_time": at.isoformat(),
        "sender": "5511900000000@s.whatsapp.net",
        "server_url": "http://127.0.0.1",
        "apikey": "an-instance-key-in-clear",
    }
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return Webhook(headers, json.dumps(body).encode())


def _cloud(provider: str, instance: str, said: dict[str, Any], at: datetime, secret: str) -> Webhook:
    metadata = {"display_phone_number": "551190000000", "phone_number_id": instance}
    value = {"messaging_product": "whatsapp", "metadata": metadata} | said
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": value}]}
    if provider == "aws":
        number = instance.removeprefix("phone-number-id-")
        arn = f"arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/{number}"
        body = {
            "context": {"MetaPhoneNumberIds": [{"metaPhoneNumberId": "777", "arn": arn}]},
            "whatsAppWebhookEntry": json.dumps(entry),
            "aws_account_id": "123456789012",
            "message_timestamp": at.isoformat(),
            "messageId": "6d69f07a-c317-4278-9d5c-6a84078419ec",
        }
        return Webhook({}, json.dumps(body).encode())
    content = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = hmac.new((secret or APP_SECRET).encode(), content, sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
    return Webhook(headers, content)
