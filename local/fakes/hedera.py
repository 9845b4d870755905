"""Hedera for one operator and one contract: a node over gRPC, and its mirror node over HTTP. With a clock.

The node executes each transaction id once, while it is valid, and forgets receipts after 3 minutes. The mirror shows
what was executed. Both misbehave by a script.
"""

import json
from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import grpc  # type: ignore[import-untyped]
from eth_abi.abi import decode
from eth_utils.crypto import keccak
from hiero_sdk_python import PrivateKey, ResponseCode  # type: ignore[import-untyped]
from hiero_sdk_python.hapi.services import (  # type: ignore[import-untyped]
    basic_types_pb2,
    crypto_service_pb2_grpc,
    query_pb2,
    response_header_pb2,
    response_pb2,
    smart_contract_service_pb2_grpc,
    transaction_contents_pb2,
    transaction_get_receipt_pb2,
    transaction_pb2,
    transaction_receipt_pb2,
    transaction_response_pb2,
)

from sluice.clock import Clock

ACCOUNT, CONTRACT, NODE = "0.0.1001", "0.0.5005", "0.0.3"
_FUNCTIONS = {
    "createCampaign": ("string", "uint256"),
    "closeCampaign": ("string", "uint256", "uint256"),
    "expireCampaign": ("string", "uint256"),
}
_SELECTORS = {keccak(text=f"{name}({','.join(types)})")[:4]: name for name, types in _FUNCTIONS.items()}
_RECEIPTS_KEPT = timedelta(minutes=3)


class Fault(StrEnum):
    """How the next transaction, or the next request of the mirror, goes wrong."""

    LOST = "lost"
    """It is executed, and the connection is dropped."""
    DROPPED = "dropped"
    """Nothing happens, and the connection is dropped."""
    DUPLICATE = "duplicate"
    """It is executed, and the answer is DUPLICATE_TRANSACTION (hiero-sdk-js#1560)."""
    BUSY = "busy"
    """Nothing happens: BUSY."""
    EXPIRED = "expired"
    """Nothing happens: TRANSACTION_EXPIRED."""
    POOR = "poor"
    """Nothing happens: INSUFFICIENT_PAYER_BALANCE."""
    NO_RECEIPT = "no-receipt"
    """It is executed, and no node ever has its receipt."""
    REVERT = "revert"
    """The contract reverts."""
    DOWN = "down"
    """Of the mirror: 503."""


@dataclass(frozen=True)
class Executed:
    """A transaction that reached consensus."""

    id: str
    """As mirror nodes write it."""
    memo: str
    function: str
    arguments: tuple[Any, ...]
    parameters: str
    gas: int
    result: str
    at: datetime
    has_receipt: bool


