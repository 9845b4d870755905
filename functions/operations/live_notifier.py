"""Stream: tell the pages that watch something that it has changed.

It fails open: what cannot be told is logged and let go, because a page that hears nothing reads by itself every few
seconds. It never holds up a stream, also where its table is gone or may not be read: Lambda would split a batch that
raises and begin it again, for hints that are late then.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from operations.connections import Connections, LiveItem
from operations.live import hint, topics_of
from sluice import aws, settings
from sluice.clock import SystemClock, rfc3339
from sluice.dynamodb import Database, bind
from sluice.errors import Unavailable
from sluice.log import logger


@dataclass(frozen=True)
class Settings:
    live_table: str
    live_url: str


@dataclass(frozen=True)
class Notifier:
    """Posts hints. `post` sends one message to one connection; False when that is gone. Raises Unavailable."""

    connections: Connections
    post: Callable[[str, str], bool]

    def tell(self, topics: Iterable[str], now: datetime) -> None:
        for topic in topics:
            with _failing_open(topic):
                for connection_id in self.connections.watching(topic, now):
                    with _failing_open(topic):
                        if not self.post(connection_id, hint(topic, rfc3339(now))):
                            self.connections.close(connection_id)


@contextmanager
def _failing_open(topic: str) -> Iterator[None]:
    """Lets go of what cannot be told: one page, or all of a topic."""
    try:
        yield
    except (Unavailable, PynamoDBException) as error:
        logger.error("Not hinted", topic=topic, reason=str(error))  # an alarm counts these lines


def _notifier(read: Settings) -> Notifier:
    bind(LiveItem, read.live_table)
    # The management API of a socket has its address, by HTTP.
    gateway = aws.client(
        "apigatewaymanagementapi", read_seconds=1.0, attempts=1, url="http" + read.live_url.removeprefix("ws")
    )

    def post(connection_id: str, message: str) -> bool:
        try:
            gateway.post_to_connection(ConnectionId=connection_id, Data=message.encode())
        except gateway.exceptions.GoneException:
            return False
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(aws.why("API Gateway", error)) from error
        return True

    return Notifier(Connections(Database()), post)


notifier = settings.once(Settings, _notifier)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, list[Any]]:
    ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    notifier().tell(topics_of(ids), SystemClock().now())
    return {"batchItemFailures": []}
