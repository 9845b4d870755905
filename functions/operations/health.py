"""HTTP: whether the API answers, and for operators the health of the platform."""

from functools import cache

from operations import chains
from operations.checkup import Doctor
from operations.schemas import Alive, Health
from sluice import aws, http, platform, settings
from sluice.answers import AnswerItem
from sluice.chained import ListedItem, items_in
from sluice.clock import SystemClock
from sluice.dynamodb import bind, bound_to
from sluice.outbox import EventItem
from sluice.roles import Role

app = http.resolver()


_URLS = {queue.depth: queue.queue_url for queue in chains.QUEUES}
_URLS |= {queue.dead_letters: queue.dead_letters_url for queue in chains.QUEUES}
_URLS |= {chains.OUTBOX_DEAD_LETTERS: "outbox_dead_letters_url"}
Settings = chains.settings("outbox_table", and_all=(*chains.TABLES, *_URLS.values()))


@cache
def doctor() -> Doctor:
    read = settings.read(Settings)
    bind(EventItem, read.outbox_table)
    tables = {table: getattr(read, table) for table in chains.TABLES}
    queue_urls = {part: getattr(read, setting) for part, setting in _URLS.items()}
    return Doctor(
        {table: items_in(name) for table, name in tables.items()},
        platform.items_in(tables[chains.PLATFORM_TABLE]),
        aws.client("sqs"),
        queue_urls,
        SystemClock(),
        {chain.table: bound_to(ListedItem, tables[chain.table]) for chain in chains.CALLERS},
        {chain.table: bound_to(AnswerItem, tables[chain.table]) for chain in chains.CALLERS},
    )


@app.get("/health", **http.public())
def alive() -> Alive:
    """Report that the API answers. It checks nothing behind the API, so it is open to all."""
    return Alive()


@app.get("/api/admin/health", **http.require(Role.OPERATOR))
def health() -> Health:
    """Report the health of the platform: database, queues, overdue campaigns, unpublished events, and what to do."""
    return Health.of(doctor().check())


handler = http.handler_of(app)
