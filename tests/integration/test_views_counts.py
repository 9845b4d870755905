"""View counts, on their event files, over a Redis server and a cluster."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import ON_A_CLUSTER_TOO, Functions, Harness, an_event
from tests.redis_servers import Servers, free_ports
from views import keys
from views.control import Control, Phase
from views.sync.store import SyncStore

pytestmark = pytest.mark.usefixtures("patient")


class Counts(Harness):
    """A viewer without a token, and the totals that he is shown."""

    def __init__(self, aws: Account, functions: Functions, servers: Servers) -> None:
        super().__init__(aws, functions, clock=None)
        self._servers = servers
        functions.environment |= {"REDIS_URL": servers.url, "REDIS_MODE": servers.mode}

    def put(self, **totals: int) -> None:
        """Counters, by keys in which `__` stands for `#`."""
        for key, views in totals.items():
            item = {"key": {"S": key.replace("__", "#")}, "views": {"N": str(views)}}
            self.aws.client("dynamodb").put_item(TableName=self.aws.ref("TotalsTable"), Item=item)

    def track(self, content: str, views: int, shard: int = 0) -> None:
        """Views that no sync has taken yet."""
        with self._servers.client_of(keys.pending(shard)) as client:
            client.hincrby(keys.pending(shard), content, views)

    def get(self, path: str = "/api/views/video/abc123", query: str = "") -> tuple[int, dict[str, Any]]:
        return self._answer(an_event("views/counts/api-get"), path, query)

    def get_many(self, body: object, query: str = "") -> tuple[int, dict[str, Any]]:
        event = an_event("views/counts/api-bulk")
        event["body"] = json.dumps(body)
        return self._answer(event, "/api/views/counts", query)

    def of_services(self, body: object, query: str = "", role: str = "service") -> tuple[int, dict[str, Any]]:
        event = an_event("views/counts/api-bulkofservices")
        event["body"] = json.dumps(body)
        event["requestContext"]["authorizer"]["lambda"]["role"] = role
        return self._answer(event, "/api/admin/views/counts", query)

    def _answer(self, event: dict[str, Any], path: str, query: str) -> tuple[int, dict[str, Any]]:
        assert ("authorizer" in event["requestContext"]) == path.startswith("/api/admin/")
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["rawQueryString"] = query
        event["queryStringParameters"] = dict(parse_qsl(query))
        answer = self.invoke("views/counts/api-get", event)
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def counts(aws: Account, functions: Functions, redis: Servers) -> Counts:
    return Counts(aws, functions, redis)


@pytest.fixture
def nowhere(aws: Account, functions: Functions) -> Counts:
    """Where Redis would be, nobody listens."""
    return Counts(aws, functions, Servers("single", tuple(free_ports(1))))


def test_what_was_never_viewed_has_zeros_and_discloses_nothing(counts: Counts) -> None:
    """S2-9."""

    status, body = counts.get()

    assert status == 200
    assert body == {
        "content_type": "video",
        "content_id": "abc123",
        "organic": {"synced": 0, "pending": 0},
        "boosted": 0,
        "view_count": 0,
    }


def test_organic_views_alone_disclose_nothing(counts: Counts) -> None:
    counts.put(organic__video__abc123=50)

    _, body = counts.get()

    assert body["organic"] == {"synced": 50, "pending": 0}
    assert (body["boosted"], body["view_count"]) == (0, 50)
    assert "disclosure" not in body


@pytest.mark.parametrize(("organic", "boosted"), [(0, 1), (50, 1000)])
def test_boosted_views_are_apart_in_the_sum_and_disclosed(counts: Counts, organic: int, boosted: int) -> None:
    counts.put(organic__video__abc123=organic, boosted__video__abc123=boosted)

    _, body = counts.get()

    assert body["organic"] == {"synced": organic, "pending": 0}
    assert body["boosted"] == boosted
    assert body["view_count"] == organic + boosted
    assert body["disclosure"] == "includes promoted views"


def test_each_type_has_counters_of_its_own_and_all_types_are_known(counts: Counts) -> None:
    """S2-1."""

    counts.put(organic__video__abc123=1, organic__story__abc123=2, boosted__video__abc=4)
    types = ("video", "story", "fantasy", "task", "outcome")

    shown = {each: counts.get(f"/api/views/{each}/abc123")[1]["view_count"] for each in types}

    assert shown == {"video": 1, "story": 2, "fantasy": 0, "task": 0, "outcome": 0}


def test_an_unknown_type_is_400_and_named(counts: Counts) -> None:
    status, body = counts.get("/api/views/podcast/abc123")

    assert status == 400
    assert body["message"] == "content_type must be one of video, story, fantasy, task, outcome"
    assert [error["field"] for error in body["errors"]] == ["content_type"]


@pytest.mark.parametrize("content_id", ["-a", ".", "a b", "a$", "a" * 129, "organic|x"])
def test_an_id_that_cannot_be_one_is_400_and_named(counts: Counts, content_id: str) -> None:
    status, body = counts.get(f"/api/views/video/{content_id}")

    assert status == 400
    assert [error["field"] for error in body["errors"]] == ["content_id"]
    assert body.keys() == {"message", "code", "errors", "request_id"}


@pytest.mark.parametrize("content_id", ["a", "a" * 128, "0b6ed1d6-4a3f-4c29-9b4f-0d7f6c1b2a55", "A.b_c:d~e-f"])
def test_an_opaque_id_is_taken(counts: Counts, content_id: str) -> None:
    status, body = counts.get(f"/api/views/video/{content_id}")

    assert status == 200
    assert body["content_id"] == content_id


def test_an_unknown_parameter_is_400(counts: Counts) -> None:
    status, body = counts.get(query="since=2026")

    assert status == 400
    assert [error["field"] for error in body["errors"]] == ["since"]


@ON_A_CLUSTER_TOO
def test_fifty_in_the_database_and_three_in_redis_are_fifty_three(counts: Counts) -> None:
    """S2-24, S2-9, S2-18, S2-20, S2-21."""
    counts.put(organic__story__123=50)
    counts.track("story:123", 2, shard=3)
    counts.track("story:123", 1, shard=15)
    path = "/api/views/story/123"

    together = counts.get(path)[1]
    of_database = counts.get(path, "source=database")[1]
    of_redis = counts.get(path, "source=redis")[1]

    assert (together["view_count"], together["organic"]) == (53, {"synced": 50, "pending": 3})
    assert (of_database["view_count"], of_database["organic"]) == (50, {"synced": 50, "pending": 0})
    assert (of_redis["view_count"], of_redis["organic"]) == (3, {"synced": 0, "pending": 3})
    assert "source" not in together
    assert (of_database["source"], of_redis["source"]) == ("database", "redis")


def test_what_was_boosted_is_in_the_database(counts: Counts) -> None:
    """S2-21."""
    counts.put(boosted__video__abc123=1000)
    counts.track("video:abc123", 3)

    of_database = counts.get(query="source=database")[1]
    of_redis = counts.get(query="source=redis")[1]

    assert (of_database["boosted"], of_database["view_count"]) == (1000, 1000)
    assert (of_redis["boosted"], of_redis["view_count"], "disclosure" in of_redis) == (0, 3, False)


def test_an_unknown_source_is_400_and_named(counts: Counts) -> None:
    status, body = counts.get(query="source=disk")

    assert status == 400
    assert [error["field"] for error in body["errors"]] == ["source"]


def test_many_contents_are_answered_in_the_order_asked(counts: Counts) -> None:
    """S2-11, S2-19."""
    counts.put(organic__video__b=5, boosted__video__b=7)
    counts.track("video:a", 1)
    counts.track("story:b", 2, shard=9)
    items = [
        {"content_type": "video", "content_id": "b"},
        {"content_type": "video", "content_id": "a"},
        {"content_type": "story", "content_id": "b"},
        {"content_type": "video", "content_id": "b"},
    ]

    status, body = counts.get_many({"items": items})

    assert status == 200
    assert [{"content_type": each["content_type"], "content_id": each["content_id"]} for each in body["items"]] == items
    assert [each["view_count"] for each in body["items"]] == [12, 1, 2, 12]
    assert [each["organic"]["pending"] for each in body["items"]] == [0, 1, 2, 0]


@ON_A_CLUSTER_TOO
def test_a_service_is_answered_a_hundred_contents_and_anyone_twenty(counts: Counts) -> None:
    """S2-11. One more is refused."""
    items = [{"content_type": "video", "content_id": f"v{number}"} for number in range(101)]
    counts.put(organic__video__v7=5, boosted__video__v7=7)
    for number in range(100):
        counts.track(f"video:v{number}", number + 1, shard=number % 16)

    status, body = counts.of_services({"items": items[:100]})
    anyones = counts.get_many({"items": items[:20]})
    refused = [counts.of_services({"items": items}), counts.get_many({"items": items[:21]})]

    assert status == 200
    assert [each["organic"]["pending"] for each in body["items"]] == list(range(1, 101))
    assert anyones == (200, {"items": body["items"][:20]})
    for refusal, problem in refused:
        assert refusal == 400
        assert [error["field"] for error in problem["errors"]] == ["items"]


@pytest.mark.parametrize("query", ["", "source=redis", "source=database"])
@pytest.mark.parametrize("body", [{"items": [{"content_type": "video", "content_id": "abc123"}]}, {"items": []}])
def test_a_service_is_answered_exactly_as_anyone_is(counts: Counts, body: object, query: str) -> None:
    counts.put(organic__video__abc123=50, boosted__video__abc123=3)
    counts.track("video:abc123", 2)

    answers = [counts.get_many(body, query), counts.of_services(body, query)]

    assert answers[0] == answers[1]


def test_a_hundred_contents_are_for_services(counts: Counts) -> None:
    status, problem = counts.of_services({"items": [{"content_type": "video", "content_id": "a"}]}, role="user")

    assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"items": []}, "items"),
        ({}, "items"),
        ({"items": [{"content_type": "video", "content_id": "a"}], "all": True}, "all"),
        ({"items": [{"content_type": "video"}]}, "items.0.content_id"),
        ({"items": [{"content_type": "video", "content_id": 5}]}, "items.0.content_id"),
        (
            {"items": [{"content_type": "video", "content_id": "a"}, {"content_type": "film", "content_id": "a"}]},
            "items.1.content_type",
        ),
        ({"items": [{"content_type": "video", "content_id": "a\nb"}]}, "items.0.content_id"),
    ],
)
def test_a_wrong_item_is_400_and_named(counts: Counts, body: object, field: str) -> None:
    status, problem = counts.get_many(body)

    assert status == 400
    assert [error["field"] for error in problem["errors"]] == [field]


def test_without_redis_the_database_answers_and_says_that_it_is_alone(nowhere: Counts) -> None:
    """S2-33."""
    nowhere.put(organic__video__abc123=50, boosted__video__abc123=3)

    status, body = nowhere.get()
    _, many = nowhere.get_many({"items": [{"content_type": "video", "content_id": "abc123"}]})
    of_database = nowhere.get(query="source=database")[1]

    assert (status, body["view_count"], body["organic"]) == (200, 53, {"synced": 50, "pending": 0})
    assert body["degraded"] is True
    assert many["items"] == [body]
    assert (of_database["view_count"], "degraded" in of_database) == (53, False)


def test_what_redis_alone_has_cannot_be_told_without_it(nowhere: Counts) -> None:
    status, body = nowhere.get(query="source=redis")

    assert (status, body["code"]) == (503, "unavailable")


def test_a_count_is_not_degraded_while_redis_answers(counts: Counts) -> None:
    assert "degraded" not in counts.get()[1]


def test_shards_that_a_larger_number_left_behind_are_still_read(counts: Counts, aws: Account) -> None:
    store = SyncStore(aws.ref("ViewsTable"), aws.ref("TotalsTable"))
    store.move(None, Control(0, Phase.DONE, 0, "2026-11-20", 40, opened_at=NOON, closed_at=NOON))
    counts.track("video:abc123", 4, shard=39)

    assert counts.get()[1]["organic"] == {"synced": 0, "pending": 4}
