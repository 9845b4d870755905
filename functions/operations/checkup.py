"""The health of the platform: everything that an operator looks at first, read in parallel."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from operations import overdue
from operations.chains import CALLERS, CHAINS, OUTBOX_DEAD_LETTERS, PLATFORM_TABLE, QUEUES, Chain
from sluice import answers, outbox, platform, queues
from sluice.answers import AnswerItem
from sluice.chained import HALTED, UNKNOWN_CALLS, ChainedItem, ListedItem, unknown_since
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.platform import PlatformItem, PlatformStatus

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger(child=True)

MOST_OVERDUE = 100
MOST_HALTED = 100
# The sweeper publishes what is older than five minutes, at its next period.
_LATE = timedelta(minutes=10)
# API Gateway waits 30 s, and the function may run for 15 s: a part that hangs must not delay the answer past that.
_PATIENCE_SECONDS = 8.0

# What a problem calls a part of the Checkup that cannot be read. The part is then None.
_PARTS = {"platform": f"the {PLATFORM_TABLE.replace('_', ' ')}"}
for _queue in QUEUES:
    _PARTS[_queue.depth] = f"the queue of {_queue.whose}"
    _PARTS[_queue.dead_letters] = f"the dead letters of {_queue.whose}"
_PARTS[OUTBOX_DEAD_LETTERS] = "the dead letters of the outbox"
_PARTS |= {chain.overdue: f"the index of overdue {chain.campaigns}" for chain in CHAINS}
for _chain in CALLERS:
    _PARTS[_chain.halted] = f"the list of halted {_chain.campaigns}"
    _PARTS[_chain.oldest_unknown] = f"the list of unknown calls of {_chain.campaigns}"
    _PARTS[_chain.last_answers] = f"the last answers to {_chain.campaigns}"
_PARTS["oldest_pending_event_seconds"] = "the outbox"
# The problem if there are dead letters, and the chapter of docs/operations.md that says what to do.
_DEAD_LETTERS = {queue.dead_letters: (f"{queue.steps} are dead letters", queue.dead_letters_alarm) for queue in QUEUES}
_DEAD_LETTERS[OUTBOX_DEAD_LETTERS] = ("The relay gave up on events", "OperationsOutboxDeadLettersAlarm")


@dataclass(frozen=True)
class Checkup:
    """The value of each part, by its name in Health: the platform's status, depths, numbers, ages in seconds, answers.

    None for a part that could not be read, and for the age of the oldest event if none is pending.
    """

    parts: Mapping[str, Any]
    problems: list[str]


@dataclass(frozen=True)
class Doctor:
    """Reads each part independently: a part that cannot be read is reported as a problem, and hides no other part.

    `items`, `lists` and `answers` are by the setting that names their table, `queue_urls` by the part of the Checkup
    that they fill.
    """

    items: Mapping[str, type[ChainedItem]]
    platform_items: type[PlatformItem]
    sqs: "SQSClient"
    queue_urls: Mapping[str, str]
    clock: Clock
    lists: Mapping[str, type[ListedItem]]
    answers: Mapping[str, type[AnswerItem]]
    patience_seconds: float = _PATIENCE_SECONDS

    def check(self) -> Checkup:
        looks: dict[str, Callable[[], Any]] = {
            "platform": lambda: platform.read(self.platform_items).status,
            "oldest_pending_event_seconds": self._oldest_pending_seconds,
        }
        looks |= {chain.overdue: partial(self._count_overdue, chain) for chain in CHAINS}
        looks |= {chain.halted: partial(self._count_halted, chain) for chain in CALLERS}
        looks |= {chain.oldest_unknown: partial(self._oldest_unknown_seconds, chain) for chain in CALLERS}
        looks |= {chain.last_answers: partial(answers.last, self.answers[chain.table]) for chain in CALLERS}
        for name, url in self.queue_urls.items():
            looks[name] = partial(self._dead, url) if name in _DEAD_LETTERS else partial(queues.depth, self.sqs, url)
        # In the order of the parts, so that the order of the problems does not depend on the environment's.
        found, unreadable = self._look({name: looks[name] for name in _PARTS})
        problems = [
            f"Cannot read {_PARTS[name]}: look for WARNING in the log of OperationsHealthFunction"
            for name in unreadable
        ]
        return Checkup(dict.fromkeys(_PARTS) | found, [*problems, *_problems(found)])

    def _look(self, looks: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[str]]:
        """The parts' values, and the names of unreadable parts. In parallel: a part that hangs hides no other."""
        pool = ThreadPoolExecutor(len(looks))
        answers: dict[str, Future[Any]] = {name: pool.submit(look) for name, look in looks.items()}
        done, _ = wait(answers.values(), self.patience_seconds)
        pool.shutdown(wait=False, cancel_futures=True)
        found, unreadable = {}, []
        for name, answer in answers.items():
            try:
                if answer in done:
                    found[name] = answer.result()
                    continue
                logger.warning("Does not answer", part=_PARTS[name])
            except (BotoCoreError, ClientError, PynamoDBException, Unavailable) as error:
                logger.warning("Cannot be read", part=_PARTS[name], exc_info=error)
            unreadable.append(name)
        return found, unreadable

    def _oldest_pending_seconds(self) -> float | None:
        since = outbox.oldest_pending()
        return (self.clock.now() - since).total_seconds() if since else None

    def _count_overdue(self, chain: Chain) -> int:
        return sum(1 for _ in overdue.ids(self.items[chain.table], chain.live, self.clock.now(), MOST_OVERDUE))

    def _count_halted(self, chain: Chain) -> int:
        return len(list(self.lists[chain.table].query(HALTED, limit=MOST_HALTED)))

    def _oldest_unknown_seconds(self, chain: Chain) -> float | None:
        oldest = next(iter(self.lists[chain.table].query(UNKNOWN_CALLS, limit=1)), None)
        return (self.clock.now() - unknown_since(oldest.part)).total_seconds() if oldest else None

    def _dead(self, url: str) -> int:
        """A dead letter that someone is reading counts, too."""
        depth = queues.depth(self.sqs, url)
        return depth.waiting + depth.in_flight


def _problems(found: Mapping[str, Any]) -> list[str]:
    problems = []
    if found.get("platform") is PlatformStatus.STOPPED:
        problems.append("The platform is stopped: GET /api/admin/stop says why; POST /api/admin/resume lets it go on")
    else:
        problems += [
            f"{chain.campaigns.capitalize()} are overdue: the sweeper wakes them within its period, and a resume "
            f"within a minute; if they stay, see OperationsSweeperErrorsAlarm and {chain.worker_alarm} "
            "in docs/operations.md"
            for chain in CHAINS
            if found.get(chain.overdue)
        ]
    problems += [
        f"{chain.campaigns.capitalize()} have halted: see {chain.logical_name}HaltedAlarm in docs/operations.md"
        for chain in CALLERS
        if found.get(chain.halted)
    ]
    problems += [
        f"{what}: see {alarm} in docs/operations.md" for name, (what, alarm) in _DEAD_LETTERS.items() if found.get(name)
    ]
    if (found.get("oldest_pending_event_seconds") or 0) > _LATE.total_seconds():
        problems.append("Events are not published: see OperationsOutboxRelayErrorsAlarm in docs/operations.md")
    return problems
