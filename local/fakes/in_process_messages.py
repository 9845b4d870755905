"""A provider on a `FakeMessages` without HTTP: what an adapter would answer, for tests of many runs."""

from collections.abc import Callable, Mapping
from datetime import datetime

from broadcasts.ports import (
    QUICK,
    Absent,
    Accepted,
    CannotTell,
    Deliver,
    Event,
    Found,
    Message,
    Outcome,
    Patience,
    Refused,
    Scope,
    Seen,
    StatusEvent,
    Throttled,
    Unknown,
    Untrusted,
)
from broadcasts.row import Evidence
from local.fakes.messages import RETRY_SECONDS, Call, FakeMessages, Fault

_ANSWERS: Mapping[Fault, Outcome] = {
    Fault.UNKNOWN_NUMBER: Refused(Scope.RECIPIENT, True, "131026", "Message undeliverable"),
    Fault.LATER: Refused(Scope.RECIPIENT, False, "131056", "Pair rate limit hit"),
    Fault.TEMPLATE: Refused(Scope.CAMPAIGN, True, "132015", "Template is paused"),
    Fault.TOKEN: Refused(Scope.INSTANCE, True, "190", "Error validating access token"),
    Fault.THROTTLED: Throttled(float(RETRY_SECONDS)),
    Fault.THROTTLED_BARE: Throttled(),
}
_WEBHOOKS = frozenset({Fault.WEBHOOK_FIRST, Fault.WEBHOOK_TWICE, Fault.WEBHOOK_NEVER, Fault.READ, Fault.WRONG_ORDER})
"""Faults of webhooks alone: the call goes well."""
_EVENTS: Mapping[Fault | None, tuple[Evidence, ...]] = {
    Fault.WEBHOOK_NEVER: (),
    Fault.READ: (Evidence.SENT, Evidence.DELIVERED, Evidence.READ),
    Fault.WRONG_ORDER: (Evidence.READ, Evidence.DELIVERED, Evidence.SENT),
}


class InProcessProvider:
    """As `Provider`, for one instance. Its message ids follow from the order of its calls."""

    def __init__(
        self,
        messages: FakeMessages,
        deliver: Deliver,
        instance: str = "in-process",
        *,
        can_be_asked: bool = True,
        absence_is_proof: bool = True,
        knows_callbacks: bool = True,
        patience: Patience = QUICK,
    ) -> None:
        """`knows_callbacks`: whether its events say what was sent along, as Evolution's do not."""
        self.patience = patience
        self.can_be_asked = can_be_asked
        self.absence_is_proof = absence_is_proof
        self._messages = messages
        self._deliver = deliver
        self._instance = instance
        self._knows_callbacks = knows_callbacks

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:  # noqa: ARG002 - no time passes
        """As `Provider.send`."""
        now = self._messages.clock.now()
        call = Call("in-process", self._instance, message.to, message.text, message.callback, {"attempt": attempt}, now)
        taken = self._messages.take(call, f"msg{self._messages.made():08}")
        if taken.message_id:
            self._tell(taken)
        if taken.fault is None or taken.fault in _WEBHOOKS:
            taken.answered_at = now
            return Accepted(taken.message_id)
        return _ANSWERS.get(taken.fault, Unknown(taken.fault))

    def _tell(self, call: Call) -> None:
        callback = call.callback if self._knows_callbacks else None
        now = self._messages.clock.now()
        for status in _EVENTS.get(call.fault, (Evidence.SENT, Evidence.DELIVERED)):
            for _ in range(2 if call.fault is Fault.WEBHOOK_TWICE else 1):
                self._deliver([StatusEvent(status, call.message_id, callback, now)], 0)

    def find(
        self,
        message: Message,
        attempt: str,
        since: datetime,  # noqa: ARG002
        until: datetime,  # noqa: ARG002
        is_taken: Callable[[str], bool],  # noqa: ARG002
    ) -> Seen:
        """As `Provider.find`, by the attempt."""
        if not self.can_be_asked:
            return CannotTell()
        found = [each for each in self._messages.accepted(message.to) if each.body["attempt"] == attempt]
        return Found(found[0].message_id) if found else Absent()

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:  # noqa: ARG002
        """As `Provider.parse_events`: its events come by `Deliver`."""
        raise Untrusted("There are no webhooks in a process")
