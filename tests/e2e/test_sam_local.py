"""`sam local`, where Docker answers: functions in AWS's image answer as the embedded stack does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import httpx
import pytest
from docker.errors import DockerException, ImageNotFound

from local import bridge, build, sam_local
from local.paths import BIN, ROOT
from local.processes import Server
from tests.e2e.conftest import StackUnderTest
from tests.integration.harness import an_event
from tests.redis_servers import free_ports

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def docker_answers() -> bool:
    try:
        return bool(docker.from_env().ping())
    except DockerException:
        return False


pytestmark = pytest.mark.skipif(not docker_answers(), reason="no Docker engine answers")


@dataclass(frozen=True)
class SamLocal:
    """The command, on the files that `make up` would write."""

    files: Path
    options: tuple[str, ...]

    def command(self, *words: str) -> list[str]:
        files = ("--template-file", str(self.files / "template.json"), "--env-vars", str(self.files / "env.json"))
        return [str(BIN / "sam"), "local", *words, *files, *self.options]

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
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def sam(stack: StackUnderTest, tmp_path_factory: pytest.TempPathFactory) -> SamLocal:
    files = tmp_path_factory.mktemp("sam")
    with build.built(build.this_architecture()) as built:
        sam_local.write(stack.embedded.deployed, stack.embedded.port, built.template, files)
    if not stack.embedded.open_to_containers():
        assert sys.platform != "linux" or bridge.address() is None
    image = f"public.ecr.aws/lambda/python:3.13-{build.this_architecture()}"
    try:
        docker.from_env().images.get(image)
    except ImageNotFound:
        return SamLocal(files, ())
    return SamLocal(files, ("--skip-pull-image",))


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

    command = sam.command("start-api", "--port", str(port), "--config-file", str(ROOT / "samconfig.toml"))
    server.start(command, sam.environment, answers)
    try:
        with httpx.Client(base_url=url, timeout=600, trust_env=False) as client:
            yield client
    finally:
        server.stop()


def test_a_count_a_view_and_a_step_as_the_embedded_stack_has_them(
    stack: StackUnderTest, sam: SamLocal, anyone: httpx.Client
) -> None:
    video = uuid4().hex
    view = an_event("views/track/api-track")
    view["body"] = json.dumps({"content_type": "video", "content_id": video})
    asked = an_event("views/counts/api-get")
    asked["rawPath"] = asked["requestContext"]["http"]["path"] = f"/api/views/video/{video}"

    tracked = sam.invoke("ViewsTrackApiFunction", view)
    counted = sam.invoke("ViewsCountsApiFunction", asked)
    stepped = sam.invoke("BoostsWorkerFunction", an_event("boosts/worker-steps"))

    told = json.loads(tracked["body"])
    assert (told["counted"], "degraded" in told) == (True, False)
    assert json.loads(counted["body"]) == anyone.get(f"/api/views/video/{video}").json()
    assert json.loads(counted["body"])["organic"]["pending"] == 1
    assert stepped == {"batchItemFailures": []}


def test_start_api_answers_as_the_embedded_stack_does(stack: StackUnderTest, api: httpx.Client) -> None:
    """It passes the names of headers as the client writes them: a browser is a person, and a token is found."""
    view = {"content_type": "video", "content_id": uuid4().hex}
    limits = "/api/admin/fake-views/limits"
    bearer = {"Authorization": f"Bearer {stack.token('admin')}"}

    counted = api.post("/api/views", json=view, headers={"User-Agent": BROWSER})
    again = api.post("/api/views", json=view, headers={"User-Agent": "else", "Cookie": counted.headers["set-cookie"]})
    bot = api.post("/api/views", json=view, headers={"User-Agent": "Googlebot/2.1"})
    shown = api.get(f"/api/views/video/{view['content_id']}")
    admitted, refused = api.get(limits, headers=bearer), api.get(limits)

    assert counted.json().keys() == {"counted", "session"}
    assert counted.json()["counted"] is True
    assert again.json()["reasons"] == ["cooldown", "daily_viewed"]
    assert bot.json()["reasons"] == ["bot"]
    assert shown.json()["view_count"] == 1
    with stack.http() as embedded:
        assert admitted.json() == embedded.get(limits).json()
    assert refused.status_code == 401