class FakeHedera:
    """A network."""

    def __init__(self, clock: Clock, functions: frozenset[str] = frozenset(_FUNCTIONS)) -> None:
        """`functions`: those that the deployed contract has; a call of another one reverts."""
        self.clock = clock
        self.key = PrivateKey.generate_ed25519()
        self.executed: list[Executed] = []
        self.requests = 0
        """How many requests the node and the mirror had; of them, `submissions` sent a transaction."""
        self.submissions = 0
        self.mirror_lag = timedelta()
        """How much later the mirror shows what happened."""
        self.mirror_down = False
        self.hidden: set[str] = set()
        """Ids of transactions that the mirror never shows."""
        self._functions = functions
        self._script: deque[Fault] = deque()
        self._lock = Lock()

    @property
    def operator_key(self) -> str:
        """What the operator keeps secret."""
        return str(self.key.to_string_der())

    def script(self, *faults: Fault) -> None:
        """The next transactions go wrong like this, in their order."""
        self._script.extend(faults)

    @contextmanager
    def running(self) -> Iterator[tuple[str, str]]:
        """Serve while the block runs; gives the hosts of the node and of the mirror: `127.0.0.1:<port>`."""
        node = grpc.server(ThreadPoolExecutor(4))
        smart_contract_service_pb2_grpc.add_SmartContractServiceServicer_to_server(_Contracts(self), node)
        crypto_service_pb2_grpc.add_CryptoServiceServicer_to_server(_Receipts(self), node)
        port = node.add_insecure_port("127.0.0.1:0")
        node.start()
        mirror = ThreadingHTTPServer(("127.0.0.1", 0), _mirror_of(self))
        mirror.daemon_threads = True
        thread = Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{port}", f"127.0.0.1:{mirror.server_address[1]}"
        finally:
            mirror.shutdown()
            mirror.server_close()
            thread.join()
            node.stop(None).wait()

    def take(self, request: Any) -> tuple[str, Fault | None]:
        """Take a transaction: the status that the node answers, and the fault that it meets."""
        signed = transaction_contents_pb2.SignedTransaction.FromString(request.signedTransactionBytes)
        body = transaction_pb2.TransactionBody.FromString(signed.bodyBytes)
        with self._lock:
            self.requests += 1
            self.submissions += 1
            fault = self._script.popleft() if self._script else None
            refused = {
                Fault.BUSY: "BUSY",
                Fault.EXPIRED: "TRANSACTION_EXPIRED",
                Fault.POOR: "INSUFFICIENT_PAYER_BALANCE",
            }
            if fault in refused or fault is Fault.DROPPED:
                return refused.get(fault, "OK"), fault
            status = self._precheck(body, signed)
            if status == "OK":
                self.executed.append(self._execute(body, fault))
            return "DUPLICATE_TRANSACTION" if fault is Fault.DUPLICATE else status, fault

    def receipt(self, transaction_id: Any) -> str | None:
        """The status of a transaction; None for one that the node does not know, or no longer."""
        with self._lock:
            self.requests += 1
            found = self._get(_written(transaction_id))
            is_kept = found and found.has_receipt and self.clock.now() < found.at + _RECEIPTS_KEPT
            return found.result if found and is_kept else None

    def shown(self, path: str) -> tuple[int, Any]:
        """What the mirror answers at a path: a status, and a body."""
        with self._lock:
            self.requests += 1
            until = self.clock.now() - self.mirror_lag
            if self.mirror_down:
                return 503, {"_status": {"messages": [{"message": "Service unavailable"}]}}
            if path == "blocks?limit=1&order=desc":
                return 200, {"blocks": [{"timestamp": {"from": _seconds(until), "to": _seconds(until)}}]}
            found = self._get(path.rpartition("/")[2])
            if found is None or found.at > until or found.id in self.hidden:
                return 404, {"_status": {"messages": [{"message": "Not found"}]}}
            if path.startswith("contracts/results/"):
                return 200, {"contract_id": CONTRACT, "function_parameters": found.parameters, "result": found.result}
            memo = b64encode(found.memo.encode()).decode()
            shown = {"entity_id": CONTRACT, "memo_base64": memo, "name": "CONTRACTCALL", "nonce": 0}
            duplicate = shown | {"result": "DUPLICATE_TRANSACTION"}
            return 200, {"transactions": [duplicate, shown | {"result": found.result}]}

    def control(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """`PUT /_fake/faults {"faults": [...]}`, `GET /_fake/transactions`."""
        match method, path:
            case "PUT", "faults":
                self.mirror_down = Fault.DOWN in body["faults"]
                self.script(*(Fault(each) for each in body["faults"] if each != Fault.DOWN))
                return 200, {}
            case "GET", "transactions":
                return 200, [asdict(each) for each in self.executed]
        return 404, {}

    def _get(self, transaction_id: str) -> Executed | None:
        return next((each for each in self.executed if each.id == transaction_id), None)

    def _precheck(self, body: Any, signed: Any) -> str:
        start = body.transactionID.transactionValidStart
        starts = datetime.fromtimestamp(start.seconds, UTC) + timedelta(microseconds=start.nanos // 1000)
        signatures = [pair.ed25519 for pair in signed.sigMap.sigPair]
        if len(signatures) != 1 or not _is_signed(self.key, signed.bodyBytes, signatures[0]):
            return "INVALID_SIGNATURE"
        if self.clock.now() < starts:
            return "INVALID_TRANSACTION_START"
        if self.clock.now() > starts + timedelta(seconds=body.transactionValidDuration.seconds):
            return "TRANSACTION_EXPIRED"
        return "DUPLICATE_TRANSACTION" if self._get(_written(body.transactionID)) else "OK"

    def _execute(self, body: Any, fault: Fault | None) -> Executed:
        parameters = body.contractCall.functionParameters
        function = _SELECTORS.get(parameters[:4], "")
        arguments = decode(_FUNCTIONS[function], parameters[4:]) if function else ()
        reverts = fault is Fault.REVERT or function not in self._functions
        result = "CONTRACT_REVERT_EXECUTED" if reverts else "SUCCESS"
        return Executed(
            _written(body.transactionID),
            body.memo,
            function,
            arguments,
            f"0x{parameters.hex()}",
            body.contractCall.gas,
            result,
            self.clock.now(),
            fault is not Fault.NO_RECEIPT,
        )


class _Contracts(smart_contract_service_pb2_grpc.SmartContractServiceServicer):  # type: ignore[misc]
    def __init__(self, hedera: FakeHedera) -> None:
        self._hedera = hedera

    def contractCallMethod(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name
        status, fault = self._hedera.take(request)
        if fault in (Fault.LOST, Fault.DROPPED):
            context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset by peer")
        return transaction_response_pb2.TransactionResponse(nodeTransactionPrecheckCode=ResponseCode[status].value)


class _Receipts(crypto_service_pb2_grpc.CryptoServiceServicer):  # type: ignore[misc]
    def __init__(self, hedera: FakeHedera) -> None:
        self._hedera = hedera

    def getTransactionReceipts(self, request: query_pb2.Query, _: Any) -> Any:  # noqa: N802 - the service's name
        status = self._hedera.receipt(request.transactionGetReceipt.transactionID)
        code = ResponseCode.OK if status else ResponseCode.RECEIPT_NOT_FOUND
        header = response_header_pb2.ResponseHeader(nodeTransactionPrecheckCode=code.value)
        receipt = transaction_receipt_pb2.TransactionReceipt(status=ResponseCode[status or "UNKNOWN"].value)
        answer = transaction_get_receipt_pb2.TransactionGetReceiptResponse(header=header, receipt=receipt)
        return response_pb2.Response(transactionGetReceipt=answer)


def _mirror_of(hedera: FakeHedera) -> type[BaseHTTPRequestHandler]:
    class Mirror(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path.startswith("/_fake/"):
                given = json.loads(body) if body else None
                status, answer = hedera.control(self.command, self.path.removeprefix("/_fake/"), given)
            else:
                status, answer = hedera.shown(self.path.removeprefix("/api/v1/"))
            text = json.dumps(answer, default=str).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = _serve  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            pass

    return Mirror


def _written(transaction_id: basic_types_pb2.TransactionID) -> str:
    """A transaction id as mirror nodes write it: nanoseconds in 9 digits."""
    account, start = transaction_id.accountID, transaction_id.transactionValidStart
    return f"{account.shardNum}.{account.realmNum}.{account.accountNum}-{start.seconds}-{start.nanos:09}"


def _is_signed(key: Any, content: bytes, signature: bytes) -> bool:
    try:
        key.public_key().verify(signature, content)
    except Exception:  # the SDK's are of several kinds
        return False
    return True


def _seconds(moment: datetime) -> str:
    return f"{moment.timestamp():.9f}"
