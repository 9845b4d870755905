"""Invoke: call the contract on Hedera once (`submit`), or find out what became of a call (`outcome`)."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from promotions.contract import HederaContract
from promotions.escrow_wire import written
from promotions.hedera import Hedera
from promotions.mirror import MirrorNode
from promotions.operator_key import OperatorKey
from sluice import settings
from sluice.clock import SystemClock
from sluice.log import logger


@dataclass(frozen=True)
class Settings:
    hedera_account: str
    hedera_contract: str
    hedera_functions: tuple[str, ...]
    hedera_key_arn: str
    hedera_mirror: str
    hedera_nodes: tuple[str, ...]


def _build(read: Settings) -> Hedera:
    nodes = dict(node.split("=", 1) for node in read.hedera_nodes)
    key = OperatorKey(read.hedera_key_arn)
    contract = HederaContract(read.hedera_contract, read.hedera_account, key, nodes)
    return Hedera(contract, MirrorNode(read.hedera_mirror), frozenset(read.hedera_functions), SystemClock())


hedera = settings.once(Settings, _build)


def answered(hedera: Hedera, event: dict[str, Any]) -> dict[str, Any]:
    """The answer to an event `{"action", "ref", "function", "arguments"}`, as `escrow_wire` writes it."""
    actions = {"submit": hedera.submit, "outcome": hedera.outcome}
    return written(actions[event["action"]](event["ref"], event["function"], event["arguments"]))


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    logger.append_keys(ref=event["ref"], contract_function=event["function"], campaign_id=event["arguments"]["id"])
    answer = answered(hedera(), event)
    logger.info("Answered", action=event["action"], **answer)
    return answer
