"""DynamoDB, as far as Sluice uses it, with the tables that the template declares. Judged against moto by its tests.

moto takes milliseconds for what this does in microseconds, and a sweep makes hundreds of thousands of calls.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.dynamo import expressions
from tests.dynamo.expressions import Binding, Item, Value, plain

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_TOKEN_LIVES = timedelta(minutes=10)

_VALUE = re.compile(r":\w+")
_EMPTY: tuple[Value, ...] = ({"S": ""}, {"B": b""})

type Key = tuple[Any, ...]


def refusal(operation: str, code: str, message: str = "", **extra: Any) -> ClientError:
    """An error as botocore raises it."""
    response: Any = {"Error": {"Code": code, "Message": message or code}, **extra}
    return ClientError(response, operation)


@dataclass(frozen=True)
class Index:
    """A key: of a table, or of one of its indexes, with what that one projects (None: everything)."""

    names: tuple[str, ...]
    projected: frozenset[str] | None = None

    def of(self, item: Item) -> Key:
        return tuple(plain(item[name]) for name in self.names)

    def holds(self, item: Item) -> bool:
        return all(name in item for name in self.names)


@dataclass
class Table:
    """A table's items, by their keys."""

    name: str
    key: Index
    indexes: dict[str, Index]
    kinds: dict[str, str]
    """Of the attributes in keys, such as S."""
    stream_view: str | None = None
    items: dict[Key, Item] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """One item that was written: as the stream tells it, and the invariants watch it."""

    table: str
    key: Item
    before: Item | None
    after: Item | None


def tables(resources: dict[str, Any]) -> dict[str, Table]:
    """The tables of a translated template, empty; their names are their logical ids."""
    found = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            found[name] = _table(name, resource["Properties"])
    return found


def _table(name: str, properties: dict[str, Any]) -> Table:
    key = Index(_key_names(properties))
    indexes = {each["IndexName"]: _index(each, key) for each in properties.get("GlobalSecondaryIndexes", [])}
    kinds = {each["AttributeName"]: each["AttributeType"] for each in properties["AttributeDefinitions"]}
    return Table(name, key, indexes, kinds, properties.get("StreamSpecification", {}).get("StreamViewType"))


def _key_names(properties: dict[str, Any]) -> tuple[str, ...]:
    ordered = sorted(properties["KeySchema"], key=lambda part: str(part["KeyType"]))
    return tuple(part["AttributeName"] for part in ordered)


def _index(properties: dict[str, Any], key: Index) -> Index:
    names = _key_names(properties)
    projection = properties["Projection"]
    if projection["ProjectionType"] == "ALL":
        return Index(names)
    return Index(names, frozenset({*names, *key.names, *projection.get("NonKeyAttributes", [])}))


