"""How the platform is: everything that an operator would look at first, read at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from operations import overdue
from sluice import outbox, platform
from sluice.chained import ChainedItem
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.platform import Platform, PlatformItem, PlatformStatus

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger(child=True)

MOST_OVERDUE = 100
# The sweeper publishes what is older than five minutes, at its next period.
_LATE = timedelta(minutes=10)
# API Gateway waits 30 s and the function 15: by then the answer must be on its way, whatever does not answer.
_PATIENCE_SECONDS = 8.0


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: due, taken by a worker, not due yet."""

    waiting: int
    in_flight: int
    delayed: int


@dataclass(frozen=True)
class Queues:
    """The URLs of what is looked at."""

    boosts_queue_url: str
    boosts_dead_letters_url: str
    outbox_dead_letters_url: str


@dataclass
class Checkup:
    """What was found; None for what could not be read, and for the age of an event when none is pending."""

    platform: PlatformStatus | None = None
    boosts_queue: Depth | None = None
    boosts_dead_letters: int | None = None
    outbox_dead_letters: int | None = None
    overdue_campaigns: int | None = None
    oldest_pending_event_seconds: float | None = None
    problems: list[str] = field(default_factory=list)


class Doctor:
    """Looks at each part by itself: what cannot be read is a problem found, and hides nothing else."""

    def __init__(
        self,
        items: type[ChainedItem],
        platform_items: type[PlatformItem],
        sqs: "SQSClient",
        queues: Queues,
        clock: Clock,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._items = items
        self._platform_items = platform_items
        self._sqs = sqs
        self._queues = queues
        self._clock = clock
        self._patience_seconds = patience_seconds

    def check(self) -> Checkup:
        now = self._clock.now()
        queues = self._queues
        found, unreadable = self._look(
            {
                "the boosts table": lambda: platform.read(self._platform_items),
                "the queue of boosts": lambda: self._depth(queues.boosts_queue_url),
                "the dead letters of boosts": lambda: self._depth(queues.boosts_dead_letters_url),
                "the dead letters of the outbox": lambda: self._depth(queues.outbox_dead_letters_url),
                "the index of overdue campaigns": lambda: sum(1 for _ in overdue.ids(self._items, now, MOST_OVERDUE)),
                "the outbox": outbox.oldest_pending,
            }
        )
        pending_since: datetime | None = found.get("the outbox")
        state: Platform | None = found.get("the boosts table")
        checkup = Checkup(
            platform=state.status if state else None,
            boosts_queue=found.get("the queue of boosts"),
            boosts_dead_letters=_dead(found.get("the dead letters of boosts")),
            outbox_dead_letters=_dead(found.get("the dead letters of the outbox")),
            overdue_campaigns=found.get("the index of overdue campaigns"),
            oldest_pending_event_seconds=(now - pending_since).total_seconds() if pending_since else None,
        )
        checkup.problems = [
            f"Cannot read {part}: look for WARNING in the log of OperationsHealthFunction" for part in unreadable
        ]
        checkup.problems += _problems(checkup)
        return checkup

    def _look(self, parts: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[str]]:
        """What each part answered, and those that did not; in parallel, or one that hangs would hide the rest."""
        pool = ThreadPoolExecutor(len(parts))
        looks: dict[str, Future[Any]] = {part: pool.submit(look) for part, look in parts.items()}
        done, _ = wait(looks.values(), self._patience_seconds)
        pool.shutdown(wait=False, cancel_futures=True)
        found, unreadable = {}, []
        for part, look in looks.items():
            try:
                if look in done:
                    found[part] = look.result()
                    continue
                logger.warning("Does not answer", part=part)
            except (BotoCoreError, ClientError, PynamoDBException, Unavailable) as error:
                logger.warning("Cannot be read", part=part, exc_info=error)
            unreadable.append(part)
        return found, unreadable

    def _depth(self, url: str) -> Depth:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return Depth(
            waiting=int(answer["ApproximateNumberOfMessages"]),
            in_flight=int(answer["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
        )


def _dead(depth: Depth | None) -> int | None:
    """A letter that is being read is dead too."""
    return depth.waiting + depth.in_flight if depth else None


def _problems(checkup: Checkup) -> list[str]:
    problems = []
    if checkup.platform is PlatformStatus.STOPPED:
        problems.append("The platform is stopped: GET /api/admin/stop says why; POST /api/admin/resume lets it go on")
    elif checkup.overdue_campaigns:
        problems.append(
            "Campaigns are overdue: the sweeper wakes them within its period, and a resume within a minute; "
            "if they stay, look for ERROR in the logs of OperationsSweeperFunction and BoostsWorkerFunction"
        )
    if checkup.boosts_dead_letters:
        problems.append("Boost steps are dead letters: see BoostsDeadLettersAlarm in docs/operations.md")
    if checkup.outbox_dead_letters:
        problems.append("The relay gave up on events: see OperationsOutboxDeadLettersAlarm in docs/operations.md")
    if (checkup.oldest_pending_event_seconds or 0) > _LATE.total_seconds():
        problems.append("Events are not published: see OperationsOutboxRelayErrorsAlarm in docs/operations.md")
    return problems
