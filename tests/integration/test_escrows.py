"""One suite for both escrows; and what Hedera alone can do wrong, over real gRPC and HTTP on this machine."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local.fakes.hedera import ACCOUNT, CONTRACT, NODE, FakeHedera, Fault
from promotions import escrow_function
from promotions.campaign import Resolution, resolve
from promotions.escrow.hedera import HederaEscrow
from promotions.mirror import MirrorNode
from promotions.outside import CLOSE, CREATE, ESCROW_PATIENCE, EXPIRE, Outside
from promotions.promotion import PromotionStatus, Stage
from sluice import aws
from sluice.clock import SystemClock
from sluice.errors import Conflicting, Misconfigured, Unavailable
from sluice.outward import (
    Absent,
    CallState,
    CannotTell,
    Done,
    Found,
    NotTaken,
    Refused,
    Unknown,
    answered,
    begin,
    seen,
)
from sluice.wake import LONGEST_DELAY_SECONDS
from tests.factories import a_promotion
from tests.integration.escrows_world import CAMPAIGN, HederaWorld, LambdaClient, LedgerWorld, World, hedera_world
from tests.packages import nothing_cached

EXPIRED = 120 + 60
DEAD = EXPIRED - 5 + 2
"""Seconds from when a reference is made until it can no longer happen; its receipt is kept for 3 more."""
RECEIPTS_GONE = 180


@pytest.fixture
def hedera() -> Iterator[HederaWorld]:
    with hedera_world() as world:
        yield world


@pytest.fixture(params=["ledger", "hedera"])
def world(request: pytest.FixtureRequest) -> World:
    return LedgerWorld() if request.param == "ledger" else request.getfixturevalue("hedera")


# --- Both


def test_a_call_is_done_and_found(world: World) -> None:
    ref = world.new_ref()

    outcome = world.create(ref)

    assert outcome == Done(ref)
    assert world.look(ref) == Found(ref)
    assert world.happened() in (None, 1)


def test_a_call_whose_answer_was_lost_is_unknown_and_then_found(world: World) -> None:
    ref = world.new_ref()
    world.lose_answer()

    outcome = world.create(ref)

    assert isinstance(outcome, Unknown)
    assert world.look(ref) == Found(ref)
    assert world.happened() in (None, 1)


def test_a_call_that_is_refused_did_not_happen(world: World) -> None:
    world.refuse()

    outcome = world.create(world.new_ref())

    assert isinstance(outcome, Refused)
    assert world.happened() in (None, 0)


def test_a_call_that_is_made_twice_happens_once(world: World) -> None:
    ref = world.new_ref()

    outcomes = [world.create(ref), world.create(ref)]

    assert outcomes == [Done(ref), Done(ref)]
    assert world.happened() in (None, 1)


# --- What Hedera gets


def test_the_contract_gets_what_was_asked_for(hedera: HederaWorld) -> None:
    closing = {"id": CAMPAIGN, "rewarded": 20_000, "refunded": 2**200}
    expiring = {"id": CAMPAIGN, "refunded": 1}

    hedera.create(hedera.new_ref())
    hedera.escrow.submit(hedera.new_ref(), CLOSE, closing)
    hedera.escrow.submit(hedera.new_ref(), EXPIRE, expiring)

    assert [(each.function, each.arguments, each.memo, each.gas) for each in hedera.fake.executed] == [
        ("createCampaign", ("Café launch", 25_000), CAMPAIGN, 200_000),
        ("closeCampaign", (CAMPAIGN, 20_000, 2**200), CAMPAIGN, 200_000),
        ("expireCampaign", (CAMPAIGN, 1), CAMPAIGN, 200_000),
    ]


def test_a_reference_is_a_transaction_id_that_has_begun(hedera: HederaWorld) -> None:
    refs = {hedera.new_ref() for _ in range(100)}

    assert len(refs) == 100
    started = int(hedera.clock.now().timestamp()) - 5
    assert all(ref.startswith(f"{ACCOUNT}@{started}.") and len(ref.rpartition(".")[2]) == 9 for ref in refs)


def test_a_nanosecond_with_leading_zeros_is_found(hedera: HederaWorld) -> None:
    """hiero-sdk-js#1564."""
    ref = f"{ACCOUNT}@{int(hedera.clock.now().timestamp()) - 5}.000000042"
    hedera.lose_answer()
    hedera.create(ref)

    looked = hedera.look(ref)

    assert looked == Found(ref)


def test_a_function_that_the_contract_lacks_is_left_out(hedera: HederaWorld) -> None:
    hedera.functions = frozenset({CREATE})
    ref, arguments = hedera.new_ref(), {"id": CAMPAIGN, "rewarded": 0, "refunded": 25_000}

    answers = hedera.escrow.submit(ref, CLOSE, arguments), hedera.escrow.outcome(ref, CLOSE, arguments)

    assert answers == (Done(ref), Found(ref))
    assert hedera.fake.requests == 0


