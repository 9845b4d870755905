"""Which AWS calls were made, and how many write units they are."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.account import Account

_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


@dataclass
class Calls:
    """AWS calls that were made, and what the written items weigh."""

    operations: Counter[str] = field(default_factory=Counter)
    transactions: list[list[dict[str, Any]]] = field(default_factory=list)
    writes: list[dict[str, Any]] = field(default_factory=list)
    """Those without a transaction, in the form of a transaction's actions."""

    @contextmanager
    def counted(self) -> Iterator[None]:
        call = BaseClient._make_api_call

        def counting(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
            self.operations[operation] += 1
            if operation == "TransactWriteItems":
                self.transactions.append(arguments["TransactItems"])
            elif operation in _WRITES:
                self.writes.append({_WRITES[operation]: arguments})
            return call(client, operation, arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", counting)
            yield

    def write_units(self, aws: Account) -> int:
        """Of all that was written."""
        entries: set[str] = set()
        in_transactions = sum(write_units(aws, transaction, entries=entries) for transaction in self.transactions)
        return in_transactions + write_units(aws, self.writes, each=1, entries=entries)


def write_units(aws: Account, actions: list[dict[str, Any]], each: int = 2, entries: set[str] | None = None) -> int:
    """`each` for every KB begun of an item, and what the changed index keys cost: an old entry out, a new one in.

    A transaction writes each item twice. `entries` are those of indexes that were put before: to put one again is free.
    """
    entries = set() if entries is None else entries
    client = aws.client("dynamodb")
    units = 0
    for action in actions:
        ((kind, write),) = action.items()
        item = write.get("Item")
        if item is None:
            answer = client.get_item(TableName=write["TableName"], Key=write["Key"], ConsistentRead=True)
            item = answer.get("Item", write["Key"])
        units += each * -(-size_of(item) // 1024)
        table = aws.resources[write["TableName"]]["Properties"]
        names = write.get("ExpressionAttributeNames", {})
        changed = {name for alias, name in names.items() if alias in write.get("UpdateExpression", "").split()}
        for index in table.get("GlobalSecondaryIndexes", []):
            keys = [key["AttributeName"] for key in index["KeySchema"]]
            if all(key in item for key in keys):
                place = [item[key["AttributeName"]] for key in table["KeySchema"]]
                entry = f"{write['TableName']} {index['IndexName']} {place} {[item[key] for key in keys]}"
                units += entry not in entries if kind == "Put" else 2 * any(key in changed for key in keys)
                entries.add(entry)
    return units


def size_of(value: Any) -> int:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html, closely."""
    return sum(len(name) + _value_size(*content.items()) for name, content in value.items())


def _value_size(value: tuple[str, Any]) -> int:
    kind, content = value
    match kind:
        case "N":
            return len(content.strip("0.")) // 2 + 2
        case "M":
            return 3 + size_of(content) + len(content)
        case "L":
            return 3 + sum(1 + _value_size(*each.items()) for each in content)
        case "BOOL" | "NULL":
            return 1
        case _:
            return len(content)
