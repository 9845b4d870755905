"""When AWS cannot be reached, whatever asked it says so, and where it looked: no adapter calls that busy."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sluice import aws, dynamodb
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bound_to, transient_as_unavailable, update_if
from sluice.errors import Unavailable
from sluice.totals import TotalItem
from sluice.wake import Wake
from tests.factories import NOON, UTC_ZONE
from tests.redis_servers import free_ports
from views.messages import Page
from views.sync.bootstrap import sender
from views.track.fallback import Fallback


def wake() -> Wake:
    places = {"queue_url": "https://queue", "queue_arn": "arn:queue", "schedule_group": "group", "role_arn": "arn:role"}
    return Wake(aws.client("sqs"), aws.client("scheduler"), SystemClock(), **places)


def item() -> TotalItem:
    return bound_to(TotalItem, "Totals")("organic#video#1", views=1)


def read() -> None:
    with transient_as_unavailable():
        item().refresh()


ASKED: dict[str, Callable[[], object]] = {
    "a transaction": lambda: Database().commit(lambda transaction: transaction.save(item())),
    "a read": read,
    "an update": lambda: update_if(item(), [TotalItem.views.set(1)], TotalItem.views.exists()),
    "a wake": lambda: wake()("bst_1", 1, SystemClock().now()),
    "a wake by a schedule": lambda: wake()("bst_1", 1, SystemClock().now() + timedelta(days=1)),
    "the sync's next step": lambda: sender("https://queue")(Page(1, 0, 0), 0),
    "a view without Redis": lambda: Fallback("Views", UTC_ZONE).track("anon:1", "story", "1", NOON),
}


@pytest.mark.parametrize("asked", ASKED)
def test_whoever_asks_says_where_it_looked(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    aws._session.cache_clear()
    dynamodb._bound.cache_clear()  # a model keeps its connection

    with pytest.raises(Unavailable, match=rf"cannot be reached: http://127.0.0.1:{port}/"):
        ASKED[asked]()
