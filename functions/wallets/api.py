"""HTTP: what users have, deposits and withdrawals, and whether the ledger is whole."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from sluice import http, settings
from sluice.journal import Kind
from sluice.roles import Role
from wallets import bootstrap
from wallets.bootstrap import WalletsSettings as Settings
from wallets.movement import MOST_LINES, Movement, Place
from wallets.schemas import (
    Account,
    LedgerVerification,
    MovementResource,
    NewMovement,
    OfCurrency,
    Statement,
    User,
    WalletsResource,
)

WALLETS = "/api/v1/wallets"

app = http.resolver()


wallets = settings.once(Settings, bootstrap.wallets)


@app.get(f"{WALLETS}/me", **http.require(Role.USER))
def mine(caller: http.Caller) -> WalletsResource:
    """List the caller's wallets, one for each currency."""
    return WalletsResource.of(caller.subject, wallets().of(caller.subject))


@app.get(f"{WALLETS}/me/statement", **http.require(Role.USER))
def statement(
    caller: http.Caller,
    currency: OfCurrency = None,
    limit: http.Limit = http.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Statement:
    """List what came into one of the caller's wallets and went out of it, newest first."""
    after = http.place_of(cursor, Place, lambda place: 0 < place.number <= MOST_LINES)
    return Statement.of_wallet(*wallets().statement(caller.subject, currency, limit, after))


@app.post(f"{WALLETS}/<user>/deposits", **http.require(Role.ADMIN, 201, errors=[404, 409]))
def deposit(
    user: User, body: Annotated[NewMovement, Body()], origin: http.Origin, key: http.RequiredKey
) -> Response[MovementResource]:
    """Record money that came from outside for a user. It is audited.

    Requests with the same Idempotency-Key are applied once, also after 24 hours: retry until you get a response.
    """
    return _move(Kind.DEPOSIT, user, body, origin, key)


@app.post(f"{WALLETS}/<user>/withdrawals", **http.require(Role.ADMIN, 201, errors=[404, 409]))
def withdraw(
    user: User, body: Annotated[NewMovement, Body()], origin: http.Origin, key: http.RequiredKey
) -> Response[MovementResource]:
    """Record money that went outside from a user. It is audited. 409 `insufficient_funds` says what is there.

    Requests with the same Idempotency-Key are applied once, also after 24 hours: retry until you get a response.
    """
    return _move(Kind.WITHDRAW, user, body, origin, key)


@app.get("/api/v1/ledger/verify", **http.require(Role.OPERATOR, errors=[404]))
def verify(account: Account) -> LedgerVerification:
    """Compare the lines of an account with their entries and its balance, and report the first difference."""
    problem = wallets().verify(account)
    return LedgerVerification(account=account, valid=problem is None, problem=problem)


def _move(kind: Kind, user: str, body: NewMovement, origin: http.Origin, key: str) -> Response[MovementResource]:
    movement = Movement(user, **dict(body))
    make = partial(wallets().move, kind, movement)
    return http.command(origin, key, make, MovementResource, MovementResource.of, 201)


handler = http.handler_of(app)
