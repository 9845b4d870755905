"""Responses that the APIs of several contexts share."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, WithJsonSchema

from sluice import http, money
from sluice.evidence import Check
from sluice.ids import is_id
from sluice.store import Place

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def _currency(text: str) -> str:
    money.exponent(text)
    return text


def _rate(given: Any) -> Decimal:
    if not isinstance(given, str):
        raise ValueError("rate must be decimal text, such as 1.65")
    return money.rate(given)


Amount = Annotated[
    StrictInt,
    Field(ge=1, le=money.MOST, description="A whole number of the currency's minor units.", examples=[330000]),
]
"""Money that comes in over HTTP, beside its `currency`: 330000 for 3300.00 USD."""
Currency = Annotated[
    str,
    Field(min_length=3, max_length=3, description="A code of ISO 4217 that has minor units.", examples=["USD"]),
    AfterValidator(_currency),
]
"""Refused as `currency_unknown`, which is raised through pydantic, and not as one wrong field among others."""
Rate = Annotated[
    Decimal,
    BeforeValidator(_rate),
    WithJsonSchema({"type": "string", "pattern": r"^(0|[1-9][0-9]{0,6})([.][0-9]{1,6})?$", "examples": ["1.65"]}),
]
"""A price in major units, as decimal text: see `sluice.money.rate`."""


class Resource(BaseModel):
    """Base of what an API shows of a thing, by the thing's attributes of the same names."""

    model_config = ConfigDict(from_attributes=True)


class Page[R](BaseModel):
    """A page of a list."""

    items: list[R]
    next_cursor: str | None

    @classmethod
    def of(cls, items: Iterable[object], after: "DataclassInstance | None", **more: object) -> Self:
        """The page of these resources, or of what resources are made from; `after`: the place of the next page."""
        return cls.model_validate({"items": list(items), "next_cursor": http.cursor_of(after), **more})


class BudgetResource(Resource):
    """Where the money is: funded = remaining + reserved + paid + refunded."""

    funded: int
    remaining: int
    reserved: int
    paid: int
    refunded: int


class CheckResource(Resource):
    """One check of the numbers."""

    claim: str
    expected: int
    found: int
    holds: bool


class VerificationResource(BaseModel):
    """A campaign's numbers against their evidence (S1-59)."""

    campaign_id: str
    valid: bool
    checks: list[CheckResource]

    @classmethod
    def of(cls, campaign_id: str, checks: Iterable[Check]) -> "VerificationResource":
        found = [CheckResource.model_validate(check) for check in checks]
        return cls(campaign_id=campaign_id, valid=all(check.holds for check in found), checks=found)


def place(cursor: str | None, prefix: str, *, of_index: bool) -> Place | None:
    """The place in a cursor of a list of campaigns, whose ids have this prefix.

    `of_index`: whether the list is an index, which is read by time. Raises Invalid for the cursor of another list.
    """

    def is_of_list(place: Place) -> bool:
        is_of_kind = _is_stored_time(place.created_at) if of_index else not place.created_at
        return is_id(prefix, place.campaign_id) and is_of_kind

    return http.place_of(cursor, Place, is_of_list)


def _is_stored_time(text: str) -> bool:
    """Whether DynamoDB accepts the time as a key of the index: a cursor may be forged."""
    try:
        return bool(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z"))
    except ValueError:
        return False