def test_a_function_that_the_contract_lacks_is_refused_when_no_setting_says_so() -> None:
    with hedera_world(functions=frozenset()) as world:
        outcome = world.create(world.new_ref())

    assert outcome == Refused("CONTRACT_REVERT_EXECUTED")


# --- How a call goes wrong


def test_a_duplicate_of_this_very_call_is_done(hedera: HederaWorld) -> None:
    """hiero-sdk-js#1560: DUPLICATE_TRANSACTION although it was executed."""
    hedera.fake.script(Fault.DUPLICATE)
    ref = hedera.new_ref()

    outcome = hedera.create(ref)

    assert outcome == Done(ref)
    assert hedera.happened() == 1


@pytest.mark.parametrize("other", [{"id": "prm_another"}, {"budget": 25_001}], ids=["memo", "arguments"])
def test_a_duplicate_of_another_call_is_not_ours(hedera: HederaWorld, other: dict[str, str | int]) -> None:
    ref = hedera.new_ref()
    hedera.create(ref, **other)

    outcome = hedera.create(ref)

    assert outcome == Unknown("DUPLICATE_TRANSACTION")
    assert hedera.happened() == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.BUSY, NotTaken("BUSY")),
        (Fault.EXPIRED, NotTaken("TRANSACTION_EXPIRED")),
        (Fault.POOR, Refused("INSUFFICIENT_PAYER_BALANCE")),
        (Fault.REVERT, Refused("CONTRACT_REVERT_EXECUTED")),
    ],
)
def test_what_a_node_says_for_certain_is_certain(hedera: HederaWorld, fault: Fault, outcome: object) -> None:
    hedera.fake.script(fault)

    answer = hedera.create(hedera.new_ref())

    assert answer == outcome
    assert hedera.happened() == 0


@pytest.mark.parametrize(("fault", "happened"), [(Fault.LOST, 1), (Fault.DROPPED, 0), (Fault.NO_RECEIPT, 1)])
def test_a_call_without_an_answer_is_unknown_and_is_sent_once(hedera: HederaWorld, fault: Fault, happened: int) -> None:
    hedera.fake.script(fault)

    answer = hedera.create(hedera.new_ref())

    assert isinstance(answer, Unknown)
    assert hedera.happened() == happened
    assert hedera.fake.submissions == 1


def test_a_key_that_signs_for_another_account_is_refused(hedera: HederaWorld) -> None:
    other = FakeHedera(hedera.clock).operator_key
    hedera.key = lambda: other

    outcome = hedera.create(hedera.new_ref())

    assert outcome == Refused("INVALID_SIGNATURE")


def test_without_a_key_nothing_is_sent(hedera: HederaWorld) -> None:
    def fails() -> str:
        raise Unavailable("Secrets Manager answered ResourceNotFoundException")

    hedera.key = fails

    outcome = hedera.create(hedera.new_ref())

    assert outcome == NotTaken("Secrets Manager answered ResourceNotFoundException")
    assert hedera.fake.requests == 0


@pytest.mark.parametrize("key", ["s3cret-key", "abcdef0123456789", ""])
def test_a_key_that_is_none_is_reported_without_it(hedera: HederaWorld, key: str) -> None:
    """The SDK's own error quotes it."""
    hedera.key = lambda: key

    with pytest.raises(Misconfigured) as raised:
        hedera.create(hedera.new_ref())

    assert "DER" in str(raised.value)
    assert not key or key not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


# --- Looks


def test_a_call_that_was_never_made_is_absent_only_when_it_can_no_longer_be(hedera: HederaWorld) -> None:
    ref = hedera.new_ref()
    hedera.later(EXPIRED - 5 - 1)

    before = hedera.look(ref)
    hedera.later(2)
    after = hedera.look(ref)

    assert isinstance(before, CannotTell)
    assert after == Absent()


def test_a_call_that_reverted_is_absent_when_its_id_has_expired(hedera: HederaWorld) -> None:
    ref = hedera.new_ref()
    hedera.refuse()
    hedera.create(ref)

    before = hedera.look(ref)
    hedera.later(EXPIRED)
    after = hedera.look(ref)

    assert isinstance(before, CannotTell)
    assert after == Absent()


def test_a_mirror_that_is_not_there_cannot_tell(hedera: HederaWorld) -> None:
    hedera.mirror = MirrorNode("http://127.0.0.1:1")
    hedera.later(EXPIRED)

    looked = hedera.look(hedera.new_ref())

    assert isinstance(looked, CannotTell)


