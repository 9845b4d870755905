"""WebSocket: open a connection by its ticket, remember what it watches, and forget it."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from operations.connections import Connections, LiveItem
from operations.live import parse
from sluice import settings
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.errors import Unreadable
from sluice.log import logger


@dataclass(frozen=True)
class Settings:
    live_table: str


def _connections(read: Settings) -> Connections:
    bind(LiveItem, read.live_table)
    return Connections(Database())


connections = settings.once(Settings, _connections)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """API Gateway opens no socket unless `$connect` is answered with 200. The ticket is never logged."""
    about = event["requestContext"]
    connection_id = about["connectionId"]
    logger.append_keys(connection_id=connection_id, route=about["routeKey"])
    match about["eventType"]:  # not routeKey, which a page could choose: {"action": "$disconnect"}
        case "CONNECT":
            ticket = (event.get("queryStringParameters") or {}).get("ticket", "")
            is_open = connections().open(ticket, connection_id, SystemClock().now())
            return {"statusCode": 200 if is_open else 401}
        case "DISCONNECT":
            connections().close(connection_id)
        case _:
            return {"statusCode": _hear(connection_id, event.get("body") or "")}
    return {"statusCode": 200}


def _hear(connection_id: str, body: str) -> int:
    try:
        watch = parse(body)
    except Unreadable as error:
        logger.info("Not understood", reason=str(error))
        return 400
    if watch is not None and not connections().watch(connection_id, watch.topics):
        logger.info("Not watched: it is closed, or says two things at once")
        return 409
    return 200
