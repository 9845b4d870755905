"""HTTP, the same for every API function: roles, limits, validation, the error envelope, paging, idempotency keys.

    app = http.resolver()

    @app.post("/api/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(body: Annotated[NewThing, Body()], caller: http.Caller, key: http.IdempotencyKey = None) -> Thing: ...

A route says who may call it with `require` or `public`. Without one of them it answers 404.
"""

from sluice.http.parameters import DEFAULT_LIMIT as DEFAULT_LIMIT
from sluice.http.parameters import MAX_CSV_LINES as MAX_CSV_LINES
from sluice.http.parameters import Caller as Caller
from sluice.http.parameters import CsvLimit as CsvLimit
from sluice.http.parameters import Cursor as Cursor
from sluice.http.parameters import Fingerprint as Fingerprint
from sluice.http.parameters import IdempotencyKey as IdempotencyKey
from sluice.http.parameters import Limit as Limit
from sluice.http.parameters import Moment as Moment
from sluice.http.parameters import OneLine as OneLine
from sluice.http.parameters import Reason as Reason
from sluice.http.parameters import RequestId as RequestId
from sluice.http.parameters import RequiredKey as RequiredKey
from sluice.http.parameters import cursor_of as cursor_of
from sluice.http.parameters import place_of as place_of
from sluice.http.resolver import create as create
from sluice.http.resolver import csv_answer as csv_answer
from sluice.http.resolver import handler_of as handler_of
from sluice.http.resolver import resolver as resolver
from sluice.http.routes import public as public
from sluice.http.routes import require as require
