"""What comes on the sync's queue, and who takes it."""

from dataclasses import dataclass
from typing import Protocol

from aws_lambda_powertools import Logger

from views.messages import EpochStep, Message, Opening, Page
from views.sync.epochs import Outcome, Sync

logger = Logger(child=True)


class Rebuilding(Protocol):
    """The rebuild of registered content; `views.registered.rebuild.Rebuild` says what each method does."""

    def ensure(self) -> None: ...
    def run(self, page: Page) -> None: ...


@dataclass(frozen=True)
class Inbox:
    """Hands each message to the sync or to the rebuild."""

    sync: Sync
    rebuild: Rebuilding

    def take(self, message: Message, message_id: str) -> None:
        """Returns when the message can be acknowledged. Raises Unavailable when it is to be delivered again."""
        match message:
            case Page():
                self.rebuild.run(message)
            case Opening():
                started = self.sync.start_scheduled(message.at)
                logger.info("Scheduled sync", scheduled_at=message.at.isoformat(), outcome=started.outcome.value)
                # Where an epoch opens its first step does this; and a message that was passed on must not fail, or it
                # is passed on again.
                if started.outcome is Outcome.NOTHING_PENDING:
                    self.rebuild.ensure()
            case EpochStep():
                if self.sync.run(message, message_id) and message.step == 0:
                    self.rebuild.ensure()
