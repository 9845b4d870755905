"""View counts, on their event file."""

import json
from typing import Any

import pytest

from tests.account import Account
from tests.integration.conftest import Functions
from tests.integration.console import an_event


class Counts:
    """A viewer without a token, and the totals that he is shown."""

    def __init__(self, aws: Account, functions: Functions) -> None:
        self._aws = aws
        self._functions = functions

    def put(self, **totals: int) -> None:
        """Counters, by keys in which `__` stands for `#`."""
        for key, views in totals.items():
            item = {"key": {"S": key.replace("__", "#")}, "views": {"N": str(views)}}
            self._aws.client("dynamodb").put_item(TableName=self._aws.ref("TotalsTable"), Item=item)

    def get(self, path: str = "/api/views/video/abc123", query: str = "") -> tuple[int, dict[str, Any]]:
        event = an_event("views/counts-get")
        assert "authorizer" not in event["requestContext"]
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["rawQueryString"] = query
        answer = self._functions.call("ViewsCountsFunction", event)
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def counts(aws: Account, functions: Functions) -> Counts:
    return Counts(aws, functions)


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
