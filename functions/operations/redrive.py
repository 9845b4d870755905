"""HTTP: put dead letters back on their queues."""

from functools import cache
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from operations import chains
from operations.dead_letters import RESTORED, DeadLetters, Ends
from operations.heads import AuditLog, items_in
from operations.schemas import NewRedrive, RedriveResource
from operations.trail import REDRIVES
from sluice import aws, http, platform, settings
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.requests import Requester
from sluice.roles import Role

app = http.resolver()


_URLS = [url for queue in chains.QUEUES for url in (queue.queue_url, queue.dead_letters_url)]
Settings = chains.settings(chains.PLATFORM_TABLE, "audit_table", and_all=_URLS)


@cache
def dead_letters() -> DeadLetters:
    read = settings.read(Settings)
    bind(EntryItem, read.audit_table)
    table = getattr(read, chains.PLATFORM_TABLE)
    ends = {
        queue.name: Ends(getattr(read, queue.queue_url), getattr(read, queue.dead_letters_url))
        for queue in chains.QUEUES
    }
    audit_log = AuditLog(REDRIVES, RESTORED, Database(), items_in(table))
    return DeadLetters(audit_log, platform.items_in(table), aws.client("sqs"), ends, SystemClock())


@app.post("/api/admin/redrive", **http.require(Role.ADMIN, errors=[409]))
def redrive(body: Annotated[NewRedrive, Body()], origin: http.Origin) -> RedriveResource:
    """Put at most 100 dead letters back on their queue, and return how many are left: call again until none is.

    Each message is sent before it is deleted, so it may be delivered twice, which every worker survives. It is refused
    while the platform is stopped.
    """
    redriven = dead_letters().redrive(body.queue, Requester(origin.subject, origin.request_id))
    return RedriveResource.model_validate(redriven)


handler = http.handler_of(app)
