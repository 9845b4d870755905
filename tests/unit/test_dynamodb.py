"""Committing a transaction: what is tried again, what is an answer, and what is an error."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import exceptions as vendor
from botocore.client import BaseClient
from pynamodb.attributes import UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import (
    CancellationReason,
    GetError,
    PynamoDBException,
    TransactWriteError,
    VerboseClientError,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from sluice.dynamodb import Bound, Database, bind, transient_as_unavailable
from sluice.errors import Unavailable

CONFLICT = "TransactionConflict"
FAILED = "ConditionalCheckFailed"


def cancelled(*reasons: str | None) -> TransactWriteError:
    """A transaction cancelled for these reasons, one for each of its items."""
    found = [CancellationReason(reason) if reason else None for reason in reasons]
    response = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
    return TransactWriteError("Failed", VerboseClientError(response, "TransactWriteItems", cancellation_reasons=found))


def refused(code: str) -> TransactWriteError:
    """A transaction refused as a whole."""
    response = {"Error": {"Code": code, "Message": "refused"}}
    return TransactWriteError("Failed", VerboseClientError(response, "TransactWriteItems"))


class Table:
    """What DynamoDB answers to one transaction after another: an error, or None when it commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waits: list[float] = []
        self.fills = 0
        self.answers: list[TransactWriteError | None] = []
        self.database = Database(self.waits.append)
        monkeypatch.setattr(Connection, "transact_write_items", self._answer)

    def commit(self, *answers: TransactWriteError | None) -> bool:
        self.answers = list(answers)

        def fill(_transaction: object) -> None:
            self.fills += 1

        return self.database.commit(fill)

    def _answer(self, **_: Any) -> None:
        if error := self.answers.pop(0):
            raise error


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    return Table(monkeypatch)


def test_a_transaction_that_commits_is_true_and_waits_for_nothing(table: Table) -> None:
    assert table.commit(None) is True
    assert (table.fills, table.waits) == (1, [])


def test_a_failed_condition_is_an_answer_and_not_tried_again(table: Table) -> None:
    assert table.commit(cancelled(None, FAILED)) is False
    assert (table.fills, table.waits) == (1, [])


@pytest.mark.parametrize("reasons", [(CONFLICT, FAILED), (FAILED, CONFLICT), (FAILED, "ThrottlingError")])
def test_a_failed_condition_is_the_answer_beside_conflicts_and_throttles_too(
    table: Table, reasons: tuple[str, ...]
) -> None:
    assert table.commit(cancelled(*reasons)) is False
    assert table.fills == 1


def test_a_conflict_is_tried_again_in_place_with_everything_filled_in_again(table: Table) -> None:
    conflict = cancelled(CONFLICT, None)

    assert table.commit(conflict, conflict, conflict, None) is True
    assert table.fills == 4
    assert len(table.waits) == 3


def test_a_conflict_and_then_a_failed_condition_is_false(table: Table) -> None:
    assert table.commit(cancelled(CONFLICT), cancelled(FAILED)) is False


def test_conflicts_without_end_are_unavailable_after_the_twelfth_without_another_wait(table: Table) -> None:
    with pytest.raises(Unavailable, match="The database is busy"):
        table.commit(*[cancelled(CONFLICT)] * 100)

    assert table.fills == 12
    assert len(table.waits) == 11


