"""The commands of docs/operations.md: each is one that there is, and listings find what they are said to find."""

import re
import shlex
from typing import Any

import click
import pytest

from sluice_cli.main import tree
from tests.integration.track_function import TrackFunction, a_view
from tests.redis_servers import Servers, single
from tests.template.project import real
from tests.template_reader import ROOT
from views import keys

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", OPERATIONS, flags=re.DOTALL)).replace("\\\n", " ")
CODE = [*BLOCKS.splitlines(), *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", OPERATIONS, flags=re.DOTALL))]
CURLS = [line for line in CODE if line.startswith("curl ")]
REDIS = sorted({found for line in CODE for found in re.findall(r'redis-cli -u "\$REDIS_URL" [^;#]+', line)})
OF_THE_CLIENT = ("--bigkeys",)
"""What no server answers."""

pytestmark = pytest.mark.usefixtures("patient")


def path_of(line: str) -> tuple[str, str]:
    """Method and path of a curl command."""
    method = re.search(r"-X (\w+)", line)
    url = re.search(r'"\$API_URL([^"?]*)', line)
    assert url, line
    return method[1] if method else "GET", url[1]


def is_a_route(method: str, path: str) -> bool:
    return any(
        route.partition(" ")[0] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.partition(" ")[2]), path)
        for route in real().routes()
    )


def asked(command: str, servers: Servers) -> Any:
    """What the server answers to a line of redis-cli."""
    _, _, _, *words = shlex.split(command.replace("{v$n}", "{v00}"))
    (client,) = servers.clients()
    with client:
        if words[0] == "--scan":
            return list(client.scan_iter(match=words[2]))
        return client.execute_command(*words)


def test_every_call_of_the_api_is_to_a_route_that_there_is() -> None:
    """S2-39."""
    calls = [path_of(line) for line in CURLS]

    assert [call for call in calls if not is_a_route(*call)] == []
    assert {("GET", "/api/admin/views/stats"), ("POST", "/api/views")} <= set(calls)
    assert not is_a_route("GET", "/api/admin/nothing")


def test_every_target_of_make_is_one_that_there_is() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    named = {line.split()[1] for line in CODE if line.startswith("make ")}

    assert named - targets == set()
    assert {"logs", "rotate-impressions", "token"} <= named


def test_every_command_of_sluice_is_one_that_there_is() -> None:
    """S2-40: the statistics and the forced sync."""
    words = [re.split(r"[|]", line)[-1].split() for line in CODE if re.search(r"(^|[|] )sluice \w", line)]
    named = {tuple(each for each in line[1:] if not each.startswith(("-", "<"))) for line in words}

    assert [line for line in named if not is_a_command(line)] == []
    assert {("views", "stats"), ("views", "sync"), ("redrive", "views")} <= named
    assert ["sluice", "views", "sync", "--force", "--watch"] in words
    assert not is_a_command(("views", "nothing"))


def is_a_command(words: tuple[str, ...]) -> bool:
    found = tree.get_command(click.Context(tree), words[0])
    if isinstance(found, click.Group):
        return words[1:2] != () and words[1] in found.commands
    return found is not None


@pytest.mark.parametrize("command", [each for each in REDIS if not each.strip().endswith(OF_THE_CLIENT)])
def test_every_command_for_redis_is_one_that_it_takes(command: str, single_server: Servers) -> None:
    """S2-39, S2-40."""
    single_server.flush()

    asked(command, single_server)


def test_the_listings_find_pending_views_and_viewers() -> None:
    """S2-40: `*:views:*`, `story:views:*`, and who viewed today."""
    of_contents, of_stories, of_viewers = (
        next(each for each in REDIS if name in each) for name in ('HGETALL "{v$n}:pending', "story:*", ":anon:*")
    )
    with single() as servers:
        # One shard, so that everybody is on the first.
        function = TrackFunction.on(servers, VIEW_SHARDS="1")
        function.view("123")
        function.call(a_view(body={"content_type": "video", "content_id": "abc"}))

        pending = asked(of_contents, servers)
        _, stories = asked(of_stories, servers)
        viewers = asked(of_viewers, servers)

    assert pending == {b"story:123": b"2026-11-20:1;", b"video:abc": b"2026-11-20:1;"}
    assert stories == {b"story:123": b"2026-11-20:1;"}
    assert len(viewers) == 1


def test_every_key_that_is_named_is_one_of_ours() -> None:
    shard = {
        name(0)
        for name in (keys.pending, keys.syncing, keys.parked, keys.refused, keys.stats, keys.epoch, keys.registered)
    }

    named = set(re.findall(r"\{v00\}:\w+", BLOCKS)) | {"{v00}:pending"}

    assert named <= shard
    assert len(named) >= 6
