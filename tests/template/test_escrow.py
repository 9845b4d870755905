"""What the section of the Hedera escrow says: nothing is made without it, and nobody waits in vain."""

import json

from promotions.escrow import hedera
from promotions.publishing import WORKER_SECONDS
from sluice.aws import CONNECT_SECONDS
from tests.template.project import real, refers_to

FUNCTION, LAYER = "PromotionsEscrowFunction", "PromotionsEscrowLayer"
OF_HEDERA = {
    "PromotionsOperatorKey",
    "PromotionsEscrowLogs",
    "PromotionsEscrowErrorsAlarm",
    "PromotionsWorkerEscrowPolicy",
}


def test_without_hedera_nothing_of_it_is_made() -> None:
    resources = real().template["Resources"]

    made = {name for name, each in resources.items() if each.get("Condition") == "HasHedera"}

    assert made == {FUNCTION, LAYER} | OF_HEDERA
    assert real().template["Parameters"]["Escrow"]["Default"] == "ledger"


def test_what_refers_to_hedera_does_so_only_with_it() -> None:
    """Elsewhere a reference would fail while the condition is false."""
    template = real().template
    referring = {
        name
        for part in ("Resources", "Outputs")
        for name, each in template[part].items()
        if any(f'"{made}"' in json.dumps(each) for made in {FUNCTION, LAYER} | OF_HEDERA)
        and each.get("Condition") != "HasHedera"
    }

    worker = template["Resources"]["PromotionsWorkerFunction"]["Properties"]["Environment"]["Variables"]

    assert referring == {"PromotionsWorkerFunction"}
    assert worker["ESCROW_FUNCTION"] == {"Fn::If": ["HasHedera", {"Ref": FUNCTION}, "none"]}


def test_the_worker_waits_as_long_as_the_escrow_function_may_take() -> None:
    timeout = real().functions[FUNCTION]["Timeout"]

    assert timeout == hedera.READ_SECONDS
    assert hedera.READ_SECONDS + CONNECT_SECONDS <= hedera.HederaEscrow.patience.call_seconds <= WORKER_SECONDS


def test_the_escrow_function_alone_has_the_sdk() -> None:
    layers = {name: set(map(refers_to, each["Layers"])) for name, each in real().functions.items()}

    assert {name for name, each in layers.items() if any(layer.startswith(LAYER) for layer in each)} == {FUNCTION}
    assert real().functions[FUNCTION]["MemorySize"] == 1024


def test_the_test_network_is_the_default() -> None:
    parameters = real().template["Parameters"]

    assert all(".testnet." in each for each in parameters["HederaNodes"]["Default"].split(","))
    assert "//testnet." in parameters["HederaMirror"]["Default"]
