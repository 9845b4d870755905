"""HTTP, the same for every API function: roles, limits, validation, the error envelope, paging, idempotency keys.

    app = http.resolver()

    @app.post("/api/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(
        body: Annotated[NewThing, Body()], origin: http.Origin, key: http.IdempotencyKey = None
    ) -> Response[Thing]:
        return http.command(origin, key, partial(things().create, body.name), Thing, Thing.model_validate, 201)

A route says who may call it with `require` or `public`. Without one of them it answers 404. A route that changes
something takes an Idempotency-Key, and answers by `command`.
"""

from sluice.http.parameters import DEFAULT_LIMIT as DEFAULT_LIMIT
from sluice.http.parameters import MAX_CSV_LINES as MAX_CSV_LINES
from sluice.http.parameters import Caller as Caller
from sluice.http.parameters import CsvLimit as CsvLimit
from sluice.http.parameters import Cursor as Cursor
from sluice.http.parameters import IdempotencyKey as IdempotencyKey
from sluice.http.parameters import Limit as Limit
from sluice.http.parameters import Moment as Moment
from sluice.http.parameters import NoKey as NoKey
from sluice.http.parameters import OneLine as OneLine
from sluice.http.parameters import OneLineOrEmpty as OneLineOrEmpty
from sluice.http.parameters import Origin as Origin
from sluice.http.parameters import Reason as Reason
from sluice.http.parameters import RequiredKey as RequiredKey
from sluice.http.parameters import cursor_of as cursor_of
from sluice.http.parameters import place_of as place_of
from sluice.http.parameters import read_cursor as read_cursor
from sluice.http.parameters import write_cursor as write_cursor
from sluice.http.resolver import command as command
from sluice.http.resolver import csv_answer as csv_answer
from sluice.http.resolver import handler_of as handler_of
from sluice.http.resolver import resolver as resolver
from sluice.http.routes import public as public
from sluice.http.routes import require as require
from sluice.log import logger as logger
