"""The alarms of the views: what the functions log is what the template's filters read."""

import json
import logging
import socket
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine

from sluice.errors import Unavailable
from sluice.http.resolver import logger
from tests.account import Account
from tests.integration.harness import Functions
from tests.integration.log_metrics import metrics, rings
from tests.integration.test_views_outages import listening
from tests.integration.test_views_sync import CLOSING, NOW, Syncs
from tests.integration.track_function import a_view
from tests.redis_servers import Servers, free_ports
from views.diagnosis import schedule as gauges
from views.diagnosis.stats import Stats
from views.held import ShardStats
from views.sync import worker as sync_worker
from views.track import counter

PERIOD = "views/diagnosis/schedule-period"
pytestmark = pytest.mark.usefixtures("patient")


class Watched(Syncs):
    """A world whose gauges are read."""

    def view(self, content: str) -> None:
        """One view, by the script."""
        answer = self.invoke("views/track/api-track", a_view(content))
        assert json.loads(answer["body"])["counted"] is True

    def gauges(self) -> dict[str, float]:
        """What one run of the schedule makes of each metric."""
        stream = StringIO()
        handler: Any = gauges.logger.registered_handler
        before = handler.setStream(stream)
        try:
            self.invoke(PERIOD)
        finally:
            handler.setStream(before)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [line["message"] for line in lines] == ["Views gauges"]
        self.line = lines[0]
        made = metrics(self.aws, "ViewsDiagnosisScheduleLogs", lines)
        assert all(len(values) == 1 for values in made.values())
        return {name: values[0] for name, values in made.items()}


@pytest.fixture
def world(aws: Account, functions: Functions, servers: Servers) -> Iterator[Watched]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield Watched(aws, functions, servers, clock)


def test_where_nothing_was_viewed_nothing_rings(world: Watched) -> None:
    found = world.gauges()

    assert (found["OldestPendingSeconds"], found["ParkedContents"]) == (0, 0)
    assert world.line["open_epoch_seconds"] == 0
    assert not rings(world.aws, "ViewsOldestPendingAlarm", 0)
    assert not rings(world.aws, "ViewsParkedAlarm", 0)


def test_a_view_that_has_waited_for_more_than_26_hours_rings_until_it_is_moved(world: Watched) -> None:
    """S2-38: the night's sync was missed."""
    world.view("123")
    world.clock.shift(timedelta(hours=2))
    world.view("456")

    world.clock.shift(timedelta(hours=24))
    waited = world.gauges()["OldestPendingSeconds"]
    world.clock.shift(timedelta(seconds=1))
    late = world.gauges()["OldestPendingSeconds"]
    epoch = world.sync()
    moved = world.gauges()["OldestPendingSeconds"]

    assert (waited, late, moved) == (26 * 3600, 26 * 3600 + 1, 0)
    assert not rings(world.aws, "ViewsOldestPendingAlarm", waited)
    assert rings(world.aws, "ViewsOldestPendingAlarm", late)
    assert epoch["views"] == 2


def test_views_in_an_epoch_that_stands_still_wait_too(world: Watched) -> None:
    """S2-38."""
    world.view("123")
    world.sync()
    world.clock.shift(CLOSING + timedelta(days=1))
    world.view("456")
    world.start()
    assert world.deliver(world.messages()[0])

    world.clock.shift(timedelta(hours=27))
    found = world.gauges()

    assert found["OldestPendingSeconds"] == 27 * 3600
    assert (world.line["open_epoch_seconds"], world.line["pending_contents"]) == (27 * 3600, 0)


def test_a_content_that_was_moved_aside_rings_until_it_is_applied(world: Watched) -> None:
    """S2-25, S2-38."""
    odd = {"key": {"S": "organic#story#odd"}, "views": {"S": "no number"}}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("TotalsTable"), Item=odd)
    world.view("odd")

    world.sync()
    aside = world.gauges()["ParkedContents"]
    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("TotalsTable"), Key={"key": odd["key"]})
    world.clock.shift(CLOSING)
    world.sync()
    mended = world.gauges()["ParkedContents"]

    assert (aside, mended) == (1, 0)
    assert rings(world.aws, "ViewsParkedAlarm", aside)


def test_views_refused_for_too_many_contents_ring_until_the_next_epoch(world: Watched) -> None:
    """S2-38: they are lost, until a sync makes room or the bound is raised."""
    world.aws.choose(MaxContentsPerShard="1")
    world.view("123")
    before = world.gauges()["ViewsRefusedTooMany"]
    for _ in range(2):
        answer = world.invoke("views/track/api-track", a_view("456"))
        assert json.loads(answer["body"])["reason"] == "too_many_contents"

    full = world.gauges()["ViewsRefusedTooMany"]
    world.sync()
    world.view("456")
    world.clock.shift(CLOSING)
    world.sync()
    after = world.gauges()["ViewsRefusedTooMany"]

    assert (before, full, after) == (0, 2, 0)
    assert not rings(world.aws, "ViewsTooManyContentsAlarm", before)
    assert rings(world.aws, "ViewsTooManyContentsAlarm", full)


