"""The parameters of the template: what they accept."""

import re

import pytest

from local.routes import unconditional
from tests.template_reader import source


@pytest.mark.parametrize(
    ("url", "is_accepted"),
    [
        ("", True),
        ("redis://127.0.0.1:6379", True),
        ("redis://[::1]:6379", True),
        ("rediss://ada:pass%2Fword@cache.example.org:6379/0?ssl_cert_reqs=none", True),
        ("cache.example.org:6379", False),
        # The client would take `pass` for a port, and quote it in its error.
        ("redis://ada:pass/word@127.0.0.1:6379", False),
        ("redis://ada:pass?word@127.0.0.1:6379", False),
        ("redis://ada:pass#word@127.0.0.1:6379", False),
    ],
)
def test_an_address_of_redis_that_an_error_would_quote_is_refused(url: str, is_accepted: bool) -> None:
    pattern = source()["Parameters"]["RedisUrl"]["AllowedPattern"]

    assert (re.fullmatch(pattern, url) is not None) == is_accepted


def test_every_throttle_comes_to_a_number() -> None:
    """CloudFormation knows no type of what is in RouteSettings, so it would take any text for a limit."""
    template = source()
    stage, parameters = template["Resources"]["Api"]["Properties"], template["Parameters"]
    limits = [
        value
        for settings in (stage["DefaultRouteSettings"], *stage["RouteSettings"].values())
        for value in unconditional(settings)[1].values()
    ]

    of_parameters = [parameters[each["Ref"]] for each in limits if isinstance(each, dict)]
    assert {each["Type"] for each in of_parameters} == {"Number"}
    found = [*(each["Default"] for each in of_parameters), *(each for each in limits if not isinstance(each, dict))]
    assert len(found) == len(limits)
    assert all(type(each) is int and each > 0 for each in found)
    assert all(each["MinValue"] > 0 for each in of_parameters)