class Dynamo:
    """Answers calls. `on_write` hears of each commit: all the items that it wrote at once."""

    def __init__(
        self, resources: dict[str, Any], on_write: Callable[[list[Written]], None] = lambda _written: None
    ) -> None:
        self._declared = tables(resources)
        self.tables = dict(self._declared)
        self._on_write = on_write
        self._tokens: dict[str, datetime] = {}

    def forget(self) -> None:
        """Empty every table; those that were deleted are there again."""
        self.tables = dict(self._declared)
        for table in self.tables.values():
            table.items.clear()
        self._tokens.clear()

    def items(self, table: str, **texts: str) -> Iterator[dict[str, Any]]:
        """A table's items that have these texts, as plain values; what is nested stays as it is."""
        for item in self.tables[table].items.values():
            if all(item[name] == {"S": text} for name, text in texts.items()):
                yield {name: plain(value) for name, value in item.items()}

    def call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, f"_{operation}")(arguments)
        return answer

    def _GetItem(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.tables[arguments["TableName"]]
        item = table.items.get(table.key.of(arguments["Key"]))
        return {"Item": dict(item)} if item is not None else {}

    def _BatchGetItem(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found: dict[str, list[Item]] = {}
        for name, wanted in arguments["RequestItems"].items():
            table = self.tables[name]
            keys = [table.key.of(key) for key in wanted["Keys"]]
            assert len(set(keys)) == len(keys) <= 100, "a batch read takes 100 keys, each once"
            found[name] = [dict(table.items[key]) for key in keys if key in table.items]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _TransactGetItems(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        wanted = [action["Get"] for action in arguments["TransactItems"]]
        keys = [(each["TableName"], self._key("Get", each)) for each in wanted]
        assert 0 < len(set(keys)) == len(keys) <= 100, "a transaction reads an item once, and at most 100"
        return {"Responses": [self._GetItem(each) for each in wanted]}

    def _CreateTable(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.tables[arguments["TableName"]] = _table(arguments["TableName"], arguments)
        return {}

    def _DeleteTable(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        del self.tables[arguments["TableName"]]
        return {}

    def _Scan(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.tables[arguments["TableName"]]
        index = table.indexes[arguments["IndexName"]] if "IndexName" in arguments else table.key
        return self._page([item for item in table.items.values() if index.holds(item)], table, index, arguments)

    def _Query(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.tables[arguments["TableName"]]
        index = table.indexes[arguments["IndexName"]] if "IndexName" in arguments else table.key
        assert not ("IndexName" in arguments and arguments.get("ConsistentRead")), "an index has no consistent read"
        names, values = arguments.get("ExpressionAttributeNames"), arguments.get("ExpressionAttributeValues") or {}
        for named in _VALUE.findall(arguments["KeyConditionExpression"]):
            if values[named] in _EMPTY:
                raise refusal("Query", "ValidationException", "A key attribute cannot contain an empty value")
        in_range = expressions.condition(arguments["KeyConditionExpression"])
        hits = [item for item in table.items.values() if index.holds(item) and in_range(Binding(item, names, values))]

        return self._page(hits, table, index, arguments)

    def _page(self, hits: list[Item], table: Table, index: Index, arguments: dict[str, Any]) -> dict[str, Any]:
        """What a query or a scan answers of what it finds."""
        names, values = arguments.get("ExpressionAttributeNames"), arguments.get("ExpressionAttributeValues")

        def place(item: Item) -> Key:
            return (index.of(item), table.key.of(item))

        forward = arguments.get("ScanIndexForward", True)
        hits.sort(key=place, reverse=not forward)
        if start := arguments.get("ExclusiveStartKey"):
            hits = [item for item in hits if (place(item) > place(start) if forward else place(item) < place(start))]
        limit = arguments.get("Limit") or len(hits)
        looked_at = hits[:limit]
        answer: dict[str, Any] = {}
        if len(hits) > limit or (arguments.get("Limit") and len(hits) == limit and hits):
            last = looked_at[-1]
            answer["LastEvaluatedKey"] = {name: last[name] for name in {*index.names, *table.key.names}}
        if "FilterExpression" in arguments:
            passes = expressions.condition(arguments["FilterExpression"])
            looked_at = [item for item in looked_at if passes(Binding(item, names, values))]
        kept = index.projected
        answer["Items"] = [
            {name: value for name, value in item.items() if kept is None or name in kept} for item in looked_at
        ]
        return answer | {"Count": len(looked_at), "ScannedCount": len(looked_at)}

    def _PutItem(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write_one("PutItem", "Put", arguments)

    def _UpdateItem(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write_one("UpdateItem", "Update", arguments)

    def _DeleteItem(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return self._write_one("DeleteItem", "Delete", arguments)

    def _TransactWriteItems(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        now, token = datetime.now(UTC), arguments.get("ClientRequestToken")
        if token and token in self._tokens and now - self._tokens[token] < _TOKEN_LIVES:
            return {}
        actions = [next(iter(action.items())) for action in arguments["TransactItems"]]
        assert actions, "a transaction has at least one action"
        touched = [(action["TableName"], self._key(verb, action)) for verb, action in actions]
        assert len(set(touched)) == len(touched) <= 100, "a transaction touches an item once, and at most 100"
        holds = [self._holds(verb, action) for verb, action in actions]
        if not all(holds):
            reasons = [
                {"Code": "None"} if each else {"Code": "ConditionalCheckFailed"} | self._met(verb, action)
                for each, (verb, action) in zip(holds, actions, strict=True)
            ]
            raise refusal("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons)
        try:
            written = [self._written(verb, action) for verb, action in actions if verb != "ConditionCheck"]
        except TypeError:
            reasons = [{"Code": "ValidationError"}]
            raise refusal("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons) from None
        if token:
            self._tokens[token] = now
        self._store(written)
        return {}

    def _write_one(self, operation: str, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if not self._holds(verb, arguments):
            raise refusal(operation, "ConditionalCheckFailedException", "The conditional request failed")
        written = self._written(verb, arguments)
        self._store([written])
        return {"Attributes": dict(written.after)} if verb == "Update" and written.after else {}

    def _key(self, verb: str, action: dict[str, Any]) -> Key:
        return self.tables[action["TableName"]].key.of(action["Item"] if verb == "Put" else action["Key"])

    def _holds(self, verb: str, action: dict[str, Any]) -> bool:
        if "ConditionExpression" not in action:
            return True
        item = self.tables[action["TableName"]].items.get(self._key(verb, action), {})
        names, values = action.get("ExpressionAttributeNames"), action.get("ExpressionAttributeValues")
        return expressions.condition(action["ConditionExpression"])(Binding(item, names, values))

    def _met(self, verb: str, action: dict[str, Any]) -> dict[str, Any]:
        """The item that a failed condition met, if the action asks for it and there is one."""
        item = self.tables[action["TableName"]].items.get(self._key(verb, action))
        asks = action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return {"Item": dict(item)} if asks and item is not None else {}

    def _written(self, verb: str, action: dict[str, Any]) -> Written:
        """What a write comes to. Raises TypeError for an operand that is of another type."""
        table = self.tables[action["TableName"]]
        key = self._key(verb, action)
        before = table.items.get(key)
        after: Item | None = None
        if verb == "Put":
            after = dict(action["Item"])
        elif verb == "Update":
            # Never changed in place: whoever read the item keeps what he read.
            after = dict(before) if before is not None else dict(action["Key"])
            names, values = action.get("ExpressionAttributeNames"), action.get("ExpressionAttributeValues")
            expressions.update(action.get("UpdateExpression", ""))(Binding(before or {}, names, values), after)
        whole = after or before or action["Key"]
        return Written(table.name, {name: whole[name] for name in table.key.names}, before, after)

    def _store(self, written: list[Written]) -> None:
        for each in written:
            table = self.tables[each.table]
            key = table.key.of(each.key)
            if each.after is None:
                table.items.pop(key, None)
            else:
                table.items[key] = each.after
        self._on_write(written)
