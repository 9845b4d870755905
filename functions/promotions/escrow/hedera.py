"""The Hedera escrow as the worker sees it: a function of its own, because the SDK is larger than all the rest."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore import exceptions as vendor

from promotions import hedera
from promotions.escrow_wire import read_outcome, read_seen
from sluice import aws
from sluice.outward import CannotTell, Outcome, Seen, Unknown

READ_SECONDS = 25.0
"""As long as the escrow function may take: a template test compares."""


class HederaEscrow:
    """As `Escrow`: it calls the escrow function of that name, once. `account`: the operator's, such as `0.0.1001`."""

    expires = True
    settle_seconds = hedera.SETTLED.total_seconds()

    def __init__(self, function_name: str, account: str, connect: Callable[[], Any] | None = None) -> None:
        """`connect` makes botocore's client of Lambda."""
        self._function_name = function_name
        self._account = account
        self._client = cache(connect or (lambda: aws.client("lambda", read_seconds=READ_SECONDS, attempts=1)))

    def made(self, ref: str) -> bool:
        return hedera.is_ref(ref)

    def new_ref(self, key: str, now: datetime) -> str:  # noqa: ARG002 - the time and chance make it
        return hedera.new_ref(self._account, now)

    def submit(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Outcome:
        try:
            return read_outcome(self._asked("submit", ref, function, arguments))
        except _Failed as error:
            return Unknown(str(error))

    def outcome(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Seen:
        try:
            return read_seen(self._asked("outcome", ref, function, arguments))
        except _Failed as error:
            return CannotTell(str(error))

    def _asked(self, action: str, ref: str, function: str, arguments: Mapping[str, str | int]) -> Any:
        event = {"action": action, "ref": ref, "function": function, "arguments": dict(arguments)}
        try:
            answer = self._client().invoke(FunctionName=self._function_name, Payload=json.dumps(event).encode())
            body = json.loads(answer["Payload"].read())
        except ValueError as error:
            raise _Failed("The answer cannot be read") from error
        except (vendor.ClientError, vendor.BotoCoreError) as error:
            raise _Failed(aws.why("Lambda", error)) from error
        if "FunctionError" in answer:
            raise _Failed("The escrow function failed")  # its log has the reason
        return body


class _Failed(Exception):
    """Raised when the escrow function did not answer."""
