"""How the platform is: everything that an operator would look at first, read at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from operations import overdue
from sluice import outbox, platform
from sluice.chained import ChainedItem
from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.platform import PlatformItem, PlatformStatus

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = Logger(child=True)

MOST_OVERDUE = 100
# The sweeper publishes what is older than five minutes, at its next period.
_LATE = timedelta(minutes=10)
# API Gateway waits 30 s and the function 15: by then the answer must be on its way, whatever does not answer.
_PATIENCE_SECONDS = 8.0

# What cannot be read, by the field of Checkup that is then None.
_PARTS = {
    "platform": "the boosts table",
    "boosts_queue": "the queue of boosts",
    "boosts_dead_letters": "the dead letters of boosts",
    "views_queue": "the queue of the sync",
    "views_dead_letters": "the dead letters of the sync",
    "views_imports_queue": "the queue of imports",
    "views_imports_dead_letters": "the dead letters of imports",
    "outbox_dead_letters": "the dead letters of the outbox",
    "overdue_campaigns": "the index of overdue campaigns",
    "overdue_imports": "the index of overdue imports",
    "oldest_pending_event_seconds": "the outbox",
}
# What is wrong when there is any, and where docs/operations.md says what to do.
_OVERDUE = {
    "overdue_campaigns": ("Campaigns", "BoostsWorkerErrorsAlarm"),
    "overdue_imports": ("Imports", "ViewsImportsWorkerErrorsAlarm"),
}
_DEAD_LETTERS = {
    "boosts_dead_letters": ("Boost steps are dead letters", "BoostsDeadLettersAlarm"),
    "views_dead_letters": ("Steps of the sync are dead letters", "ViewsDeadLettersAlarm"),
    "views_imports_dead_letters": ("Import steps are dead letters", "ViewsImportsDeadLettersAlarm"),
    "outbox_dead_letters": ("The relay gave up on events", "OperationsOutboxDeadLettersAlarm"),
}


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: due, taken by a worker, not due yet."""

    waiting: int
    in_flight: int
    delayed: int


@dataclass
class Checkup:
    """What was found; None for what could not be read, and for the age of an event when none is pending."""

    platform: PlatformStatus | None = None
    boosts_queue: Depth | None = None
    boosts_dead_letters: int | None = None
    views_queue: Depth | None = None
    views_dead_letters: int | None = None
    views_imports_queue: Depth | None = None
    views_imports_dead_letters: int | None = None
    outbox_dead_letters: int | None = None
    overdue_campaigns: int | None = None
    overdue_imports: int | None = None
    oldest_pending_event_seconds: float | None = None
    problems: list[str] = field(default_factory=list)


class Doctor:
    """Looks at each part by itself: what cannot be read is a problem found, and hides nothing else.

    `overdue_in` and `queue_urls` are by the fields of Checkup that they fill.
    """

    def __init__(
        self,
        overdue_in: Mapping[str, type[ChainedItem]],
        platform_items: type[PlatformItem],
        sqs: "SQSClient",
        queue_urls: Mapping[str, str],
        clock: Clock,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._overdue_in = overdue_in
        self._platform_items = platform_items
        self._sqs = sqs
        self._queue_urls = queue_urls
        self._clock = clock
        self._patience_seconds = patience_seconds

    def check(self) -> Checkup:
        looks: dict[str, Callable[[], Any]] = {
            "platform": lambda: platform.read(self._platform_items).status,
            "oldest_pending_event_seconds": self._oldest_pending_seconds,
        }
        looks |= {name: partial(self._count_overdue, items) for name, items in self._overdue_in.items()}
        for name, url in self._queue_urls.items():
            looks[name] = partial(self._dead if name in _DEAD_LETTERS else self._depth, url)
        # In the order of the parts: what is told first does not depend on that of the environment.
        found, unreadable = self._look({name: looks[name] for name in _PARTS})
        checkup = Checkup(**found)
        checkup.problems = [
            f"Cannot read {_PARTS[name]}: look for WARNING in the log of OperationsHealthFunction"
            for name in unreadable
        ]
        checkup.problems += _problems(checkup)
        return checkup

    def _look(self, looks: Mapping[str, Callable[[], Any]]) -> tuple[dict[str, Any], list[str]]:
        """What each part answered, and those that did not; in parallel, or one that hangs would hide the rest."""
        pool = ThreadPoolExecutor(len(looks))
        answers: dict[str, Future[Any]] = {name: pool.submit(look) for name, look in looks.items()}
        done, _ = wait(answers.values(), self._patience_seconds)
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
        return (self._clock.now() - since).total_seconds() if since else None

    def _count_overdue(self, items: type[ChainedItem]) -> int:
        return sum(1 for _ in overdue.ids(items, self._clock.now(), MOST_OVERDUE))

    def _dead(self, url: str) -> int:
        """A letter that is being read is dead too."""
        depth = self._depth(url)
        return depth.waiting + depth.in_flight

    def _depth(self, url: str) -> Depth:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return Depth(
            waiting=int(answer["ApproximateNumberOfMessages"]),
            in_flight=int(answer["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
        )


def _problems(checkup: Checkup) -> list[str]:
    problems = []
    if checkup.platform is PlatformStatus.STOPPED:
        problems.append("The platform is stopped: GET /api/admin/stop says why; POST /api/admin/resume lets it go on")
    else:
        problems += [
            f"{what} are overdue: the sweeper wakes them within its period, and a resume within a minute; "
            f"if they stay, see OperationsSweeperErrorsAlarm and {alarm} in docs/operations.md"
            for name, (what, alarm) in _OVERDUE.items()
            if getattr(checkup, name)
        ]
    problems += [
        f"{what}: see {alarm} in docs/operations.md"
        for name, (what, alarm) in _DEAD_LETTERS.items()
        if getattr(checkup, name)
    ]
    if (checkup.oldest_pending_event_seconds or 0) > _LATE.total_seconds():
        problems.append("Events are not published: see OperationsOutboxRelayErrorsAlarm in docs/operations.md")
    return problems
