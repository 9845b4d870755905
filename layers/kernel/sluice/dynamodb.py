"""DynamoDB: models bound to their tables at first use, and the one way to commit a transaction."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from enum import StrEnum
from functools import cache
from random import uniform
from time import sleep
from typing import TYPE_CHECKING, Any, Self

from botocore import exceptions as vendor
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.constants import LIST, NONE, NUMBER, STRING
from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactGetError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from sluice.aws import CONNECT_SECONDS, READ_SECONDS, why
from sluice.errors import Unavailable, Unreadable
from sluice.plain import from_json, to_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from pynamodb.connection import TableConnection
    from pynamodb.models import _ModelFuture

_TRANSIENT_CODES = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)

_LOST = (vendor.ConnectionError, vendor.HTTPClientError)

_CONFLICT_ATTEMPTS = 12

# A child of the handler's logger, whose name is the service's: asking Powertools for it would slow the hot path down.
logger = logging.getLogger(f"sluice.{__name__}")


class EnumAttribute[E: StrEnum](Attribute[E]):
    """A member of an enumeration, stored as its text."""

    attr_type = STRING

    def __init__(self, kind: type[E], *, null: bool = False) -> None:
        super().__init__(null=null)
        self._kind = kind

    def serialize(self, value: E) -> str:
        return str(value)

    def deserialize(self, value: str) -> E:
        return self._kind(value)


class TextsAttribute(Attribute[tuple[str, ...]]):
    """Several texts in their order."""

    attr_type = LIST

    def serialize(self, value: tuple[str, ...]) -> list[dict[str, str]]:
        return [{STRING: each} for each in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[str, ...]:
        return tuple(each[STRING] for each in value)


class NumbersAttribute(Attribute[tuple[int, ...]]):
    """Several whole numbers in their order."""

    attr_type = LIST

    def serialize(self, value: tuple[int, ...]) -> list[dict[str, str]]:
        return [{NUMBER: str(each)} for each in value]

    def deserialize(self, value: list[dict[str, str]]) -> tuple[int, ...]:
        return tuple(int(each[NUMBER]) for each in value)


class DateAttribute(Attribute[date]):
    """A day, stored as `2026-11-20`."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        return date.fromisoformat(value)


class DataAttribute[T](Attribute[T]):
    """A frozen dataclass, stored as JSON: its fields are texts, numbers, enumerations, times, and such dataclasses."""

    attr_type = STRING

    def __init__(self, kind: type[T], *, null: bool = False) -> None:
        super().__init__(null=null)
        self._kind = kind

    def serialize(self, value: T) -> str:
        return to_json(value)

    def deserialize(self, value: str) -> T:
        found: T = from_json(self._kind, value)
        return found


class Bound(Model):
    """Base of every model: bound to its table by `bind`, so that importing it reads no environment."""

    class Meta:
        table_name: str
        connect_timeout_seconds = CONNECT_SECONDS
        read_timeout_seconds = READ_SECONDS

    @classmethod
    def _get_connection(cls) -> "TableConnection":
        # PynamoDB would take the connection of a parent that was used before, which knows none of this model's indexes.
        if cls._indexes and "_connection" not in vars(cls):
            cls._connection = None
        return super()._get_connection()

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        """Raises Unreadable, which names the row, for a value that its attribute cannot hold."""
        try:
            return super().from_raw_data(data)
        except (TypeError, ValueError) as error:
            values = {name: next(iter(value.values()), None) for name, value in data.items()}
            raise unreadable(cls, values) from error


class TableItem(Bound):
    """Base of the models of tables with the keys `id` and `part`; a context's own has its table's Meta."""

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


def bind[M: Bound](model: type[M], table_name: str) -> type[M]:
    """Bind `model`, and the subclasses that share its Meta, to a table."""
    model.Meta.table_name = table_name
    return model


def bound_to[M: Bound](model: type[M], table_name: str) -> type[M]:
    """The model's copy for one table, where several tables hold such items: the same one each time."""
    bound: type[M] = _bound(model, table_name)
    return bound


