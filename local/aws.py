"""The way to a stack: the embedded one on this machine, or one on AWS with the user's own credentials."""

import os
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""What MiniStack takes for the account's owner. They open nothing anywhere else."""


def environment(endpoint_url: str) -> dict[str, str]:
    """This process's environment, with nothing left in it by which a tool would reach the real AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    local = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1,localhost"]))
    return (
        kept
        | CREDENTIALS
        | {
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": local,
            "no_proxy": local,
        }
    )


@dataclass(frozen=True)
class DeployedStack:
    """A CloudFormation stack, seen through its outputs and resources."""

    name: str
    session: boto3.Session
    endpoint_url: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @staticmethod
    def embedded(name: str, endpoint_url: str) -> "DeployedStack":
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        return DeployedStack(name, session, endpoint_url)

    @staticmethod
    def on_aws(name: str, profile: str | None, region: str | None) -> "DeployedStack":
        try:
            session = boto3.Session(profile_name=profile or None, region_name=region or None)
        except BotoCoreError as error:
            raise LocalError(f"{error}. Give PROFILE=<a profile of yours>.") from error
        if not session.region_name:
            raise LocalError("No AWS region is configured: give REGION=<the stack's region>.")
        return DeployedStack(name, session)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            create: Any = self.session.client
            config = Config(proxies={}) if self.endpoint_url else None
            self._clients[service] = create(service, endpoint_url=self.endpoint_url, config=config)
        return self._clients[service]

    def exists(self) -> bool:
        return self._description() is not None

    def outputs(self) -> dict[str, str]:
        return {output["OutputKey"]: output["OutputValue"] for output in self._existing().get("Outputs", [])}

    def output(self, key: str) -> str:
        outputs = self.outputs()
        if key not in outputs:
            raise LocalError(f"The stack {self.name} has no output {key}: is it one of Sluice's?")
        return outputs[key]

    def resources(self) -> dict[str, str]:
        """Physical id of every resource, by logical id."""
        self._existing()
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = [item for page in pages for item in page["StackResourceSummaries"]]
        return {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in found}

    def failures(self) -> list[str]:
        """Which resources failed in the last deployment, and why; the first cause first."""
        if not self.exists():
            return []
        pages = self.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=self.name)
        failed = []
        for event in (event for page in pages for event in page["StackEvents"]):  # Newest first.
            status = event["ResourceStatus"]
            if event["LogicalResourceId"] == self.name and status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break
            if status.endswith("_FAILED"):
                failed.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', status)}")
        return failed[::-1]

    def clear_failed_creation(self) -> None:
        """A stack whose creation was rolled back can only be deleted; it holds nothing."""
        description = self._description()
        if description and description["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            cloudformation = self.client("cloudformation")
            cloudformation.delete_stack(StackName=self.name)
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig={"Delay": 1})

    def _existing(self) -> dict[str, Any]:
        """Its description; `LocalError` when there is no such stack."""
        description = self._description()
        if description is None:
            asked = os.environ.get("AWS_ENDPOINT_URL")
            where = (
                f"at AWS_ENDPOINT_URL={asked}" if asked and not self.endpoint_url else f"in {self.session.region_name}"
            )
            raise LocalError(f"There is no stack {self.name} {where}.")
        return description

    def _description(self) -> dict[str, Any] | None:
        try:
            stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise LocalError(f"AWS refused to describe the stack {self.name}: {error}") from error
        except BotoCoreError as error:
            raise LocalError(f"AWS could not be asked about the stack {self.name}: {error}") from error
        found: dict[str, Any] = stacks[0]
        return found
