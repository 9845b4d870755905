"""The model of DynamoDB, judged by moto: both are asked the same, and answer the same."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from tests.account import Account, account
from tests.dynamo import served
from tests.dynamo.model import Dynamo

KEYS = [{"id": {"S": each}, "part": {"S": "campaign"}} for each in "abc"]
CONDITIONS = (
    "attribute_not_exists(#n)",
    "attribute_exists(#n)",
    "#n = :v",
    "#n <> :v",
    "#n < :v",
    "#n >= :v",
    "attribute_not_exists(#n) OR #n <= :v",
    "(#n = :v AND #s = :s) OR (NOT #s = :s)",
    "#n BETWEEN :v AND :w",
    "#s IN (:s, :t)",
    "begins_with (#s, :b)",
    "NOT contains (#a, :t)",
)
UPDATES = (
    "SET #n = :v, #s = :s",
    "ADD #n :v",
    "ADD #a :a",
    "SET #s = :t REMOVE #n",
    "SET #n = if_not_exists(#n, :v)",
)
NAMES = {"#n": "step", "#s": "status", "#a": "approvers"}


def values(random: Random) -> dict[str, Any]:
    low = random.randrange(-2, 4)
    return {
        ":v": {"N": str(low)},
        ":w": {"N": str(low + 2)},
        ":s": {"S": "running"},
        ":t": {"S": "paused"},
        ":b": {"S": "run"},
        ":a": {"SS": [random.choice(["paused", "running"])]},
    }


def used(text: str, all_values: dict[str, Any]) -> dict[str, Any]:
    """Only what an expression names: DynamoDB refuses the rest."""
    names = {name: value for name, value in NAMES.items() if name in text}
    kept = {name: value for name, value in all_values.items() if name in text}
    return {"ExpressionAttributeNames": names, **({"ExpressionAttributeValues": kept} if kept else {})}


def an_action(random: Random) -> dict[str, Any]:
    """A write of a transaction."""
    key, condition, all_values = random.choice(KEYS), random.choice(CONDITIONS), values(random)
    common: dict[str, Any] = {"TableName": "BoostsTable"}
    if random.random() < 0.7:
        common["ConditionExpression"] = condition
    match random.choice(("Put", "Update", "Update", "Delete", "ConditionCheck")):
        case "Put":
            item = key | {"status": {"S": "running"}, "step": {"N": str(random.randrange(3))}}
            return {"Put": common | {"Item": item} | (used(condition, all_values) if len(common) > 1 else {})}
        case "Update":
            text = random.choice(UPDATES)
            both = text + " " + common.get("ConditionExpression", "")
            return {"Update": common | {"Key": key, "UpdateExpression": text} | used(both, all_values)}
        case "Delete":
            return {"Delete": common | {"Key": key} | (used(condition, all_values) if len(common) > 1 else {})}
        case _:
            check = common | {"ConditionExpression": condition, "Key": key}
            return {"ConditionCheck": check | used(condition, all_values)}


def outcome(call: Any) -> Any:
    try:
        answer = call()
    except ClientError as error:
        reasons = error.response.get("CancellationReasons", [])
        return error.response["Error"]["Code"], [reason["Code"] for reason in reasons]
    return {name: value for name, value in answer.items() if name in ("Items", "Item", "Attributes")}


@pytest.fixture
def moto_and_model() -> Iterator[tuple[Account, Dynamo]]:
    with account() as aws:
        yield aws, Dynamo(aws.resources, lambda _written: None)


@pytest.mark.parametrize("seed", range(3))
def test_the_model_of_dynamodb_answers_as_moto_does(moto_and_model: tuple[Account, Dynamo], seed: int) -> None:
    aws, model = moto_and_model
    client, random = aws.client("dynamodb"), Random(seed)

    for _ in range(60):
        actions = [an_action(random) for _ in range(random.randrange(1, 4))]
        touched = [
            json.dumps(each.get("Key") or {n: each["Item"][n] for n in ("id", "part")})
            for action in actions
            for each in action.values()
        ]
        if len(set(touched)) == len(touched):
            asked = {"TransactItems": actions}
            assert outcome(lambda: client.transact_write_items(**asked)) == outcome(  # noqa: B023
                lambda: model.call("TransactWriteItems", asked)  # noqa: B023
            ), actions
        one = {verb: each for verb, each in an_action(random).items() if verb == "Update"}
        for each in one.values():
            asked = each | {"ReturnValues": "ALL_NEW"}
            assert outcome(lambda: client.update_item(**asked)) == outcome(lambda: model.call("UpdateItem", asked))  # noqa: B023

    scanned = {json.dumps(item, sort_keys=True) for item in client.scan(TableName="BoostsTable")["Items"]}
    assert scanned == {json.dumps(item, sort_keys=True) for item in model.tables["BoostsTable"].items.values()}


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("index", [None, "by_status"])
def test_the_model_pages_through_a_query_as_moto_does(
    moto_and_model: tuple[Account, Dynamo], index: str | None, forward: bool
) -> None:
    aws, model = moto_and_model
    client = aws.client("dynamodb")
    for number in range(7):
        item = {
            "id": {"S": "a"},
            "part": {"S": f"batch#{number}" if number % 3 else f"x#{number}"},
            "status": {"S": "running"},
            "created_at": {"S": f"{number % 4}"},
            "more": {"S": "not projected"},
        }
        client.put_item(TableName="BoostsTable", Item=item)
        model.call("PutItem", {"TableName": "BoostsTable", "Item": item})
    asked: dict[str, Any] = {"TableName": "BoostsTable", "ScanIndexForward": forward, "Limit": 2}
    if index:
        asked |= {"IndexName": index, "KeyConditionExpression": "#s = :s AND #c > :c"}
        asked["ExpressionAttributeNames"] = {"#s": "status", "#c": "created_at"}
        asked["ExpressionAttributeValues"] = {":s": {"S": "running"}, ":c": {"S": "0"}}
    else:
        asked |= {"KeyConditionExpression": "#i = :i AND begins_with(#p, :p)"}
        asked["ExpressionAttributeNames"] = {"#i": "id", "#p": "part"}
        asked["ExpressionAttributeValues"] = {":i": {"S": "a"}, ":p": {"S": "batch#"}}

    for _ in range(4):
        theirs, ours = client.query(**asked), model.call("Query", asked)

        order = [(item["id"], item["part"]) for item in theirs["Items"]]
        if index is None:
            assert ours["Items"] == theirs["Items"]
        assert len(ours["Items"]) == len(order)
        if "LastEvaluatedKey" not in ours or "LastEvaluatedKey" not in theirs:
            break  # After a last page that is full, DynamoDB says either.
        assert ours["LastEvaluatedKey"].keys() == theirs["LastEvaluatedKey"].keys()
        asked["ExclusiveStartKey"] = ours["LastEvaluatedKey"]


A_KEY = {"id": {"S": "a"}, "part": {"S": "campaign"}}


def test_the_model_reads_items_of_one_moment_as_moto_does(moto_and_model: tuple[Account, Dynamo]) -> None:
    aws, model = moto_and_model
    client = aws.client("dynamodb")
    there, missing = A_KEY, A_KEY | {"id": {"S": "b"}}
    asked = {"TransactItems": [{"Get": {"TableName": "BoostsTable", "Key": key}} for key in (missing, there)]}
    client.put_item(TableName="BoostsTable", Item=there)
    model.call("PutItem", {"TableName": "BoostsTable", "Item": there})

    theirs = client.transact_get_items(**asked)
    ours = served.call(model, client, "TransactGetItems", asked)

    assert ours["Responses"] == theirs["Responses"] == [{}, {"Item": there}]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY | {"id": {"S": ""}}}),
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY | {"id": {"S": "x" * 2049}}}),
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY | {"part": {"S": "x" * 1025}}}),
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY | {"part": {"N": "1"}}}),
        ("PutItem", {"TableName": "BoostsTable", "Item": {"id": {"S": "a"}}}),
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY | {"more": {"S": "x" * 410_000}}}),
        ("PutItem", {"TableName": "Nobodys", "Item": A_KEY}),
        ("PutItem", {"TableName": "BoostsTable", "Item": A_KEY, "ConditionExpression": "attribute_not_exists(status)"}),
        ("GetItem", {"TableName": "BoostsTable", "Key": A_KEY | {"id": {"S": ""}}}),
        ("GetItem", {"TableName": "Nobodys", "Key": A_KEY}),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "Nobodys", "Key": A_KEY}}]}),
        ("BatchGetItem", {"RequestItems": {"Nobodys": {"Keys": [A_KEY]}}}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "Nobodys", "Item": A_KEY}}]}),
        (
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "BoostsTable", "Item": A_KEY | {"id": {"S": "x" * 2049}}}}]},
        ),
        (
            "UpdateItem",
            {
                "TableName": "BoostsTable",
                "Key": A_KEY,
                "UpdateExpression": "SET more = :m",
                "ExpressionAttributeValues": {":m": {"S": "a"}, ":unused": {"S": "b"}},
            },
        ),
        ("Scan", {"TableName": "BoostsTable", "Limit": "many"}),
    ],
)
def test_what_dynamodb_refuses_is_refused_by_the_model_as_clients_meet_it(
    moto_and_model: tuple[Account, Dynamo], operation: str, arguments: dict[str, Any]
) -> None:
    aws, model = moto_and_model
    client = aws.client("dynamodb")

    with pytest.raises((ClientError, ParamValidationError)) as theirs:
        client._make_api_call(operation, arguments)
    with pytest.raises((ClientError, ParamValidationError)) as ours:
        served.call(model, client, operation, arguments)

    assert type(ours.value) is type(theirs.value)
    if isinstance(theirs.value, ClientError):
        assert ours.value.response["Error"]["Code"] == theirs.value.response["Error"]["Code"]


@pytest.mark.parametrize("limit", [None, 3])
def test_the_model_scans_as_moto_does(moto_and_model: tuple[Account, Dynamo], limit: int | None) -> None:
    aws, model = moto_and_model
    client = aws.client("dynamodb")
    for number in range(7):
        item = A_KEY | {"part": {"S": f"batch#{number}"}, "views": {"N": str(number)}}
        client.put_item(TableName="BoostsTable", Item=item)
        model.call("PutItem", {"TableName": "BoostsTable", "Item": item})
    asked: dict[str, Any] = {
        "TableName": "BoostsTable",
        "FilterExpression": "#v > :v",
        "ExpressionAttributeNames": {"#v": "views"},
        "ExpressionAttributeValues": {":v": {"N": "1"}},
        **({"Limit": limit} if limit else {}),
    }

    def all_of(scan: Any) -> list[Any]:
        found, answer = [], scan(asked)
        found += answer["Items"]
        while "LastEvaluatedKey" in answer:
            answer = scan(asked | {"ExclusiveStartKey": answer["LastEvaluatedKey"]})
            found += answer["Items"]
        return sorted(found, key=str)

    assert all_of(lambda asked: model.call("Scan", asked)) == all_of(lambda asked: client.scan(**asked))


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("#i = :i AND begins_with(#p, :p)", {":i": "a", ":p": ""}),
        ("#i = :i AND #p = :p", {":i": "a", ":p": ""}),
        ("#i = :i AND #p > :p", {":i": "", ":p": "batch#"}),
    ],
)
def test_the_model_refuses_a_query_by_an_empty_key(
    moto_and_model: tuple[Account, Dynamo], condition: str, values: dict[str, str]
) -> None:
    """As DynamoDB does; moto answers `begins_with` of nothing."""
    _, model = moto_and_model
    asked = {
        "TableName": "BoostsTable",
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#i": "id", "#p": "part"},
        "ExpressionAttributeValues": {name: {"S": value} for name, value in values.items()},
    }

    with pytest.raises(ClientError) as refused:
        model.call("Query", asked)

    assert refused.value.response["Error"]["Code"] == "ValidationException"
