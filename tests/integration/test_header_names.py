"""Every function knows a header by its name, however the client wrote the name: `sam local` passes it as it came."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import Answer, Functions, an_event
from tests.integration.track_function import TrackFunction, a_view
from tests.redis_servers import Servers
from tests.template_reader import ROOT

EVENTS = {str(path.relative_to(ROOT / "events").with_suffix("")) for path in (ROOT / "events").rglob("*.json")}
# But for the Function URL's: its handler is that of the API's tracking. And providers' bodies are judged by signatures.
_OTHERS = {"views/track/url"} | {name for name in EVENTS if name.startswith("broadcasts/webhooks/")}
WITH_A_BODY = sorted({name for name in EVENTS if {"body", "routeKey"} <= an_event(name).keys()} - _OTHERS)
# Of broadcasts, sponsorships and promotions what needs nothing beforehand: one event of each function, if there is one.
_NEED_A_CAMPAIGN = {name for name in EVENTS if name.startswith(("broadcasts/", "promotions/", "sponsorships/"))} - {
    "broadcasts/lists/api-createinstance",
    "promotions/api-create",
    "sponsorships/api-create",
    "sponsorships/monitoring/api-fullcheck",
}
WITH_A_KEY = sorted(
    name for name in EVENTS - _NEED_A_CAMPAIGN if "idempotency-key" in an_event(name).get("headers", {})
)
NAMES = [str.title, str.upper]


def as_written(event: dict[str, Any], write: Any, **more: str) -> dict[str, Any]:
    headers = event["headers"] | {name.replace("_", "-"): value for name, value in more.items()}
    return event | {"headers": {write(name): value for name, value in headers.items()}}


@pytest.mark.parametrize("write", NAMES)
@pytest.mark.parametrize("file", WITH_A_BODY)
def test_the_content_type_is_looked_at(functions: Functions, file: str, write: Any) -> None:
    event = as_written(an_event(file), write, content_type="text/html")
    event["requestContext"]["authorizer"] = {"lambda": {"subject": "ada", "role": "admin"}}

    answer = Answer.of(functions.call(functions.of(file), event))

    assert (answer.status, answer.fields) == (400, ["Content-Type"])


@pytest.mark.parametrize("write", NAMES)
@pytest.mark.parametrize("file", WITH_A_KEY)
def test_an_idempotency_key_is_found(functions: Functions, file: str, write: Any) -> None:
    event = as_written(an_event(file), write)
    event["body"] = event["body"].replace("-5", "5")  # an adjustment of what has no views yet
    if file == "wallets/api-withdraw":  # from a wallet that has nothing yet
        functions.call(functions.of(file), an_event("wallets/api-deposit"))

    first, again = (Answer.of(functions.call(functions.of(file), event)) for _ in range(2))

    assert first.status == again.status, first.body
    assert first.status in (201, 202), first.body
    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("write", NAMES)
def test_tracking_knows_agent_token_session_and_wish(servers: Servers, write: Any) -> None:
    """S2-37. The session comes apart as `cookies`, and from `sam local` also as a header."""
    function = TrackFunction.on(servers, HONOUR_DO_NOT_TRACK="true")
    counted = function.call(as_written(a_view("1"), write))
    returning = a_view("1", cookie=counted.session, address="198.51.100.7")

    bot = function.call(as_written(a_view("1"), write, user_agent="Googlebot"))
    wish = function.call(as_written(a_view("1"), write, dnt="1"))
    again = function.call(as_written(returning, write, cookie="; ".join(returning["cookies"])))
    known = function.call(as_written(a_view("1", subject="ada"), write))

    assert counted.body["counted"] is True
    assert (bot.body["reasons"], wish.body["reasons"]) == (["bot"], ["do_not_track"])
    assert again.body["reasons"] == ["cooldown", "daily_viewed"]
    assert known.body["counted"] is True


def test_one_place_reads_the_headers_of_a_request() -> None:
    """So that no other forgets the case of their names."""
    readers = {
        str(path.relative_to(ROOT))
        for folder in ("functions", "layers")
        for path in (ROOT / folder).rglob("*.py")
        if _reads_headers(path)
    }

    assert readers == {"layers/kernel/sluice/envelope.py"}


def _reads_headers(path: Path) -> bool:
    """Whether it takes `headers` out of an event."""

    def reads(node: ast.AST) -> bool:
        match node:
            case ast.Subscript(slice=ast.Constant(value="headers"), ctx=ast.Load()):
                return True
            case ast.Attribute(value=owner, attr="headers"):
                return ast.unparse(owner).endswith("event")
        return False

    return any(reads(node) for node in ast.walk(ast.parse(path.read_text())))