# Making a class of a model takes PynamoDB longer than a transaction.
@cache
def _bound(model: type[Bound], table_name: str) -> type[Any]:
    meta = type("Meta", (model.Meta,), {"table_name": table_name})
    return type(model.__name__, (model,), {"Meta": meta})


def values_of(item: Bound, kind: "type[DataclassInstance]") -> dict[str, Any]:
    """The values of the attributes that have the names of `kind`'s fields."""
    return {each.name: getattr(item, each.name) for each in fields(kind)}


def setting(model: type[Bound], values: Mapping[str, Any]) -> list[Action]:
    """Actions that set attributes to values, and remove attributes whose value is None."""
    attributes: dict[str, Any] = {name: getattr(model, name) for name in values}
    # PynamoDB takes a tuple for one element of a list.
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return [
        attributes[name].remove() if value is None else attributes[name].set(value) for name, value in plain.items()
    ]


@contextmanager
def transient_as_unavailable() -> Iterator[None]:
    """Translate throttles and lost connections into Unavailable, which says which; anything else is a defect."""
    try:
        yield
    except PynamoDBException as error:
        if _is_transient(error.cause):
            raise _unavailable(error.cause) from error
        raise


def readable[M: Bound, T](rows: Iterator[M], read: Callable[[M], T]) -> Iterator[T]:
    """What `read` makes of each row; it may raise Unreadable, TypeError, ValueError.

    A row that cannot be read holds up no other: it is logged, for OperationsUnreadableRowsAlarm, and passed by.
    """
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Unreadable as error:
            passed_by(error)
            continue
        try:
            found = read(row)
        except Unreadable as error:
            passed_by(error)
        except (TypeError, ValueError) as error:
            named = unreadable(type(row), row.attribute_values)
            named.__cause__ = error
            passed_by(named)
        else:
            yield found


def read_batch[M: Bound, K, T](model: type[M], keys: Sequence[K], read: Callable[[M], T]) -> list[T]:
    """What `read` makes of each item at the keys, by consistent batch reads; as `readable`. Raises Unavailable."""
    try:
        with transient_as_unavailable():
            return [read(item) for item in model.batch_get(keys, consistent_read=True)]
    except (Unreadable, TypeError, ValueError) as error:
        cause = error
    if len(keys) > 1:  # a batch ends at the first item that cannot be read
        half = len(keys) // 2
        return [found for some in (keys[:half], keys[half:]) for found in read_batch(model, some, read)]
    named = Unreadable(f"A row of {model.Meta.table_name} cannot be read: {keys[0]}")
    named.__cause__ = cause
    passed_by(named)
    return []


def unreadable(model: type[Bound], values: Mapping[str, Any]) -> Unreadable:
    """The error that names a row by its key, which is among its values."""
    names = [each.attr_name for each in model.get_attributes().values() if each.is_hash_key or each.is_range_key]
    key = {name: values.get(name) for name in names}
    return Unreadable(f"A row of {model.Meta.table_name} cannot be read: {key}")


def passed_by(error: Unreadable) -> None:
    """Log a row that cannot be read, in the words that OperationsUnreadableRowsAlarm counts."""
    logger.error("Unreadable row", exc_info=error)


def update_if(item: Bound, actions: Sequence[Action], condition: Condition) -> bool:
    """Update one item if `condition` holds; False when it does not: an answer, not an error. Raises Unavailable.

    `item` is left as it is. A plain update: `Model.update` asks for the whole item back, which a function may not read
    that is held to some attributes (`dynamodb:Attributes`).
    """
    key, part = item._get_hash_range_key_serialized_values()
    try:
        with transient_as_unavailable():
            item._get_connection().update_item(
                key, range_key=part, actions=list(actions), condition=condition, return_values=NONE
            )
    except UpdateError as error:
        if error.cause_response_code == "ConditionalCheckFailedException":
            return False
        raise
    return True


