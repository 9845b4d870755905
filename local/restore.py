"""Takes the tables of a stack back to an earlier moment, all of them to the same.

Point-in-time recovery makes new tables, without the stream, the policies and the names of the stack's own. So they are
made beside the stack's own, and copied back into those. It may be killed and run again at any point: what is there
already is not made or copied again.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

import httpx
from boto3.dynamodb.table import BatchWriter
from botocore.exceptions import BotoCoreError, ClientError

from local import tokens
from local.aws import DeployedStack
from local.choice import add_stack_options, chosen_stack
from local.errors import LocalError, run
from local.stack import running

STOPPED = ("BoostsTable", "BroadcastsTable", "HooksTable", "ViewsTable", "SponsorshipsTable", "PromotionsTable")
"""The tables of the contexts; each says whether the platform is stopped."""
RESTORED = ("BoostsTable", "ViewsTable", "SponsorshipsTable", "PromotionsTable", "TotalsTable", "LedgerTable")
"""What belongs together: the tables of the contexts, the totals, and the ledger."""
EMPTIED = ("RequestsTable",)
"""Answers to keys name what may be gone."""
LEFT = ("AuditTable", "BroadcastsTable", "HooksTable", "LiveTable", "MessagesTable", "OutboxTable")
"""What happened, happened: the log goes on, and says what was rolled back. A message that went out stays sent, and with
broadcasts taken back it would go out again. So would a webhook. Sockets are as open as they are.
"""
HELD = (
    "BoostsApiFunction",
    "BoostsWorkerFunction",
    "BroadcastsApiFunction",
    "BroadcastsListsApiFunction",
    "HooksApiFunction",
    "OperationsRedriveFunction",
    "OperationsSessionFunction",
    "OperationsStopFunction",
    "OperationsSweeperFunction",
    "OperationsTokensFunction",
    "PromotionsApiFunction",
    "PromotionsTrackingScheduleFunction",
    "PromotionsWorkerFunction",
    "SponsorshipsApiFunction",
    "SponsorshipsMonitoringApiFunction",
    "SponsorshipsMonitoringScheduleFunction",
    "SponsorshipsMonitoringWorkerFunction",
    "SponsorshipsRecordingApiFunction",
    "SponsorshipsWorkerFunction",
    "ViewsAdjustmentsApiFunction",
    "ViewsImportsApiFunction",
    "ViewsImportsWorkerFunction",
    "ViewsRegisteredApiFunction",
    "ViewsSyncApiFunction",
    "ViewsSyncWorkerFunction",
    "WalletsApiFunction",
)
"""Who writes those tables. Tracking goes on: it writes them only while Redis is away."""
STOP = "/api/admin/stop"
TOKEN_HOURS = 1
_PLATFORM = {"id": {"S": "platform"}, "part": {"S": "campaign"}}
_KEYS_AT_ONCE = 100
_SECONDS_BETWEEN_LOOKS = 10

type Item = dict[str, Any]


@dataclass(frozen=True)
class Restore:
    """Copies tables back. `pause` waits so many seconds."""

    stack: DeployedStack
    tell: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep

    def make(self, at: datetime) -> str:
        """Make the tables as they were at a moment, beside the stack's own: what their names end with."""
        suffix = f"-restored-{at:%Y%m%dT%H%M%SZ}"
        names = [name for each in RESTORED if not self._status(name := self._table(each) + suffix)]
        for name in names:
            source = name.removesuffix(suffix)
            self.tell(f"Restoring {source} as {name} ...")
            try:
                self._dynamodb.restore_table_to_point_in_time(
                    SourceTableName=source, TargetTableName=name, RestoreDateTime=at
                )
            except ClientError as error:
                raise LocalError(f"{source} cannot be restored to {at:%Y-%m-%dT%H:%M:%SZ}: {error}") from error
        return suffix

    def wait_for(self, suffix: str) -> None:
        """Wait until the tables whose names end so are there: minutes, or hours where there is much in them."""
        for table in RESTORED:
            name, waited = self._table(table) + suffix, 0
            while (status := self._status(name)) != "ACTIVE":
                if not status:
                    raise LocalError(f"There is no table {name}.")
                if waited % 60 == 0:
                    self.tell(f"  {name}: {status.lower()}, {waited // 60} minutes")
                self.pause(_SECONDS_BETWEEN_LOOKS)
                waited += _SECONDS_BETWEEN_LOOKS

    def is_stopped(self) -> bool:
        """Whether the platform is stopped in each table that says so."""
        copies = [self._get(self._table(table), [_PLATFORM]) for table in STOPPED]
        return all(found and found[0]["status"] == {"S": "stopped"} for found in copies)

    def hold(self) -> None:
        """Let none of those run who write the tables, and wait for what runs already."""
        client, longest = self.stack.client("lambda"), 0
        for name in self._functions():
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
            longest = max(longest, client.get_function_configuration(FunctionName=name)["Timeout"])
        self.tell(f"{len(HELD)} functions are held. Waiting {longest} seconds for what they have begun ...")
        self.pause(longest)

    def release(self) -> None:
        client = self.stack.client("lambda")
        for name in self._functions():
            client.delete_function_concurrency(FunctionName=name)
        self.tell("The functions run again.")

    def copy_back(self, suffix: str) -> None:
        """Make the stack's own tables as those whose names end so, but for whether the platform is stopped."""
        for table in RESTORED:
            self._copy(self._table(table) + suffix, self._table(table))
        for table in EMPTIED:
            self._empty(self._table(table))

    def _copy(self, source: str, target: str) -> None:
        keys, put, deleted, seen = self._keys(target), 0, 0, 0
        with BatchWriter(target, self._dynamodb) as writer:
            for items in self._scanned(source):
                there = {_key_of(item, keys): item for item in self._get(target, [_key(item, keys) for item in items])}
                for item in items:
                    if there.get(_key_of(item, keys)) != item:
                        writer.put_item(Item=item)
                        put += 1
                seen += len(items)
                self.tell(f"  {target}: {seen:,} items looked at, {put:,} put back")
        with BatchWriter(target, self._dynamodb) as writer:
            for items in self._scanned(target):
                kept = {_key_of(item, keys) for item in self._get(source, [_key(item, keys) for item in items])}
                for item in items:
                    if _key_of(item, keys) not in kept:
                        writer.delete_item(Key=_key(item, keys))
                        deleted += 1
        self.tell(f"  {target}: {deleted:,} items deleted that were not there then")

    def _empty(self, table: str) -> None:
        keys = self._keys(table)
        with BatchWriter(table, self._dynamodb) as writer:
            for items in self._scanned(table):
                for item in items:
                    writer.delete_item(Key=_key(item, keys))
        self.tell(f"  {table}: emptied")

    def _scanned(self, table: str) -> Iterator[Sequence[Item]]:
        """A table's items, by consistent reads, in as many as can be asked for by their keys at once."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        for page in pages:
            items = (item for item in page["Items"] if not _PLATFORM.items() <= item.items())
            yield from batched(items, _KEYS_AT_ONCE, strict=False)

    def _get(self, table: str, keys: list[Item]) -> list[Item]:
        found: list[Item] = []
        asked: Any = {table: {"Keys": keys, "ConsistentRead": True}}
        while asked:
            answer = self._dynamodb.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys")
        return found

    def _keys(self, table: str) -> list[str]:
        schema = self._dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
        return [each["AttributeName"] for each in schema]

    def _status(self, table: str) -> str | None:
        try:
            return str(self._dynamodb.describe_table(TableName=table)["Table"]["TableStatus"])
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return None

    def _table(self, logical_id: str) -> str:
        return self.stack.resources()[logical_id]

    def _functions(self) -> list[str]:
        resources = self.stack.resources()  # without those that a condition leaves out
        return [resources[name] for name in HELD if name in resources]

    @property
    def _dynamodb(self) -> Any:
        return self.stack.client("dynamodb")


def _key(item: Item, names: Sequence[str]) -> Item:
    return {name: item[name] for name in names}


def _key_of(item: Item, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(item[name]) for name in names)


def restore(made: Restore, suffix: str, stop: Callable[[], None]) -> None:
    """The whole procedure, from tables that are there or are being made. The platform stays stopped."""
    made.wait_for(suffix)
    if not made.is_stopped():
        stop()
    made.hold()
    if not made.is_stopped():
        made.release()
        raise LocalError("The platform was resumed meanwhile. Nothing was changed: run it again.")
    made.copy_back(suffix)
    made.release()


def moment(text: str) -> datetime:
    """Read `2026-11-26T10:00:00Z`. Raises LocalError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text):
        raise LocalError("Give AT=<a moment in UTC>, such as AT=2026-11-26T10:00:00Z.")
    try:
        found = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise LocalError(f"AT={text} is no moment: {error}.") from error
    if found > datetime.now(UTC) - timedelta(seconds=1):
        raise LocalError(f"AT={text} is in the future.")
    return found


