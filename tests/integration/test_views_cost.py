"""What docs/cost.md takes the answers of open routes to be: a view's, and the largest of each."""

import json
from datetime import timedelta
from typing import Any

import pytest

from local import cost
from local.cost import ANSWER_BYTES
from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Answer, Functions, Harness, an_event
from tests.integration.track_function import TrackFunction
from tests.redis_servers import Servers

GATEWAY_BYTES = 100
"""Date, content length and request id, which the gateway adds."""
LONGEST = "x" * 128
"""A content's id."""
# Names that the caller made up, of which each character is two in JSON.
UNKNOWN: dict[str, Any] = {f"{number:03}" + '"' * 200: 1 for number in range(100)}

pytestmark = pytest.mark.usefixtures("patient")


def size_of(answer: Answer) -> int:
    """The bytes that go out to the internet."""
    return (
        len(json.dumps(answer.body, separators=(",", ":")))
        + sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())
        + sum(len(f"set-cookie: {cookie}\r\n") for cookie in answer.cookies)
        + GATEWAY_BYTES
    )


def taken(route: str) -> list[int]:
    """The sizes that docs/cost.md reckons with, in the order of the route's requests."""
    return [request.answer_bytes for request in cost.OPEN[route]]


def test_the_answers_to_tracked_views_are_no_larger_than_their_price_takes_them_to_be(servers: Servers) -> None:
    function = TrackFunction.on(servers)

    answers = [function.view(str(number)) for number in range(10)]

    assert all(answer.body["counted"] for answer in answers)
    assert ANSWER_BYTES / 2 < max(map(size_of, answers)) <= ANSWER_BYTES


def test_a_refused_view_and_a_refused_body_are_answered_in_few_bytes(servers: Servers) -> None:
    """However long the names are that the caller made up."""
    function = TrackFunction.on(servers)

    answer = function.view(body={"content_type": "story", "content_id": "1"} | UNKNOWN)
    query = function.view(query="&".join(f"{name}=" for name in UNKNOWN).replace('"', "%22"))

    assert (answer.status, query.status) == (400, 400)
    assert max(size_of(answer), size_of(query)) <= taken("POST /api/views")[1]


def test_a_batch_at_its_largest_is_answered_in_few_bytes(servers: Servers) -> None:
    """Every rule refuses each of fifty views; each of fifty has more wrong fields than can be named."""
    function = TrackFunction.on(servers, MAX_VIEWS_PER_DAY="50", MAX_VIEWS_PER_SESSION="1")
    views = [{"content_type": "story", "content_id": f"{number:0128}"} for number in range(1, 51)]
    session = function.views(*views).session

    refused = function.views(*views, session=session, at=NOON + timedelta(seconds=1))
    wrong = function.views(*[{"content_type": "story", "content_id": "1"} | dict(list(UNKNOWN.items())[:5])] * 50)

    assert {tuple(view["reasons"]) for view in refused.body["views"]} == {
        ("cooldown", "daily_viewed", "session_limit", "daily_limit")
    }
    assert all(len(view["errors"]) == 2 for view in wrong.body["views"])
    sizes = [size_of(refused), size_of(wrong)]
    assert [size for size, most in zip(sizes, taken("POST /api/views/batch"), strict=True) if size > most] == []


def test_counts_at_their_largest_are_answered_in_few_bytes(
    aws: Account, functions: Functions, servers: Servers
) -> None:
    aws.choose(RedisUrl=servers.url, RedisMode=servers.mode)
    harness = Harness(aws, functions, clock=None)
    items = [{"content_type": "outcome", "content_id": f"{number:02}{LONGEST[2:]}"} for number in range(20)]
    for key in [f"{kind}#outcome#{item['content_id']}" for item in items for kind in ("organic", "boosted")]:
        item = {"key": {"S": key}, "views": {"N": str(10**9)}}
        aws.client("dynamodb").put_item(TableName=aws.ref("TotalsTable"), Item=item)

    def ask(body: object) -> Answer:
        event = an_event("views/counts/api-bulk") | {"body": json.dumps(body)}
        return Answer.of(harness.invoke("views/counts/api-bulk", event))

    def ask_one(query: str = "") -> Answer:
        event = an_event("views/counts/api-get")
        event["rawPath"] = event["requestContext"]["http"]["path"] = f"/api/views/outcome/{items[0]['content_id']}"
        event |= {"rawQueryString": query}
        return Answer.of(harness.invoke("views/counts/api-get", event))

    one, one_wrong = ask_one(), ask_one("&".join(f"{number}{'%22' * 99}=" for number in range(99)))
    many, many_wrong = ask({"items": items}), ask({"items": items} | UNKNOWN)

    assert [answer.status for answer in (one, one_wrong, many, many_wrong)] == [200, 400, 200, 400]
    sizes = [size_of(answer) for answer in (one, one_wrong, many, many_wrong)]
    reckoned = [*taken("GET /api/views/{content_type}/{content_id}"), *taken("POST /api/views/counts")]
    assert [size for size, most in zip(sizes, reckoned, strict=True) if size > most] == []
