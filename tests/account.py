"""An AWS account in process: moto, with the tables, queues, bus and secret that the template declares."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

from boto3.dynamodb.types import TypeDeserializer
from botocore.session import Session, get_session
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from tests.template_reader import ACCOUNT, PSEUDO_PARAMETERS, REGION, source, translated

_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "POWERTOOLS_METRICS_DISABLED": "true",
}

# A dynamic reference to a whole secret, as CloudFormation resolves it.
_SECRET = re.compile(r"\{\{resolve:secretsmanager:(.+):SecretString\}\}")


class Account:
    """What the template declares, created in moto. Logical ids name everything."""

    def __init__(self, template_text: str | None = None) -> None:
        self.resources: dict[str, Any] = translated(template_text)["Resources"]
        self._refs: dict[str, Any] = dict(PSEUDO_PARAMETERS)
        self._attributes: dict[tuple[str, str], str] = {}
        parameters = source(template_text)["Parameters"]
        self._refs |= {name: _default(parameter) for name, parameter in parameters.items()}
        self._conditions = source(template_text).get("Conditions", {})
        for kind, create in self._makers().items():
            for logical_id, resource in self.resources.items():
                if resource["Type"] == kind:
                    create(logical_id, resource.get("Properties", {}))

    def client(self, service: str) -> Any:
        return _client(service)

    def choose(self, **parameters: str) -> None:
        """Give parameters of the template other values than their defaults, for the functions' environment."""
        assert parameters.keys() <= self._refs.keys()
        self._refs |= parameters

    def ref(self, logical_id: str) -> str:
        """A table's name, a queue's URL, a bus's name, ..."""
        return str(self._refs[logical_id])

    def arn(self, logical_id: str) -> str:
        """A table's ARN, a queue's, ..."""
        return self._attributes[logical_id, "Arn"]

    def resolve(self, value: Any) -> Any:
        """What an intrinsic function of the template comes to; anything else stays as it is."""
        return self._resolve(value)

    def environment(self, function: str) -> dict[str, str]:
        """The environment variables of a function."""
        variables = self.resources[function]["Properties"]["Environment"]["Variables"]
        return {name: str(self._resolve(value)) for name, value in variables.items()}

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table, as plain values."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.ref(table), ConsistentRead=True)
        items: list[dict[str, Any]]
        items = [{name: _plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        return items

    def forget_items(self) -> None:
        """Empties every table, as a new account would be: moto's transactions copy the whole of it each time."""
        for table in dynamodb_backends[ACCOUNT][REGION].tables.values():
            table.items.clear()

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Takes what is visible on a queue now."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.ref(queue),
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            VisibilityTimeout=0,
            AttributeNames=["All"],
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    def _makers(self) -> dict[str, Callable[[str, dict[str, Any]], None]]:
        return {
            "AWS::DynamoDB::Table": self._table,
            "AWS::SQS::Queue": self._queue,
            "AWS::Events::EventBus": self._bus,
            "AWS::Scheduler::ScheduleGroup": self._schedule_group,
            "AWS::SecretsManager::Secret": self._secret,
            "AWS::IAM::Role": self._role,
            "AWS::ElastiCache::ServerlessCache": self._cache,
        }

    def _table(self, name: str, properties: dict[str, Any]) -> None:
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        self.client("dynamodb").create_table(
            TableName=name, **{key: properties[key] for key in wanted if key in properties}
        )
        self._known(name, name, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")

    def _queue(self, name: str, properties: dict[str, Any]) -> None:
        timeout = str(properties.get("VisibilityTimeout", 30))
        url = self.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": timeout})["QueueUrl"]
        self._known(name, url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")

    def _bus(self, name: str, _properties: dict[str, Any]) -> None:
        arn = self.client("events").create_event_bus(Name=name)["EventBusArn"]
        self._known(name, name, arn)

    def _schedule_group(self, name: str, _properties: dict[str, Any]) -> None:
        arn = self.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        self._known(name, name, arn)

    def _secret(self, name: str, _properties: dict[str, Any]) -> None:
        value = json.dumps({"current": "a" * 64, "previous": ""})
        arn = self.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
        self._known(name, arn, arn)
        self._attributes[name, "Id"] = arn

    def _role(self, name: str, _properties: dict[str, Any]) -> None:
        self._known(name, name, f"arn:aws:iam::{ACCOUNT}:role/{name}")

    def _cache(self, name: str, _properties: dict[str, Any]) -> None:
        # Nothing listens there: a test that needs a cache chooses one with RedisUrl.
        self._attributes |= {(name, "Endpoint.Address"): "127.0.0.1", (name, "Endpoint.Port"): "1"}

    def _known(self, name: str, ref: str, arn: str) -> None:
        self._refs[name] = ref
        self._attributes[name, "Arn"] = arn

    def _resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._refs[name]
            case {"Fn::GetAtt": [name, attribute]}:
                return self._attributes[name, attribute]
            case {"Fn::Join": [separator, parts]}:
                parts = self._resolve(parts)
                return separator.join(parts.split(",") if isinstance(parts, str) else map(self._resolve, parts))
            case {"Fn::Sub": text}:
                return _SECRET.sub(self._secret_string, re.sub(r"\$\{([^}]+)\}", self._substituted, text))
            case {"Fn::If": [condition, then, otherwise]}:
                return self._resolve(then if self._holds(self._conditions[condition]) else otherwise)
        return value

    def _substituted(self, found: re.Match[str]) -> str:
        name, _, attribute = found[1].partition(".")
        return str(self._attributes[name, attribute] if attribute else self._refs[name])

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Not": [other]}:
                return not self._holds(other)
            case {"Fn::Equals": [one, other]}:
                return bool(self._resolve(one) == self._resolve(other))
        raise LookupError(f"{condition} is not understood")

    def _secret_string(self, reference: re.Match[str]) -> str:
        return str(self.client("secretsmanager").get_secret_value(SecretId=reference[1])["SecretString"])


# Clients know no account, and making them would be most of what a test costs.
@cache
def _session() -> Session:
    return get_session()


@cache
def _client(service: str) -> Any:
    return _session().create_client(service, region_name=REGION)


def _plain(value: dict[str, Any]) -> Any:
    return TypeDeserializer().deserialize(value)


def _default(parameter: dict[str, Any]) -> Any:
    return parameter.get("Default", "")


@contextmanager
def account(template_text: str | None = None) -> Iterator[Account]:
    """A fresh account, with credentials of its own."""
    with (
        patch.dict("os.environ", _CREDENTIALS),
        patch("pynamodb.connection.base.get_session", _session),
        mock_aws(),
    ):
        yield Account(template_text)
