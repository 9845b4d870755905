"""The model of DynamoDB, as botocore's clients meet it: what AWS or botocore refuse as wrong is refused here, too."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from tests.dynamo.model import Dynamo, refusal

_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_VERBS = {"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"}
_FUNCTIONS = {"ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS", "BEGINS_WITH", "CONTAINS", "IF_NOT_EXISTS", "SIZE"}
_WORD = re.compile(r"[#:]?\w+")
# In bytes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_LONGEST = (2048, 1024)
_LARGEST = 400_000
_validator = ParamValidator()


def call(dynamo: Dynamo, client: BaseClient, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Answer a client's call. Raises what botocore raises, in the client's own classes."""
    validate(client, operation, arguments)
    with in_classes_of(client, operation):
        for part in _parts(arguments):
            _check_expressions(operation, part)
            _check_keys(dynamo, operation, part)
        return dynamo.call(operation, arguments)


def validate(client: BaseClient, operation: str, arguments: dict[str, Any]) -> None:
    """Refuse what botocore would not send."""
    problems = _validator.validate(arguments, client.meta.service_model.operation_model(operation).input_shape)
    if problems.has_errors():
        raise ParamValidationError(report=problems.generate_report())


@contextmanager
def in_classes_of(client: BaseClient, operation: str) -> Iterator[None]:
    """Each client has classes of its own for the errors of its service."""
    try:
        yield
    except ClientError as error:
        kind = client.exceptions.from_code(error.response["Error"]["Code"])
        raise kind(error.response, operation) from None


def _parts(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What each touches one table."""
    if "TableName" in arguments:
        yield arguments
    for action in arguments.get("TransactItems", []):
        yield from action.values()
    for table, wanted in arguments.get("RequestItems", {}).items():
        yield {"TableName": table, **wanted}


def _check_expressions(operation: str, part: dict[str, Any]) -> None:
    texts = tuple(part[name] for name in _EXPRESSIONS if name in part)
    given = (*part.get("ExpressionAttributeNames", {}), *part.get("ExpressionAttributeValues", {}))
    if problem := _wrong_in(texts, given):
        raise refusal(operation, "ValidationException", problem)


def _check_keys(dynamo: Dynamo, operation: str, part: dict[str, Any]) -> None:
    if operation == "CreateTable":
        return
    if part["TableName"] not in dynamo.tables:
        raise refusal(operation, "ResourceNotFoundException", "Requested resource not found")
    items = [part[name] for name in ("Item", "Key") if name in part] + part.get("Keys", [])
    table = dynamo.tables[part["TableName"]]
    for item in items:
        for name, most in zip(table.key.names, _LONGEST, strict=False):
            value = item.get(name, {}).get(table.kinds[name])
            if value is None or not 0 < len(value.encode()) <= most:
                raise refusal(operation, "ValidationException", f"no key: {name}")
        # A little longer than what DynamoDB counts.
        if "Item" in part and len(str(item)) > _LARGEST:
            raise refusal(operation, "ValidationException", "Item size has exceeded the maximum allowed size")


@lru_cache(4096)
def _wrong_in(texts: tuple[str, ...], given: tuple[str, ...]) -> str:
    """Names and values are each defined and used, and no name is a word that DynamoDB keeps for itself."""
    words = {word for text in texts for word in _WORD.findall(text)}
    placeholders = {word for word in words if word[0] in "#:"}
    if odd := placeholders ^ set(given):
        return f"not defined, or not used in the expressions: {sorted(odd)}"
    names = {word.upper() for word in words - placeholders} - _VERBS - _FUNCTIONS
    return f"reserved: {sorted(names & _reserved())}" if names & _reserved() else ""


@cache
def _reserved() -> frozenset[str]:
    return frozenset(ReservedKeywords.get_reserved_keywords())
