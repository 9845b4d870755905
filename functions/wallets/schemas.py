"""What the API of wallets takes and gives."""

from collections.abc import Iterable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from sluice import http, money
from sluice.journal import Balance, Line
from sluice.schemas import Amount, Currency, Page, Resource
from wallets.movement import Moved, Place

User = Annotated[
    str,
    Path(
        min_length=1,
        max_length=128,
        pattern=r"^[!-\"$-~]+$",
        description="The subject of the user's tokens: visible ASCII characters without `#`.",
        examples=["nina"],
    ),
]
OfCurrency = Annotated[Currency | None, Query(description="Required for a user with several wallets.")]
Account = Annotated[
    str,
    Query(
        min_length=1,
        max_length=255,
        description="An account of the ledger: `wallet#USD#nina`, `budget#spn_...`, `reserved#spn_...`, `outside#USD`.",
    ),
]


class NewMovement(BaseModel):
    """The body of a deposit or a withdrawal."""

    model_config = ConfigDict(extra="forbid", strict=True)

    amount: Amount
    currency: Currency
    reference: Annotated[str, Field(min_length=1, max_length=100), http.OneLine] = Field(
        description="What the movement is known by outside. It is kept in the ledger and in the audit trail.",
        examples=["SEPA 2026-11-27/0042"],
    )


class MovementResource(BaseModel):
    """A deposit or a withdrawal, and what the wallet has."""

    user: str
    kind: str = Field(examples=["deposit"])
    amount: int = Field(description="In minor units.")
    currency: str
    exponent: int = Field(description="The decimal places of the currency: 2 for USD.")
    reference: str
    entry: str = Field(description="The id of the entry in the ledger.")
    actor: str
    at: str = Field(json_schema_extra={"format": "date-time"})
    balance: int = Field(description="What the wallet has after it. For a repeat after 24 hours: what it has now.")

    @classmethod
    def of(cls, moved: Moved) -> "MovementResource":
        exponent = money.exponent(moved.movement.currency)
        return cls.model_validate(vars(moved) | vars(moved.movement) | {"exponent": exponent})


class WalletResource(BaseModel):
    """What a user has in one currency."""

    currency: str
    exponent: int = Field(description="The decimal places of the currency: 2 for USD.")
    balance: int = Field(description="In minor units.")
    lines: int = Field(description="How many lines its statement has.")

    @classmethod
    def of(cls, balance: Balance) -> "WalletResource":
        exponent = money.exponent(balance.currency)
        return cls(currency=balance.currency, exponent=exponent, balance=balance.amount, lines=balance.lines)


class WalletsResource(BaseModel):
    """A user's wallets: one for each currency, in the order of their codes."""

    user: str
    items: list[WalletResource]

    @classmethod
    def of(cls, user: str, balances: Iterable[Balance]) -> "WalletsResource":
        return cls(user=user, items=[WalletResource.of(each) for each in balances])


class LineResource(Resource):
    """One movement of a wallet."""

    number: int = Field(description="Lines are numbered from 1, without gaps.")
    entry: str
    kind: str
    amount: int = Field(description="In minor units. Below 0: it went out.")
    shown: str = Field(description="The amount for people.", examples=["3300.00 USD"])
    after: int = Field(description="What the wallet had after it, in minor units.")
    at: str = Field(json_schema_extra={"format": "date-time"})
    against: str = Field(description="The account on the other side.")


class Statement(Page[LineResource]):
    """The lines of one wallet, newest first. Without a wallet there is no currency."""

    currency: str | None
    exponent: int | None
    balance: int

    @classmethod
    def of_wallet(cls, wallet: Balance | None, lines: Iterable[Line], after: Place | None) -> "Statement":
        currency = wallet.currency if wallet else ""
        return cls.of(
            [vars(line) | {"shown": money.shown(line.amount, currency)} for line in lines],
            after,
            currency=currency or None,
            exponent=money.exponent(currency) if currency else None,
            balance=wallet.amount if wallet else 0,
        )


class LedgerVerification(BaseModel):
    """Whether an account's lines, their entries and its balance agree."""

    account: str
    valid: bool
    problem: str | None = Field(description="The first difference.", examples=["line 8: after is 120, not 100"])
