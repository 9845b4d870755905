"""What docs/cost.md takes a view's answer to be."""

import json

import pytest

from local.cost import ANSWER_BYTES
from tests.integration.track_function import TrackFunction
from tests.redis_servers import Servers

GATEWAY_BYTES = 100
"""Date, content length and request id, which the gateway adds."""

pytestmark = pytest.mark.usefixtures("patient")


def test_the_answers_to_tracked_views_are_no_larger_than_their_price_takes_them_to_be(servers: Servers) -> None:
    function = TrackFunction.on(servers)

    answers = [function.view(str(number)) for number in range(10)]

    sizes = [
        len(json.dumps(answer.body, separators=(",", ":")))
        + sum(len(f"{name}: {value}\r\n") for name, value in answer.headers.items())
        + sum(len(f"set-cookie: {cookie}\r\n") for cookie in answer.cookies)
        for answer in answers
    ]
    assert all(answer.body["counted"] for answer in answers)
    assert ANSWER_BYTES / 2 < max(sizes) + GATEWAY_BYTES <= ANSWER_BYTES
