"""An AWS account in process, with the tables, queues, bus and secret that the template declares.

Tables and queues are models, for moto takes milliseconds where they take microseconds; the rest of it is moto's. An
account is made once for each process and emptied between tests.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from boto3.dynamodb.types import TypeDeserializer
from botocore.client import BaseClient
from botocore.session import Session, get_session
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends
from moto.ssm.models import ssm_backends

from tests.dynamo import served
from tests.dynamo.model import Dynamo
from tests.sqs import Sqs
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
    """What the template declares. Logical ids name everything; nobody changes `resources`."""

    def __init__(self, template_text: str | None = None, *, on_model: bool = True) -> None:
        self.resources: dict[str, Any] = translated(template_text)["Resources"]
        self.dynamo = Dynamo(self.resources) if on_model else None
        self.sqs = Sqs() if on_model else None
        self._refs: dict[str, Any] = dict(PSEUDO_PARAMETERS)
        self._attributes: dict[tuple[str, str], str] = {}
        self._secrets: dict[str, str] = {}
        template = source(template_text)
        self._refs |= {name: _default(parameter) for name, parameter in template["Parameters"].items()}
        self._conditions = template.get("Conditions", {})
        for kind, create in self._makers().items():
            for logical_id, resource in self.resources.items():
                if resource["Type"] == kind:
                    create(logical_id, resource.get("Properties", {}))
        self._at_first = dict(self._refs)

    def forget(self) -> None:
        """As a new account would be: without items, messages and schedules, and with the parameters' defaults."""
        self._refs = dict(self._at_first)
        self.forget_items()
        if self.sqs:
            self.sqs.forget()
        for group in scheduler_backends[ACCOUNT][REGION].schedule_groups.values():
            group.schedules.clear()
        for bucket in s3_backends[ACCOUNT]["aws"].buckets.values():
            bucket.keys.clear()
        ssm_backends[ACCOUNT][REGION]._parameters.clear()

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

    def secret(self, name: str) -> str:
        """What a secret holds."""
        return str(self.client("secretsmanager").get_secret_value(SecretId=self.ref(name))["SecretString"])

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table, as plain values."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.ref(table), ConsistentRead=True)
        items: list[dict[str, Any]]
        items = [{name: _plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
        return items

    def forget_items(self) -> None:
        """Empty every table."""
        if self.dynamo:
            self.dynamo.forget()
        else:
            # moto's transactions copy the whole of it each time.
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
            "AWS::S3::Bucket": self._bucket,
            "AWS::ElastiCache::ServerlessCache": self._cache,
            "AWS::ApiGatewayV2::Api": self._api,
        }

    def _table(self, name: str, properties: dict[str, Any]) -> None:
        self._known(name, name, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}")
        if self.dynamo:
            return
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
        self.client("dynamodb").create_table(
            TableName=name, **{key: properties[key] for key in wanted if key in properties}
        )

    def _queue(self, name: str, properties: dict[str, Any]) -> None:
        timeout = properties.get("VisibilityTimeout", 30)
        if self.sqs:
            url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            self.sqs.declare(url, timeout)
        else:
            attributes = {"VisibilityTimeout": str(timeout)}
            url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._known(name, url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")

    def _bus(self, name: str, _properties: dict[str, Any]) -> None:
        arn = self.client("events").create_event_bus(Name=name)["EventBusArn"]
        self._known(name, name, arn)

    def _schedule_group(self, name: str, _properties: dict[str, Any]) -> None:
        arn = self.client("scheduler").create_schedule_group(Name=name)["ScheduleGroupArn"]
        self._known(name, name, arn)

    def _secret(self, name: str, properties: dict[str, Any]) -> None:
        made = properties.get("GenerateSecretString")
        value = {}  # of a secret that somebody puts there later
        if made:
            parts = json.loads(made["SecretStringTemplate"])
            value["SecretString"] = json.dumps(parts | {made["GenerateStringKey"]: secret_of(name)})
        arn = self.client("secretsmanager").create_secret(Name=name, **value)["ARN"]
        self._known(name, arn, arn)
        self._attributes[name, "Id"] = arn

    def _role(self, name: str, _properties: dict[str, Any]) -> None:
        self._known(name, name, f"arn:aws:iam::{ACCOUNT}:role/{name}")

    def _bucket(self, name: str, _properties: dict[str, Any]) -> None:
        self.client("s3").create_bucket(Bucket=name.lower())
        self._known(name, name.lower(), f"arn:aws:s3:::{name.lower()}")

    def _cache(self, name: str, _properties: dict[str, Any]) -> None:
        # Nothing listens there: a test that needs a cache chooses one with RedisUrl.
        self._attributes |= {(name, "Endpoint.Address"): "127.0.0.1", (name, "Endpoint.Port"): "1"}

    def _api(self, name: str, _properties: dict[str, Any]) -> None:
        self._refs[name] = name.lower()

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
        if reference[1] not in self._secrets:
            answer = self.client("secretsmanager").get_secret_value(SecretId=reference[1])
            self._secrets[reference[1]] = str(answer["SecretString"])
        return self._secrets[reference[1]]


def secret_of(name: str) -> str:
    """What a secret of the template holds: another value for each."""
    return sha256(name.encode()).hexdigest()


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
    """A fresh account in moto alone, with credentials of its own."""
    with bare_moto():
        yield Account(template_text, on_model=False)


@contextmanager
def bare_moto() -> Iterator[None]:
    """moto with nothing in it. The kept account ends with this: its secrets are in moto."""
    _kept.clear()
    with _credentials(), mock_aws():
        yield


@contextmanager
def modelled_account() -> Iterator[Account]:
    """The account whose tables are the model's: one for each process, empty."""
    moto = mock_aws()
    with _credentials(), _one_client_each():
        moto.start(reset=not _kept)
        try:
            if not _kept:
                _kept.append(Account())
            aws = _kept[0]
            aws.forget()
            with patch.object(BaseClient, "_make_api_call", _answering(aws)):
                yield aws
        finally:
            moto.stop(remove_data=False)


_kept: list[Account] = []
"""The account of this process, while what moto has of it is there."""


def _credentials() -> AbstractContextManager[Any]:
    stack = ExitStack()
    stack.enter_context(patch.dict("os.environ", _CREDENTIALS))
    stack.enter_context(patch("pynamodb.connection.base.get_session", _session))
    return stack


def _answering(aws: Account) -> Callable[[BaseClient, str, dict[str, Any]], Any]:
    real = BaseClient._make_api_call
    assert aws.dynamo
    assert aws.sqs
    dynamo, sqs = aws.dynamo, aws.sqs

    def make_api_call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        match client.meta.service_model.service_name:
            case "dynamodb":
                return served.call(dynamo, client, operation, arguments)
            case "sqs":
                served.validate(client, operation, arguments)
                with served.in_classes_of(client, operation):
                    return sqs.call(operation, arguments)
        return real(client, operation, arguments)

    return make_api_call


@contextmanager
def _one_client_each() -> Iterator[None]:
    real, clients = Session.create_client, _clients

    def create_client(session: Session, service: str, *arguments: Any, **options: Any) -> Any:
        config = options.get("config")
        asked = (service, arguments, str(options | {"config": config and config._user_provided_options}))
        if asked not in clients:
            clients[asked] = real(session, service, *arguments, **options)
        return clients[asked]

    with patch.object(Session, "create_client", create_client):
        yield


_clients: dict[Any, Any] = {}