@contextmanager
def chosen_api(given: argparse.Namespace) -> Iterator[httpx.Client]:
    """A client of the chosen stack's API, as an admin. Raises LocalError when the API is not reached."""
    stack = chosen_stack(given)
    api_url = stack.output("ApiUrl") if given.stack else running().api_url
    headers = {"authorization": f"Bearer {tokens.mint(stack, 'admin', hours=TOKEN_HOURS)}"}
    try:
        with httpx.Client(base_url=api_url, headers=headers, timeout=60, trust_env=False) as http:
            yield http
    except httpx.HTTPError as error:
        raise LocalError(f"The API of {stack.name} was not reached: {error}") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.restore", description=__doc__)
    add_stack_options(parser)
    parser.add_argument("--at", default="", help="the moment, in UTC: 2026-11-26T10:00:00Z")
    parser.add_argument("--from", dest="suffix", default="", help="what the names of tables end with that were made")
    given = parser.parse_args()
    if bool(given.at) is bool(given.suffix):
        raise LocalError("Give AT=<a moment in UTC>, or FROM=<what the names of the restored tables end with>.")
    at = moment(given.at) if given.at else None
    made = Restore(chosen_stack(given), print)

    def stop() -> None:
        with chosen_api(given) as http:
            _stop(http)
        print("The platform is stopped.")

    try:
        restore(made, made.make(at) if at else given.suffix, stop)
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"The tables of {made.stack.name} were not all restored: {error}. Run it again.") from error
    print("Restored. The platform is stopped: docs/operations.md says what to look at, and how to resume it.")


def _stop(http: httpx.Client) -> None:
    answer = http.post(STOP, json={"reason": "The tables are restored to an earlier moment"})
    if answer.status_code not in (200, 409):
        raise LocalError(f"The platform was not stopped: {answer.status_code} {answer.text}. Nothing was changed.")


if __name__ == "__main__":
    run(main)
