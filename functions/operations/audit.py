"""HTTP: the audit trail, and its verification."""

from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from operations import chains
from operations.schemas import EntryPage, EntryResource, Verification, place
from operations.trail import CONTENT, EXCEPTION, OF_BROADCASTS, OF_HOOKS, OF_OWNERS, SINGLE, Trail
from sluice import http, settings
from sluice.audit import EntryItem
from sluice.chained import items_in
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.roles import Role

ENTITY_DESCRIPTION = (
    "The id of a campaign, an import, an instance, a template or a webhook; `platform`: stops and resumes; "
    "`redrives`: dead letters that were put back; `tokens`: tokens that the API minted; "
    "`content:story:123`: the registrations of a content; `adjustments:story:123`: the adjustments of its views; "
    "`exception:mastodon.social:1234`: what operators said of an account at a network; "
    "`limits:acme`: what operators set for an owner of broadcasts; `contacts:acme`: what that owner said of people; "
    "or `wallet:nina`: deposits and withdrawals of a user."
)
TEXT: Any = {"min_length": 1, "max_length": 255}

app = http.resolver()


# `views_table` holds registered contents, and the audit heads of adjustments; `promotions_table` those of exceptions;
# `broadcasts_table` those of instances, templates, limits and contacts; `hooks_table` those of endpoints.
Settings = chains.settings("audit_table", "ledger_table", "views_table", "promotions_table", and_all=chains.TABLES)


@cache
def trail() -> Trail:
    read = settings.read(Settings)
    bind(EntryItem, read.audit_table)
    bind(LedgerItem, read.ledger_table)
    items = {table: items_in(getattr(read, table)) for table in chains.TABLES}
    others = dict.fromkeys(SINGLE, items[chains.PLATFORM_TABLE]) | {CONTENT: items["views_table"]}
    others |= {EXCEPTION: items["promotions_table"]}
    others |= dict.fromkeys((*OF_BROADCASTS, *OF_OWNERS), items["broadcasts_table"])
    others |= {OF_HOOKS: items["hooks_table"]}
    campaigns = {prefix: items[chain.table] for chain in chains.CHAINS for prefix in chain.prefixes}
    return Trail(campaigns | others)


@app.get("/api/admin/audit", **http.require(Role.OPERATOR))
def page(
    entity: Annotated[
        str | None, Query(**TEXT, description="Only entries of this entity: a campaign's id, `platform`, ...")
    ] = None,
    action: Annotated[
        str | None, Query(**TEXT, description="Only actions with this beginning, such as FAKE_VIEWS.")
    ] = None,
    limit: http.Limit = 20,
    cursor: http.Cursor = None,
) -> EntryPage:
    """List audit entries, newest first (S1-36, S1-40)."""
    found, after = trail().page(entity, action, limit, place(cursor, entity))
    return EntryPage.of(map(EntryResource.of, found), after)


@app.get("/api/admin/audit/<entity>/verify", **http.require(Role.OPERATOR, errors=[404]))
def verify(
    entity: Annotated[str, Path(description=ENTITY_DESCRIPTION)],
) -> Verification:
    """Recompute the chain of audit entries, and report the first entry that was edited, removed or cut off.

    Entries that a restore of the tables rolled back are named, and are no edit.
    """
    return Verification.of(entity, trail().verify(entity))


handler = http.handler_of(app)