def test_what_redis_holds_is_read_and_rings_above_the_parameter(world: Watched) -> None:
    """S2-38: Redis memory monitoring."""
    used = world.gauges()["RedisUsedMemoryBytes"]

    told = sum(client.info("memory")["used_memory"] for client in world.servers.clients())
    assert used == pytest.approx(told, rel=0.2)
    assert not rings(world.aws, "ViewsRedisMemoryAlarm", 2**30)
    assert rings(world.aws, "ViewsRedisMemoryAlarm", 2**30 + 1)
    world.aws.choose(RedisMemoryAlarmBytes="1000")
    assert rings(world.aws, "ViewsRedisMemoryAlarm", used)


def test_the_stacks_own_cache_is_watched_by_its_own_metric(aws: Account) -> None:
    alarm = aws.resources["ViewsRedisMemoryAlarm"]["Properties"]

    assert alarm["Namespace"] == {"Fn::If": ["OwnsCache", "AWS/ElastiCache", {"Ref": "AWS::StackName"}]}
    assert alarm["MetricName"] == {"Fn::If": ["OwnsCache", "BytesUsedForCache", "RedisUsedMemoryBytes"]}
    own = [{"Name": "clusterId", "Value": {"Ref": "Cache"}}]
    assert alarm["Dimensions"] == {"Fn::If": ["OwnsCache", own, {"Ref": "AWS::NoValue"}]}


def test_what_redis_does_not_tell_is_not_logged_as_nothing() -> None:
    silent = ShardStats(1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0)

    found = gauges.gauges(Stats(NOW, [silent], used_memory_bytes=None, open_epoch=None))

    assert "redis_used_memory_bytes" not in found
    assert (found["pending_views"], found["pending_contents"], found["parked_contents"]) == (3, 2, 0)


def test_without_redis_the_run_fails_and_its_alarm_rings(world: Watched) -> None:
    """S2-33."""
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"

    with pytest.raises(Unavailable, match="Redis does not answer"):
        world.invoke(PERIOD)


def test_an_outage_is_one_degraded_answer_of_tracking_every_five_seconds(
    world: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """S2-33: error logging; not a line for each view."""
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"
    world.functions.environment["REDIS_MODE"] = "single"

    with caplog.at_level(logging.INFO):
        answers = [world.invoke("views/track/api-track", a_view(str(number))) for number in range(3)]

    lines = [{"message": record.getMessage()} for record in caplog.records]
    assert [json.loads(answer["body"])["degraded"] for answer in answers] == [True] * 3
    assert metrics(world.aws, "ViewsTrackApiLogs", lines) == {"DegradedAnswers": [1]}
    assert rings(world.aws, "ViewsDegradedAlarm", 1)


def test_a_redis_that_gives_no_answer_is_an_outage_too(
    world: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33: the view that waited for it is a 503, and those of the next five seconds go to the database."""
    monkeypatch.setitem(counter._CLIENT, "socket_timeout", 0.1)
    held: list[socket.socket] = []
    with listening(held.append) as port, caplog.at_level(logging.INFO):
        world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{port}"
        world.functions.environment["REDIS_MODE"] = "single"
        answers = [world.invoke("views/track/api-track", a_view(str(number))) for number in range(3)]

    lines = [{"message": record.getMessage()} for record in caplog.records]
    assert [answer["statusCode"] for answer in answers] == [503, 200, 200]
    assert metrics(world.aws, "ViewsTrackApiLogs", lines) == {"DegradedAnswers": [1]}
    for connection in held:
        connection.close()


def test_a_view_that_cannot_be_folded_rings(world: Watched) -> None:
    """S2-33, S2-38. It is not shown until then, so somebody has to hear of it."""
    client = world.aws.client("dynamodb")
    client.put_item(
        TableName=world.aws.ref("TotalsTable"),
        Item={"key": {"S": "organic#story#odd"}, "views": {"S": "no number"}},
    )
    row = {"id": "viewer#1", "part": "2026-11-20#story:odd", "content": "story:odd", "unfolded": "3"}
    row["counted_at"] = "2026-11-20T08:00:00.000000Z"
    client.put_item(TableName=world.aws.ref("ViewsTable"), Item={name: {"S": value} for name, value in row.items()})
    stream = StringIO()
    handler: Any = sync_worker.logger.registered_handler
    before = handler.setStream(stream)
    try:
        world.sync()
    finally:
        handler.setStream(before)

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    problems = metrics(world.aws, "ViewsSyncWorkerLogs", lines)
    assert problems == {"SyncProblems": [1]}
    assert rings(world.aws, "ViewsSyncProblemsAlarm", 1)


def test_an_outage_is_one_degraded_answer_of_counts_every_five_seconds(
    world: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-33."""
    stream = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    world.functions.environment["REDIS_URL"] = f"redis://127.0.0.1:{free_ports(1)[0]}"
    world.functions.environment["REDIS_MODE"] = "single"

    answers = [world.invoke("views/counts/api-get") for _ in range(3)]

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [json.loads(answer["body"])["degraded"] for answer in answers] == [True] * 3
    assert metrics(world.aws, "ViewsCountsApiLogs", lines) == {"DegradedAnswers": [1]}


def test_answers_with_redis_are_not_degraded(
    world: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)

    with caplog.at_level(logging.INFO):
        world.view("123")
        world.invoke("views/counts/api-get")

    tracked = [{"message": record.getMessage()} for record in caplog.records]
    counted = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert metrics(world.aws, "ViewsTrackApiLogs", tracked) == metrics(world.aws, "ViewsCountsApiLogs", counted) == {}