def test_while_the_mirror_cannot_be_read_nobody_can_tell(hedera: HederaWorld) -> None:
    ref = hedera.new_ref()
    hedera.lose_answer()
    hedera.create(ref)
    hedera.fake.mirror_down = True

    down = hedera.look(ref)
    hedera.later(EXPIRED)
    still_down = hedera.look(ref)
    hedera.fake.mirror_down = False

    assert isinstance(down, CannotTell)
    assert isinstance(still_down, CannotTell)
    assert hedera.look(ref) == Found(ref)


@pytest.mark.parametrize("has_receipt", [True, False])
def test_a_mirror_that_lags_behind_says_nothing(hedera: HederaWorld, has_receipt: bool) -> None:
    """It answers 404, hours after the id expired."""
    ref = hedera.new_ref()
    hedera.fake.script(Fault.LOST)
    hedera.create(ref)
    hedera.fake.mirror_lag = timedelta(hours=2)
    hedera.later(DEAD if has_receipt else 3600)

    behind = hedera.look(ref)
    hedera.fake.mirror_lag = timedelta()

    assert isinstance(behind, CannotTell)
    assert hedera.look(ref) == Found(ref)


def test_a_receipt_keeps_a_call_from_being_absent(hedera: HederaWorld) -> None:
    """The mirror lost it, though it has what came later."""
    ref = hedera.new_ref()
    hedera.create(ref)
    hedera.later(DEAD)
    hedera.fake.hidden.add(hedera.fake.executed[0].id)

    looked = hedera.look(ref)
    hedera.later(RECEIPTS_GONE)

    assert isinstance(looked, CannotTell)
    assert hedera.look(ref) == Absent()


@pytest.mark.parametrize(
    "other",
    [{"id": "prm_another"}, {"title": "Another"}, {"function": EXPIRE, "refunded": 25_000}],
    ids=["memo", "arguments", "function"],
)
def test_a_call_of_another_campaign_is_not_ours(hedera: HederaWorld, other: dict[str, Any]) -> None:
    ref = hedera.new_ref()
    hedera.create(ref)

    looked = hedera.look(ref, **other)
    hedera.later(EXPIRED + RECEIPTS_GONE)

    assert isinstance(looked, CannotTell)
    assert hedera.look(ref, **other) == Absent()
    assert hedera.look(ref) == Found(ref)


def test_a_look_needs_no_key_and_costs_nothing(hedera: HederaWorld) -> None:
    """guardian#6772: queries that are paid, for ever."""
    ref = hedera.new_ref()
    hedera.create(ref)

    def fails() -> str:
        raise AssertionError

    hedera.key = fails

    assert hedera.look(ref) == Found(ref)
    assert len(hedera.fake.executed) == 1


# --- A call's life


def test_nobody_says_that_a_call_was_not_made_while_it_may_be_executed(hedera: HederaWorld) -> None:
    """A transaction is valid for 2 minutes, and mirror nodes lag behind: else the contract would be created twice."""
    outside = Outside(Mock(), hedera.escrow, Mock())
    promotion = a_promotion(stage=Stage.CONTRACT, status=PromotionStatus.PENDING)
    patience, now = outside.patience(promotion), hedera.clock.now()
    call = begin(None, CREATE, hedera.new_ref(), now, now, patience)
    promotion = replace(promotion, call=answered(call, Unknown("timeout"), now, patience))

    said = Resolution(Stage.CONTRACT, 1, None, "I see nothing")

    hedera.later(180 - 1)
    with pytest.raises(Conflicting, match="may take effect until"):
        resolve(promotion, said, hedera.clock.now())
    hedera.later(2)

    assert resolve(promotion, said, hedera.clock.now()).after.call is not None
    assert hedera.look(call.ref) == Absent()


def test_calls_that_aws_refuses_as_a_loop_wait_for_a_new_chain_of_requests(hedera: HederaWorld) -> None:
    """A schedule begins one: waits of more than 15 minutes are schedules."""
    stop = {"Error": {"Code": "RecursiveInvocationException", "Message": "..."}}
    hedera.escrow = HederaEscrow("escrow", ACCOUNT, lambda: Mock(invoke=Mock(side_effect=ClientError(stop, "Invoke"))))
    now = hedera.clock.now()
    call = begin(None, CREATE, hedera.new_ref(), now, now, ESCROW_PATIENCE)
    call = answered(call, hedera.create(call.ref), now, ESCROW_PATIENCE)

    looks = 0
    while (call.due_at - now).total_seconds() <= LONGEST_DELAY_SECONDS:
        looks, now = looks + 1, max(call.due_at, now)
        call = seen(call, hedera.look(call.ref), now, ESCROW_PATIENCE)

    assert (call.state, looks) == (CallState.UNKNOWN, 6)


