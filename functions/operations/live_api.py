"""HTTP: tickets by which a page opens a socket for hints (S5-49)."""

from dataclasses import dataclass
from datetime import timedelta

from operations.connections import Connections, LiveItem
from operations.live import TICKET_SECONDS
from operations.schemas import TicketResource
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.errors import Off
from sluice.roles import Role

app = http.resolver()


@dataclass(frozen=True)
class Settings:
    live_table: str
    live_url: str
    """Of the socket; `off` where there is none."""


@dataclass(frozen=True)
class Offer:
    connections: Connections
    url: str


def _offer(read: Settings) -> Offer:
    bind(LiveItem, read.live_table)
    return Offer(Connections(Database()), read.live_url)


offer = settings.once(Settings, _offer)


@app.post("/api/admin/live", **http.require(Role.OPERATOR, status=201, errors=[503]))
def create(caller: http.Caller, _key: http.NoKey = None) -> TicketResource:
    """Return a ticket that opens one WebSocket for hints, within a minute: `{url}?ticket={ticket}`.

    503 `live_off` where the stack has no socket: then a page reads as often as before. There is no Idempotency-Key,
    because the stored response of a key would hold the ticket.
    """
    made = offer()
    if made.url == "off":
        raise Off("Live hints are off: read again from time to time, or deploy with WithLive=true", "live_off")
    now = SystemClock().now()
    ticket = made.connections.offer(caller.subject, now)
    return TicketResource(url=made.url, ticket=ticket, expires_at=now + timedelta(seconds=TICKET_SECONDS))


handler = http.handler_of(app)
