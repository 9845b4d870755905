"""HTTP: import the counts of another system, once."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from sluice import http, schemas, settings
from sluice.clock import SystemClock
from sluice.dynamodb import bind
from sluice.requests import RequestItem
from sluice.roles import Role
from views import content
from views.imports import campaign
from views.imports.bootstrap import ImportSettings, store, wake
from views.imports.campaign import Chunk, Import, SkippedPlace
from views.imports.commands import Commands
from views.imports.schemas import ImportPage, ImportResource, ImportRows, NewImport, SkippedPage

IMPORTS = "/api/admin/views/imports"
IMPORT = f"{IMPORTS}/<import_id>"

ImportId = Annotated[str, Path(description="The import's id: `imp_` and a ULID.")]
ChunkNumber = Annotated[int, Path(ge=1, le=campaign.MOST_CHUNKS, description="The chunk's number, from 1, in order.")]

app = http.resolver()


@dataclass(frozen=True)
class Settings(ImportSettings):
    requests_table: str
    content_types: tuple[str, ...]


configured = settings.once(Settings, lambda read: read)


@cache
def imports() -> Commands:
    read = configured()
    bind(RequestItem, read.requests_table)
    return Commands(store(read), wake(read), SystemClock())


def shown(found: Import) -> ImportResource:
    return ImportResource.model_validate(found)


@app.post(IMPORTS, **http.require(Role.ADMIN, 201, errors=[409]))
def create(
    body: Annotated[NewImport, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[ImportResource]:
    """Create an import. It accepts rows until `execute` starts it."""
    return http.command(origin, key, partial(imports().create, body.name), ImportResource, shown, 201)


@app.get(IMPORTS, **http.require(Role.OPERATOR))
def page(limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None) -> ImportPage:
    """List imports, newest first."""
    return ImportPage.of(*imports().page(limit, schemas.place(cursor, campaign.PREFIX, of_index=False)))


@app.get(IMPORT, **http.require(Role.OPERATOR, errors=[404]))
def get(import_id: ImportId) -> ImportResource:
    """Return an import and its progress."""
    return shown(imports().get(import_id))


@app.get(f"{IMPORT}/skipped", **http.require(Role.OPERATOR, errors=[404]))
def skipped(import_id: ImportId, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None) -> SkippedPage:
    """List the rows that were not applied and the reasons, in the order of the import."""
    return SkippedPage.of(*imports().skipped(import_id, limit, http.place_of(cursor, SkippedPlace)))


@app.put(f"{IMPORT}/rows/<number>", **http.require(Role.ADMIN, errors=[404, 409]))
def put(
    import_id: ImportId,
    number: ChunkNumber,
    body: Annotated[ImportRows, Body()],
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[ImportResource]:
    """Put a chunk of 1 to 500 rows. Chunks come in order, from 1.

    Until the import is started, a repeated PUT replaces the chunk. After the start, a PUT of the same rows changes
    nothing, and a PUT of other rows is refused.
    """
    rows = tuple(each.row() for each in body.rows)
    content.check_all([row.content for row in rows], configured().content_types, "rows")
    return http.command(origin, key, partial(imports().put, import_id, Chunk(number, rows)), ImportResource, shown)


@app.post(f"{IMPORT}/execute", **http.require(Role.ADMIN, errors=[404, 409]))
def execute(import_id: ImportId, origin: http.Origin, key: http.IdempotencyKey = None) -> Response[ImportResource]:
    """Start an import, or continue an import that does not move."""
    return http.command(origin, key, partial(imports().execute, import_id), ImportResource, shown)


handler = http.handler_of(app)
