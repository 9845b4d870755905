"""The demo's webhook: an event of the boost reaches a receiver that fails once, checks the signature, and has it."""

import json
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from local.api import Api
from local.demo_beside import PartBeside
from local.errors import LocalError
from local.fakes.receiver import Receiver
from local.sponsors import DONE_WITHIN_SECONDS

HOOKS = "/api/admin/hooks"
EVENT = "boost.completed"
FAILED = 503


class HooksPart(PartBeside):
    """An endpoint for the end of the demo's own boost, and the receiver behind it."""

    name = "webhooks"

    def __init__(self, admin: Api, screen: Any) -> None:
        super().__init__(screen)
        self._admin = admin

    def play(self) -> None:
        receiver = Receiver(FAILED)
        with receiver.running():
            terms = {"url": receiver.url, "events": [EVENT], "description": "the demo's receiver"}
            hook = self._admin.post(HOOKS, terms)
            self._screen.tell("Webhook", f"{EVENT} to {receiver.url}, which answers {FAILED} once", hook["id"])
            came = receiver.wait(2, DONE_WITHIN_SECONDS)
        if len(came) < 2:
            raise LocalError(f"The receiver has {len(came)} of 2 requests after {DONE_WITHIN_SECONDS} s")
        first, second = came[:2]
        told = json.loads(second.body)
        event_id = second.headers["webhook-id"]
        self._screen.tell("", f"{told['type']} came again {second.at - first.at:.1f} s later", event_id)
        self._screen.check(
            "the webhook's signature holds by the library of Standard Webhooks, and for no other bytes",
            f"{told['type']} at {second.headers['webhook-timestamp']}, signed by {hook['id']}'s secret",
            holds=_holds(hook["secret"], second.body, second.headers)
            and not _holds(hook["secret"], second.body + b" ", second.headers),
        )
        self._screen.check(
            f"after a {FAILED} the webhook came again with the same id and the same bytes",
            f"{len(came)} requests of {event_id}, {len(second.body)} bytes",
            holds=(first.headers["webhook-id"], first.body) == (event_id, second.body) and len(came) == 2,
        )


def _holds(secret: str, body: bytes, headers: Any) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError:
        return False
    return True
