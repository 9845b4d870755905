"""The two escrows, each with what happens to its calls. Hedera's is on a network of its own on this machine."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

from local.fakes.hedera import ACCOUNT, CONTRACT, NODE, FakeHedera, Fault
from promotions import escrow_function
from promotions.contract import HederaContract
from promotions.escrow import ledger
from promotions.escrow.hedera import HederaEscrow
from promotions.escrow.ledger import LedgerEscrow
from promotions.hedera import FUNCTIONS, Hedera
from promotions.mirror import MirrorNode
from promotions.outside import CREATE
from promotions.ports import Escrow
from sluice.outward import Outcome, Seen
from tests.factories import FixedClock

CAMPAIGN = "prm_01JDMB5F4QZ9T2X8W7V6N5M4K3"


class LambdaClient:
    """As botocore's: it invokes a handler in this process. The next call may be replaced by `instead`."""

    def __init__(self, handler: Callable[[dict[str, Any]], Any]) -> None:
        self._handler = handler
        self.instead: Callable[[], dict[str, Any]] | None = None

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - botocore's names
        instead, self.instead = self.instead, None
        if instead:
            return instead()
        return {"Payload": BytesIO(json.dumps(self._handler(json.loads(Payload))).encode())}


class World:
    """An escrow, and a call of it that is made and looked up."""

    escrow: Escrow
    title = "Café launch"

    def __init__(self) -> None:
        self.clock = FixedClock()

    def new_ref(self) -> str:
        return self.escrow.new_ref(f"{CAMPAIGN}#1", self.clock.now())

    def create(self, ref: str, **changes: str | int) -> Outcome:
        return self.escrow.submit(ref, CREATE, self._arguments(changes))

    def look(self, ref: str, function: str = CREATE, **changes: str | int) -> Seen:
        return self.escrow.outcome(ref, function, self._arguments(changes))

    def refuse(self) -> None:
        """The next call is refused."""
        raise NotImplementedError

    def lose_answer(self) -> None:
        """The next call happens, and its answer is lost."""
        raise NotImplementedError

    def happened(self) -> int | None:
        """How many calls took effect; None where that is not counted, because the ledger's entry is there before."""
        return None

    def _arguments(self, changes: dict[str, str | int]) -> dict[str, str | int]:
        return {"id": CAMPAIGN, "title": self.title, "budget": 25_000} | changes


class LedgerWorld(World):
    def __init__(self) -> None:
        super().__init__()
        self.escrow = LedgerEscrow()

    def refuse(self) -> None:
        self.title = f"Café launch {ledger.REFUSED}"

    def lose_answer(self) -> None:
        self.title = f"Café launch {ledger.LOST}"


class HederaWorld(World):
    def __init__(self, fake: FakeHedera, clock: FixedClock, node: str, mirror: str) -> None:
        super().__init__()
        self.fake = fake
        self.clock = clock
        self.key: Callable[[], str] = lambda: fake.operator_key
        self.functions = frozenset(FUNCTIONS)
        self._node = node
        self.mirror = MirrorNode(f"http://{mirror}")
        self.lambda_client = LambdaClient(lambda event: escrow_function.answered(self.hedera(), event))
        self.escrow = HederaEscrow("escrow", ACCOUNT, lambda: self.lambda_client)

    def hedera(self) -> Hedera:
        contract = HederaContract(CONTRACT, ACCOUNT, lambda: self.key(), {self._node: NODE}, receipt_seconds=0.01)
        return Hedera(contract, self.mirror, self.functions, self.clock)

    def refuse(self) -> None:
        self.fake.script(Fault.REVERT)

    def lose_answer(self) -> None:
        self.fake.script(Fault.LOST)

    def happened(self) -> int:
        return sum(each.result == "SUCCESS" for each in self.fake.executed)

    def later(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=seconds)


@contextmanager
def hedera_world(**made: Any) -> Iterator[HederaWorld]:
    """`made`: what the fake is made with."""
    clock = FixedClock()
    fake = FakeHedera(clock, **made)
    with fake.running() as (node, mirror):
        yield HederaWorld(fake, clock, node, mirror)