def test_waits_between_conflicts_are_jittered_grow_and_stay_below_half_a_second(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    monkeypatch.setattr("sluice.dynamodb.uniform", uniform)
    with pytest.raises(Unavailable):
        table.commit(*[cancelled(CONFLICT)] * 100)

    most = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert bounds == [(0, high) for high in most]
    assert table.waits == most


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttle_is_unavailable_at_once(table: Table, reason: str) -> None:
    with pytest.raises(Unavailable, match="^The database is busy$"):
        table.commit(cancelled(reason, None))

    assert (table.fills, table.waits) == (1, [])


@pytest.mark.parametrize(
    "code",
    [
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ],
)
def test_a_busy_database_is_unavailable(table: Table, code: str) -> None:
    with pytest.raises(Unavailable, match="^The database is busy$"):
        table.commit(refused(code))

    assert table.fills == 1


LOST = [
    (vendor.ConnectTimeoutError(endpoint_url="https://dynamodb"), "cannot be reached: https://dynamodb"),
    (vendor.EndpointConnectionError(endpoint_url="https://dynamodb"), "cannot be reached: https://dynamodb"),
    (vendor.ReadTimeoutError(endpoint_url="https://dynamodb"), "does not answer: https://dynamodb"),
    (vendor.ConnectionClosedError(endpoint_url="https://dynamodb"), "does not answer: https://dynamodb"),
    (vendor.HTTPClientError(error=OSError("broken pipe")), "does not answer: HTTPClientError"),
]


@pytest.mark.parametrize(("cause", "says"), LOST)
def test_a_lost_connection_is_unavailable_and_says_where_the_database_was_looked_for(
    table: Table, cause: Exception, says: str
) -> None:
    with pytest.raises(Unavailable, match=f"^The database {says}$"):
        table.commit(TransactWriteError("Failed", cause))


@pytest.mark.parametrize(("cause", "says"), LOST)
def test_a_read_says_so_too(cause: Exception, says: str) -> None:
    with pytest.raises(Unavailable, match=f"^The database {says}$"), transient_as_unavailable():
        raise GetError("Failed", cause)


@pytest.mark.parametrize(
    "error",
    [
        cancelled("ValidationError", None),
        cancelled("ItemCollectionSizeLimitExceeded"),
        refused("ValidationException"),
        refused("AccessDeniedException"),
        refused("ResourceNotFoundException"),
        TransactWriteError("Failed", vendor.NoCredentialsError()),
        TransactWriteError("Failed", None),
    ],
)
def test_any_other_error_is_a_defect_and_passes(table: Table, error: TransactWriteError) -> None:
    with pytest.raises(TransactWriteError) as raised:
        table.commit(error)

    assert raised.value is error


def test_an_error_in_filling_passes_and_commits_nothing(table: Table) -> None:
    def fill(_transaction: object) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        table.database.commit(fill)
    assert table.answers == []


def _client_error(code: str) -> vendor.ClientError:
    return vendor.ClientError({"Error": {"Code": code, "Message": ""}}, "GetItem")


@pytest.mark.parametrize(
    "cause",
    [_client_error("ThrottlingException"), vendor.ReadTimeoutError(endpoint_url="https://dynamodb")],
)
def test_a_read_that_is_throttled_or_loses_its_connection_is_unavailable(cause: Exception) -> None:
    with pytest.raises(Unavailable), transient_as_unavailable():
        raise GetError("Failed", cause)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GetError("Failed", _client_error("ValidationException")),
        lambda: GetError("Failed"),
        lambda: PynamoDBException("Failed"),
        lambda: ValueError("Failed"),
    ],
)
def test_any_other_error_of_a_read_passes(make: Callable[[], Exception]) -> None:
    error = make()

    with pytest.raises(type(error)) as raised, transient_as_unavailable():
        raise error

    assert raised.value is error


class Item(Bound):
    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)


class ByOwner(GlobalSecondaryIndex["OwnedItem"]):
    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)


class OwnedItem(Item):
    owner = UnicodeAttribute()
    by_owner = ByOwner()


def test_an_index_is_found_though_another_model_of_the_table_was_used_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """PynamoDB keeps a connection where a model and its children find it, with the indexes of whichever came first."""
    asked = []

    def answer(_client: BaseClient, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append((operation, arguments.get("IndexName")))
        return {"Items": [], "Count": 0, "ScannedCount": 0}

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
    bind(Item, "items")

    found = [*Item.query("abc"), *OwnedItem.by_owner.query("ada"), *OwnedItem.query("abc"), *Item.query("abc")]

    assert found == []
    assert asked == [("Query", None), ("Query", "by_owner"), ("Query", None), ("Query", None)]
