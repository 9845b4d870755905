"""`sam local`, where Docker answers: functions in AWS's image answer as the embedded stack does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local import bridge, build, sam_local
from local.paths import BIN, ROOT
from local.processes import Server
from tests.deployed import StackUnderTest
from tests.e2e.test_boosts import eventually
from tests.integration.harness import an_event
from tests.redis_servers import free_ports

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def docker(*words: str) -> bool:
    """Whether Docker's command succeeds. It is not asked in this process: its library leaves sockets open."""
    return shutil.which("docker") is not None and not subprocess.run(["docker", *words], capture_output=True).returncode


pytestmark = pytest.mark.skipif(not docker("version"), reason="no Docker engine answers")


@dataclass(frozen=True)
class SamLocal:
    """The command, on the files that `make up` would write."""

    files: Path
    options: tuple[str, ...]

    def command(self, *words: str) -> list[str]:
        files = ("--template-file", str(self.files / "template.json"), "--env-vars", str(self.files / "env.json"))
        # sam looks for it beside the template; it has the name by which a container finds this machine.
        config = ("--config-file", str(ROOT / "samconfig.toml"))
        return [str(BIN / "sam"), "local", *words, *files, *config, *self.options]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"SAM_CLI_TELEMETRY": "0"}

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        (self.files / "event.json").write_text(json.dumps(event))
        done = subprocess.run(
            self.command("invoke", function, "--event", str(self.files / "event.json")),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def sam(stack: StackUnderTest, tmp_path_factory: pytest.TempPathFactory) -> SamLocal:
    files = tmp_path_factory.mktemp("sam")
    with build.built(build.this_architecture()) as built:
        sam_local.write(stack.embedded.deployed, stack.embedded.port, built.template, files)
    template = json.loads((files / "template.json").read_text())
    for resource in template["Resources"].values():
        resource.get("Properties", {}).pop("Timeout", None)
    template["Globals"]["Function"]["Timeout"] = 120  # what a busy machine may take
    (files / "template.json").write_text(json.dumps(template))
    if not stack.embedded.open_to_containers():
        assert sys.platform != "linux" or bridge.address() is None
    image = f"public.ecr.aws/lambda/python:3.13-{build.this_architecture()}"
    return SamLocal(files, ("--skip-pull-image",) if docker("image", "inspect", image) else ())


@pytest.fixture(scope="module")
def api(sam: SamLocal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """`sam local start-api`."""
    (port,) = free_ports(1)
    url, server = f"http://127.0.0.1:{port}", Server("start-api", tmp_path_factory.mktemp("api"))

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/nothing", trust_env=False).status_code > 0
        except httpx.TransportError:
            return False

    command = sam.command("start-api", "--port", str(port))
    server.start(command, sam.environment, answers)
    try:
        with httpx.Client(base_url=url, timeout=600, trust_env=False) as client:
            yield client
    finally:
        server.stop()


def test_a_count_a_view_and_a_step_as_the_embedded_stack_has_them(
    stack: StackUnderTest, sam: SamLocal, anyone: httpx.Client
) -> None:
    def track() -> tuple[str, dict[str, Any]]:
        video = uuid4().hex
        view = an_event("views/track/api-track")
        view["body"] = json.dumps({"content_type": "video", "content_id": video})
        return video, json.loads(sam.invoke("ViewsTrackApiFunction", view)["body"])

    # On a busy machine Redis may take longer than the tenth of a second that it is given.
    video, told = eventually(track, lambda tracked: tracked[1].keys() == {"counted", "session"})
    asked = an_event("views/counts/api-get")
    asked["rawPath"] = asked["requestContext"]["http"]["path"] = f"/api/views/video/{video}"
    counted = sam.invoke("ViewsCountsApiFunction", asked)
    stepped = sam.invoke("BoostsWorkerFunction", an_event("boosts/worker-steps"))

    assert told["counted"] is True
    assert json.loads(counted["body"]) == anyone.get(f"/api/views/video/{video}").json()
    assert json.loads(counted["body"])["organic"]["pending"] == 1
    assert stepped == {"batchItemFailures": []}


def test_start_api_answers_as_the_embedded_stack_does(stack: StackUnderTest, api: httpx.Client) -> None:
    """It passes the names of headers as the client writes them: a browser is a person, and a token is found."""

    def track() -> tuple[dict[str, str], httpx.Response]:
        view = {"content_type": "video", "content_id": uuid4().hex}
        return view, api.post("/api/views", json=view, headers={"User-Agent": BROWSER})

    limits = "/api/admin/fake-views/limits"
    bearer = {"Authorization": f"Bearer {stack.token('admin')}"}

    view, counted = eventually(track, lambda tracked: tracked[1].json().keys() == {"counted", "session"})
    again = api.post("/api/views", json=view, headers={"User-Agent": "else", "Cookie": counted.headers["set-cookie"]})
    bot = api.post("/api/views", json=view, headers={"User-Agent": "Googlebot/2.1"})
    shown = api.get(f"/api/views/video/{view['content_id']}")
    admitted, refused = api.get(limits, headers=bearer), api.get(limits)

    assert counted.json()["counted"] is True
    assert again.json()["reasons"] == ["cooldown", "daily_viewed"]
    assert bot.json()["reasons"] == ["bot"]
    assert shown.json()["view_count"] == 1
    with stack.http() as embedded:
        assert admitted.json() == embedded.get(limits).json()
    assert refused.status_code == 401