def test_each_escrow_knows_its_own_references(world: World, hedera: HederaWorld) -> None:
    others: dict[Any, World] = {hedera.escrow: LedgerWorld()}
    other = others.get(world.escrow, hedera)

    assert world.escrow.made(world.new_ref())
    assert not world.escrow.made(other.new_ref())


def test_looks_that_never_tell_are_bounded_and_ask_no_more(hedera: HederaWorld) -> None:
    """guardian#6772: a query on a duplicate that is repeated for ever."""
    hedera.fake.mirror_lag = timedelta(days=2)
    now = hedera.clock.now()
    call = begin(None, CREATE, hedera.new_ref(), now, now, ESCROW_PATIENCE)
    hedera.lose_answer()
    call = answered(call, hedera.create(call.ref), now, ESCROW_PATIENCE)

    while call.state is CallState.UNKNOWN:
        hedera.clock.time = max(call.due_at, now)
        call = seen(call, hedera.look(call.ref), hedera.clock.now(), ESCROW_PATIENCE)

    assert call.state is CallState.STUCK
    assert call.looks <= 20
    assert hedera.fake.submissions == 1
    assert len(hedera.fake.executed) == 1


def test_a_contract_whose_answer_was_lost_is_found_and_closed(hedera: HederaWorld) -> None:
    """EcoIssues#13936: what is undone is undone at the escrow too."""
    ref = hedera.new_ref()
    hedera.lose_answer()
    hedera.create(ref)
    found = hedera.look(ref)

    closing = hedera.new_ref()
    closed = hedera.escrow.submit(closing, CLOSE, {"id": CAMPAIGN, "rewarded": 0, "refunded": 25_000})

    assert (found, closed) == (Found(ref), Done(closing))
    assert [each.function for each in hedera.fake.executed] == ["createCampaign", "closeCampaign"]


# --- The function between


def _raises(error: Exception) -> Callable[[], dict[str, Any]]:
    def instead() -> dict[str, Any]:
        raise error

    return instead


@pytest.mark.parametrize(
    "instead",
    [
        _raises(ReadTimeoutError(endpoint_url="https://lambda")),
        _raises(ClientError({"Error": {"Code": "RecursiveInvocationException"}}, "Invoke")),
        lambda: {"FunctionError": "Unhandled", "Payload": BytesIO(b'{"errorMessage": "Task timed out"}')},
        lambda: {"Payload": BytesIO(b'{"answer": "Sent"}')},
        lambda: {"Payload": BytesIO(b'{"answer": "Done"}')},
        lambda: {"Payload": BytesIO(b"null")},
        lambda: {"Payload": BytesIO(b"<html>")},
    ],
    ids=["timeout", "refused", "crash", "another answer", "no result", "nothing", "unreadable"],
)
def test_an_invoke_that_fails_is_unknown_and_of_a_look_cannot_tell(
    hedera: HederaWorld, instead: Callable[[], dict[str, Any]]
) -> None:
    ref = hedera.new_ref()

    hedera.lambda_client.instead = instead
    outcome = hedera.create(ref)
    hedera.lambda_client.instead = instead
    looked = hedera.look(ref)

    assert isinstance(outcome, Unknown)
    assert isinstance(looked, CannotTell)


def test_the_handler_reads_the_key_from_secrets_manager_and_logs_it_never(
    monkeypatch: pytest.MonkeyPatch, log_lines: Callable[[], list[dict[str, Any]]]
) -> None:
    fake = FakeHedera(SystemClock())
    secrets = Mock(get_secret_value=Mock(return_value={"SecretString": f"{fake.operator_key}\n"}))
    monkeypatch.setattr(aws, "client", lambda service, **_: {"secretsmanager": secrets}[service])
    with fake.running() as (node, mirror), nothing_cached():
        environment = {
            "HEDERA_ACCOUNT": ACCOUNT,
            "HEDERA_CONTRACT": CONTRACT,
            "HEDERA_FUNCTIONS": "createCampaign,closeCampaign",
            "HEDERA_KEY_ARN": "arn:aws:secretsmanager:operator",
            "HEDERA_MIRROR": f"http://{mirror}",
            "HEDERA_NODES": f"{node}={NODE}",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        world = HederaWorld(fake, SystemClock(), node, mirror)  # type: ignore[arg-type]
        world.lambda_client = LambdaClient(lambda event: escrow_function.handler(event, _Context()))
        ref = world.new_ref()

        answers = world.create(ref), world.look(ref)

    assert answers == (Done(ref), Found(ref))
    secrets.get_secret_value.assert_called_once_with(SecretId="arn:aws:secretsmanager:operator")
    lines = log_lines()
    assert [(line["action"], line["answer"], line["campaign_id"]) for line in lines] == [
        ("submit", "Done", CAMPAIGN),
        ("outcome", "Found", CAMPAIGN),
    ]
    assert fake.operator_key not in str(lines)


class _Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "escrow"
