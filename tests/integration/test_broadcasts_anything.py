"""Anything at any moment: outcomes, crashes, lost answers, commands and webhooks, drawn by a seed.

The world checks after each delivery what must always hold; here stands what must hold when all has come to rest.
"""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest

from broadcasts import row
from broadcasts.campaign import BroadcastStatus, Moved
from broadcasts.items import by_webhook
from broadcasts.ports import Refused, Scope, Throttled
from broadcasts.row import Evidence, RowStatus, Work
from broadcasts.store import Record
from sluice.errors import Conflicting
from sluice.platform import PlatformStatus
from tests.account import Account
from tests.sending_world import AnswerLost, Scripted, Vanished, World, a_world, phone_of

_S = BroadcastStatus
_SCRIPTS: tuple[Scripted, ...] = (
    AnswerLost(),
    Vanished(),
    Throttled(3.0),
    Throttled(),
    Refused(Scope.RECIPIENT, True, "131026", "No"),
    Refused(Scope.RECIPIENT, False, "130472", "Later"),
    Refused(Scope.INSTANCE, True, "190", "No"),
    Refused(Scope.CAMPAIGN, True, "132015", "No"),
)
_FAULTS = ("before", "after", "lost", "unreachable")


def _tell(world: World, brd: str, random: Random) -> None:
    """A webhook says something of a row that a provider has accepted."""
    known = [each for each in world.rows(brd) if each.attempt in world.provider().accepted]
    if known:
        seen = random.choice(known)
        evidence = random.choice((Evidence.SENT, Evidence.FAILED, Evidence.DELIVERED, Evidence.READ))
        if found := row.told(seen, evidence, world.now, None, seen.attempt):
            record = Record(brd, by_webhook(str(random.random())), moved=(Moved(seen, found),))
            assert world.store.record(record, world.now)


def _played(world: World, seed: int) -> str:
    random = Random(seed)
    world.an_instance(rate_limit=random.choice((60, 4800)), price_per_message=10)
    rows = random.choice((2, 5, 30))
    brd = world.a_broadcast(rows, rate_limit=random.choice((60, 4800)))
    can_be_asked = random.random() < 0.7
    world.provider().can_be_asked = world.provider().absence_is_proof = can_be_asked
    for number in range(rows):
        if random.random() < 0.4:
            world.provider().scripts[phone_of(number)] = random.choices(_SCRIPTS, k=random.randint(1, 3))
    world.faults = {random.randint(1, 150): random.choice(_FAULTS) for _ in range(random.randint(0, 4))}
    commands: list[Callable[[], object]] = [
        lambda: world.pause(brd),
        lambda: world.resume(brd),
        lambda: world.cancel(brd) if random.random() < 0.3 else None,
        lambda: world.retry(brd, include_final=random.random() < 0.5, include_unknown=random.random() < 0.3),
        lambda: _tell(world, brd, random),
        lambda: _tell(world, brd, random),
        lambda: world.set_platform(random.choice(tuple(PlatformStatus))),
    ]
    for _ in range(random.randint(0, 4)):
        world.before[random.randint(10, 200)] = lambda: _try(random.choice(commands))
    world.start(brd)
    for _ in range(random.randint(5, 120)):
        if not world.deliver():
            break
        if random.random() < 0.15:
            _try(random.choice(commands))
    world.faults.clear()
    world.before.clear()
    world.set_platform(PlatformStatus.OPEN)
    world.run()
    return brd


def _try(command: Callable[[], object]) -> None:
    with suppress(Conflicting):
        command()


@pytest.mark.parametrize("seed", range(12))
def test_everything_comes_to_rest_and_nobody_gets_two_messages(aws: Account, seed: int) -> None:
    with a_world(aws) as world:
        brd = _played(world, seed)
        world.check_at_rest(brd)

        for _ in range(20):
            if world.get(brd).status is _S.COMPLETED:
                break
            world.provider().scripts.clear()
            if world.get(brd).status is _S.FAILED:
                _try(lambda: world.retry(brd))
                if not world.get(brd).is_live:
                    break
            else:
                world.resume(brd)
            world.run()
        world.check_at_rest(brd)

        for each in world.rows(brd):
            names = {each.attempt, *(attempt.id for attempt in each.history)}
            if names & world.provider().accepted.keys():
                assert each.evidence or each.work is Work.CLOSED, f"{each} was accepted"
            elif each.status in (RowStatus.SENT, RowStatus.DELIVERED, RowStatus.READ):
                raise AssertionError(f"{each} was never accepted")
        total = world.counts(brd)
        assert total.spent == sum(each.price for each in world.rows(brd) if each.status in _SENT)


_SENT = (RowStatus.SENT, RowStatus.DELIVERED, RowStatus.READ)
