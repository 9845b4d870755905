"""What the sandbox accepted, in the table of messages: so a look-up finds it after a crash (amendment 12)."""

from dataclasses import dataclass
from datetime import timedelta

from pynamodb.exceptions import DoesNotExist

from broadcasts.items import SandboxItem
from sluice.clock import Clock
from sluice.dynamodb import transient_as_unavailable

_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class SandboxMemory:
    """Remembers for a day. Raises Unavailable."""

    clock: Clock

    def remember(self, attempt: str, message_id: str) -> None:
        """Keep the id of an attempt; a repeat changes nothing, since an attempt has one id."""
        expires_at = int((self.clock.now() + _KEPT).timestamp())
        with transient_as_unavailable():
            SandboxItem(*SandboxItem.key(attempt), message_id=message_id, expires_at=expires_at).save()

    def recall(self, attempt: str) -> str | None:
        """The id of an attempt; None if it was not accepted."""
        try:
            with transient_as_unavailable():
                item = SandboxItem.get(*SandboxItem.key(attempt), consistent_read=True)
        except DoesNotExist:
            return None
        return str(item.message_id)