def page_of[M: TableItem, T](
    model: type[M],
    read: Callable[[M], T],
    partition: str,
    begin: str,
    limit: int | None,
    after: str | None,
    *,
    newest_first: bool = False,
) -> tuple[list[T], str | None]:
    """What `read` makes of at most `limit` items of a partition whose `part` begins with `begin`, after `after`.

    And the `part` to go on after, if there may be more. By a consistent read, in the order of `part`.
    """
    last = {"id": {"S": partition}, "part": {"S": after}} if after else None
    with transient_as_unavailable():
        items = model.query(
            partition,
            model.part.startswith(begin) if begin else None,  # DynamoDB refuses an empty value of a key
            scan_index_forward=not newest_first,
            limit=limit,
            last_evaluated_key=last,
            consistent_read=True,
        )
        found = list(readable(items, read))
        following = items.last_evaluated_key
    return found, following["part"]["S"] if following else None


class Database:
    """Commits transactions. One per process, because it holds their connection."""

    def __init__(self, wait: Callable[[float], None] = sleep) -> None:
        self._connection = Connection(connect_timeout_seconds=CONNECT_SECONDS, read_timeout_seconds=READ_SECONDS)
        self._wait = wait

    def commit(self, fill: Callable[[TransactWrite], None]) -> bool:
        """Commit what `fill` adds to a transaction, all of it or nothing.

        False when a condition failed: an answer, not an error. The caller reads again to know which one, because
        PynamoDB reorders the actions of a transaction (pynamodb/PynamoDB#1284). Conflicts with other transactions are
        retried here, with jitter. Raises Unavailable when the database is too busy, or cannot be reached.
        """

        def attempt() -> None:
            with TransactWrite(connection=self._connection) as transaction:
                fill(transaction)

        try:
            _beyond_conflicts(attempt, self._wait)
        except TransactWriteError as error:
            if "ConditionalCheckFailed" in _codes(error):
                return False
            raise
        return True


def snapshot(*wanted: tuple[type[Any], tuple[str, str]], wait: Callable[[float], None] = sleep) -> list[Any]:
    """Items as they are at one moment, each by its model and its key, by one TransactGetItems; None for a missing one.

    Conflicts with other transactions are retried. Raises Unavailable, Unreadable.
    """

    def attempt() -> list[Any]:
        with TransactGet(connection=wanted[0][0]._get_connection().connection) as transaction:
            futures = [transaction.get(model, *key) for model, key in wanted]
        return [_found(future) for future in futures]

    return _beyond_conflicts(attempt, wait)


def _found[M: Bound](future: "_ModelFuture[M]") -> M | None:
    try:
        return future.get()
    except DoesNotExist:
        return None


def _beyond_conflicts[T](attempt: Callable[[], T], wait: Callable[[float], None]) -> T:
    """What a transaction returns, which is tried again when another one holds its items. Raises Unavailable."""
    for number in range(_CONFLICT_ATTEMPTS):
        try:
            return attempt()
        except (TransactGetError, TransactWriteError) as error:
            codes = _codes(error)
            if "ConditionalCheckFailed" in codes or not (codes & _TRANSIENT_CODES or _is_transient(error.cause)):
                raise
            if "TransactionConflict" not in codes or number == _CONFLICT_ATTEMPTS - 1:
                raise _unavailable(error.cause) from error
            wait(uniform(0, min(0.5, 0.01 * 2**number)))
    raise AssertionError("the last attempt returns or raises")


def _codes(error: TransactGetError | TransactWriteError) -> set[str]:
    return {reason.code for reason in error.cancellation_reasons if reason}


def _is_transient(cause: Exception | None) -> bool:
    if isinstance(cause, vendor.ClientError):
        return cause.response["Error"]["Code"] in _TRANSIENT_CODES
    return isinstance(cause, _LOST)


def _unavailable(cause: Exception | None) -> Unavailable:
    return Unavailable(why("The database", cause) if isinstance(cause, _LOST) else "The database is busy")
