"""The contract on Hedera, by the SDK, which is imported at the first call: it takes a second and 70 MB.

Each call has a client of its own, because a client avoids a node that failed it once for 8 seconds or more. The client
is given its nodes: it would ask a mirror node for them. A node's answer is not encrypted, as is usual on Hedera; what
is sent is signed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import sample
from typing import TYPE_CHECKING, Any

from promotions.hedera import DUPLICATE, FUNCTIONS, Arguments, Executed
from sluice.errors import Misconfigured, Unavailable
from sluice.outward import Done, NotTaken, Outcome, Refused, Unknown

if TYPE_CHECKING:
    from hiero_sdk_python import Client  # type: ignore[import-untyped]

_GAS = 200_000
_CALL_SECONDS = 5
_RECEIPT_SECONDS = 8
# A node that answers so has not taken the transaction, and the next one has another id.
_LATER = {
    "BUSY",
    "INVALID_NODE_ACCOUNT",
    "INVALID_TRANSACTION_START",
    "PLATFORM_NOT_ACTIVE",
    "PLATFORM_TRANSACTION_NOT_CREATED",
    "TRANSACTION_EXPIRED",
}


@dataclass(frozen=True)
class HederaContract:
    """As `Contract`."""

    contract: str
    """Such as `0.0.5005`."""
    account: str
    """The operator's, which pays."""
    key: Callable[[], str]
    """The operator's private key: DER in hexadecimal digits. Raises Unavailable."""
    nodes: Mapping[str, str]
    """Addresses (`host:port`), each with the node's account."""
    receipt_seconds: float = 0.5
    """Between two looks for a receipt."""

    def submit(self, ref: str, function: str, arguments: Arguments) -> Outcome:
        from hiero_sdk_python import ContractExecuteTransaction, ContractId, TransactionId

        try:
            key = self.key()
        except Unavailable as error:  # nothing was sent
            return NotTaken(str(error))
        with self._client() as client:
            self._sign_with(client, key)
            transaction = (
                ContractExecuteTransaction()
                .set_contract_id(ContractId.from_string(self.contract))
                .set_gas(_GAS)
                .set_function_parameters(_encoded(function, arguments))
                .set_transaction_id(TransactionId.from_string(ref))
                .set_transaction_memo(str(arguments["id"]))
            )
            return self._sent(client, transaction) or Done(ref)

    def expected(self, function: str, arguments: Arguments) -> Executed:
        return Executed(str(arguments["id"]), self.contract, f"0x{_encoded(function, arguments).hex()}")

    def has_receipt(self, ref: str) -> bool:
        from hiero_sdk_python import ResponseCode, TransactionId
        from hiero_sdk_python.query.transaction_get_receipt_query import (  # type: ignore[import-untyped]
            TransactionGetReceiptQuery,
        )

        query = _once(TransactionGetReceiptQuery().set_transaction_id(TransactionId.from_string(ref)))
        with self._client() as client, suppress(*_errors()):
            return bool(query.execute(client).status == ResponseCode.SUCCESS)
        return False

    def _sent(self, client: "Client", transaction: Any) -> Outcome | None:
        """Send a transaction to one node, and wait for its receipt: None when it succeeded."""
        from hiero_sdk_python import ResponseCode
        from hiero_sdk_python.exceptions import (  # type: ignore[import-untyped]
            MaxAttemptsError,
            PrecheckError,
            ReceiptStatusError,
        )

        try:
            response = _once(transaction).execute(client, wait_for_receipt=False)
        except _errors() as error:
            last = error.last_error if isinstance(error, MaxAttemptsError) else error
            return _judged(last.status.name) if isinstance(last, PrecheckError) else Unknown(type(last).__name__)
        query = response.get_receipt_query(validate_status=True).set_max_attempts(_RECEIPT_SECONDS * 2)
        query.set_max_backoff(self.receipt_seconds).set_min_backoff(self.receipt_seconds)
        try:
            query.execute(client, _RECEIPT_SECONDS)
        except ReceiptStatusError as error:
            return _judged(ResponseCode(error.status).name)
        except _errors():
            return Unknown("No receipt came")
        return None

    @contextmanager
    def _client(self) -> "Iterator[Client]":
        from hiero_sdk_python import AccountId, Client
        from hiero_sdk_python.logger.log_level import LogLevel  # type: ignore[import-untyped]

        nodes = sample(sorted(self.nodes.items()), len(self.nodes))  # the first one is asked: not always the same
        client = Client.for_network({address: AccountId.from_string(account) for address, account in nodes}, "given")
        client.set_grpc_deadline(_CALL_SECONDS)
        client.logger.set_level(LogLevel.DISABLED)  # what a request comes to is in our own lines
        try:
            yield client
        finally:
            client.close()

    def _sign_with(self, client: "Client", key: str) -> None:
        from hiero_sdk_python import AccountId, PrivateKey

        with suppress(Exception):  # whatever it is: its text may quote the key
            client.set_operator(AccountId.from_string(self.account), PrivateKey.from_string_der(key))
        if client.operator is None:
            raise Misconfigured("The operator's key must be DER in hexadecimal digits, of the operator's account")


def _encoded(function: str, arguments: Arguments) -> bytes:
    from hiero_sdk_python.contract.contract_function_parameters import (  # type: ignore[import-untyped]
        ContractFunctionParameters,
    )

    parameters = ContractFunctionParameters(function)
    for name in FUNCTIONS[function]:
        value = arguments[name]
        parameters.add_string(value) if isinstance(value, str) else parameters.add_uint256(value)
    return bytes(parameters.to_bytes())


def _once(request: Any) -> Any:
    """A request that is made once; the SDK would sleep after it."""
    return request.set_max_attempts(1).set_min_backoff(0).set_max_backoff(0)


def _judged(status: str) -> Outcome:
    """The outcome that a status of a node or of a receipt means."""
    if status == DUPLICATE:
        return Unknown(DUPLICATE)
    return NotTaken(status) if status in _LATER else Refused(status)


def _errors() -> tuple[type[Exception], ...]:
    """What the SDK raises when a request did not come to its answer."""
    from hiero_sdk_python.exceptions import MaxAttemptsError, PrecheckError, ReceiptStatusError

    return MaxAttemptsError, PrecheckError, ReceiptStatusError, RuntimeError
