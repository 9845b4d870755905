"""The embedded stack itself: what `make up`, `make down`, `make token` and `sluice redrive` promise."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
import pytest
import redis

from local import build, sam_local, tokens
from local.errors import LocalError
from local.logs import follow
from local.stack import EmbeddedStack, temporary, write_env
from tests.deployed import StackUnderTest
from tests.e2e.conftest import STOP
from tests.e2e.test_boosts import eventually

LIMITS = "/api/admin/fake-views/limits"


def test_no_token_is_401_a_bad_one_403_an_unknown_route_404(stack: StackUnderTest, admin: httpx.Client) -> None:
    with stack.http(role=None) as anonymous:
        missing = anonymous.get(LIMITS)
        bad = anonymous.get(LIMITS, headers={"authorization": "Bearer nonsense"})
    unknown = admin.get("/api/admin/nothing-here")

    assert (missing.status_code, bad.status_code, unknown.status_code) == (401, 403, 404)
    assert all(set(answer.json()) == {"message"} for answer in (missing, bad, unknown))


def test_a_minted_token_opens_the_admin_routes_and_counts_are_open_to_all(
    stack: StackUnderTest, admin: httpx.Client
) -> None:
    with stack.http(role=None) as anonymous:
        assert anonymous.get("/api/views/video/never-seen").status_code == 200

    assert admin.get(LIMITS).status_code == 200


def test_a_token_signed_with_another_secret_is_refused(stack: StackUnderTest) -> None:
    claims = {"sub": "mallory", "role": "admin", "aud": "sluice", "iat": int(time.time()), "exp": int(time.time()) + 60}
    forged = jwt.encode(claims, "not the stack's secret, though it is long enough", algorithm="HS256")

    with stack.http(role=None) as anonymous:
        answer = anonymous.get(LIMITS, headers={"authorization": f"Bearer {forged}"})

    assert answer.status_code == 403


def test_a_token_carries_what_was_asked_for(stack: StackUnderTest) -> None:
    token = tokens.mint(stack.embedded.deployed, "operator", "ada", hours=2)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["role"], claims["aud"]) == ("ada", "operator", "sluice")
    assert claims["exp"] - claims["iat"] == 7200


def test_a_viewers_token_names_a_viewer_and_opens_nothing(stack: StackUnderTest) -> None:
    token = stack.token("viewer", "ada")
    view = {"content_type": "video", "content_id": "of-two-kinds"}

    def viewed(of: str, browser: str) -> bool:
        sent = {"authorization": f"Bearer {of}", "user-agent": browser}
        with stack.http(role=None) as anonymous:
            return bool(anonymous.post("/api/views", json=view, headers=sent).json()["counted"])

    with stack.http(role=None) as anonymous:
        refused = anonymous.get(LIMITS, headers={"authorization": f"Bearer {token}"})
    as_viewer = [viewed(token, browser) for browser in ("Firefox/1", "Firefox/2")]
    as_nobody = [viewed(stack.token("admin", "ada"), browser) for browser in ("Firefox/3", "Firefox/4")]

    assert refused.status_code == 403
    assert as_viewer == [True, False]
    assert as_nobody == [True, True]


def test_an_unknown_role_is_refused_with_the_known_ones(stack: StackUnderTest) -> None:
    with pytest.raises(LocalError, match="ROLE=root is not a role: give one of admin, operator, service, user, viewer"):
        tokens.mint(stack.embedded.deployed, "root")


def test_the_env_file_can_be_sourced_and_its_names_are_enough_for_curl(stack: StackUnderTest, tmp_path: Path) -> None:
    write_env(stack.embedded, tmp_path / "env")

    shown = subprocess.run(
        ["bash", "-ceu", f"source '{tmp_path / 'env'}'; env"], env={}, capture_output=True, text=True, check=True
    )
    names = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
    assert all(
        line.startswith("export ") and line.endswith("'") for line in (tmp_path / "env").read_text().splitlines()
    )
    assert (tmp_path / "env").stat().st_mode & 0o077 == 0
    assert names["API_URL"] == names["SLUICE_URL"] == stack.api_url
    assert names["ADMIN_TOKEN"] == names["SLUICE_TOKEN"]
    assert names["AWS_ENDPOINT_URL"] == stack.embedded.endpoint_url
    assert names["REDIS_URL"].startswith("redis")
    assert {"STACK_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"} <= names.keys()
    for token in ("ADMIN_TOKEN", "OPERATOR_TOKEN"):
        headers = {"authorization": f"Bearer {names[token]}"}
        assert httpx.get(f"{names['API_URL']}{LIMITS}", headers=headers, trust_env=False).status_code == 200


def test_the_files_for_sam_local_give_every_function_its_variables_and_the_way_to_the_stack(
    stack: StackUnderTest, tmp_path: Path
) -> None:
    with build.built(build.this_architecture()) as built:
        sam_local.write(stack.embedded.deployed, stack.embedded.port, built.template, tmp_path)

    values = json.loads((tmp_path / "env.json").read_text())
    template = json.loads((tmp_path / "template.json").read_text())
    way = values.pop("Parameters")
    declared = template["Globals"]["Function"]["Environment"]["Variables"].keys()
    functions = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function" and name in stack.resources  # without conditional ones
    }
    assert way["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{stack.embedded.port}"
    assert way.keys() <= declared
    assert {name: variables.keys() for name, variables in values.items()} == {
        name: (declared | function["Environment"]["Variables"].keys()) - way.keys()
        for name, function in functions.items()
    }
    assert values["BoostsApiFunction"]["BOOSTS_TABLE"] == stack.resources["BoostsTable"]
    assert values["ViewsTrackApiFunction"]["REDIS_URL"] == f"redis://host.docker.internal:{stack.embedded.redis_port}"
    console = functions.pop("ConsoleSiteFunction")
    assert (Path(console["CodeUri"]) / "serve.py").is_file()
    assert all((Path(function["CodeUri"]) / "boosts").is_dir() for function in functions.values())


def test_redis_answers(stack: StackUnderTest) -> None:
    assert redis.Redis.from_url(stack.embedded.redis_url).ping()


def test_deploying_what_is_deployed_does_nothing(stack: StackUnderTest) -> None:
    assert stack.embedded.deploy() is False


def test_parameters_stay_and_one_that_the_template_does_not_have_is_told_before_anything_is_deployed(
    stack: StackUnderTest,
) -> None:
    """sam would ignore it, and a word with a wrong letter would look as if it had been set."""
    again = EmbeddedStack.at(stack.embedded.directory)
    mistaken = EmbeddedStack.at(stack.embedded.directory)
    mistaken.overrides["WithLife"] = "false"

    with pytest.raises(LocalError, match="The template has no parameter WithLife"):
        mistaken.deploy()

    assert again.overrides == stack.embedded.overrides
    assert again.deploy() is False


def test_dead_letters_are_put_back_on_the_queue(stack: StackUnderTest) -> None:
    bodies = {
        "BoostsDeadLetters": json.dumps({"campaign_id": "bst_01ARZ3NDEKTSV4RRFFQ69G5FAV", "step": 1}),
        "ViewsDeadLetters": json.dumps({"epoch": 1, "step": 0}),
    }
    for dead_letters, body in bodies.items():
        stack.client("sqs").send_message(QueueUrl=stack.resources[dead_letters], MessageBody=body)

    stack.client("sqs").send_message(
        QueueUrl=stack.resources["BoostsDeadLetters"],
        MessageBody=json.dumps({"campaign_id": "bst_01ARZ3NDEKTSV4RRFFQ69G5FAV", "step": 2}),
        MessageAttributes={"kind": {"StringValue": "odd", "DataType": "String"}},
    )

    first, second = stack.sluice("redrive"), stack.sluice("redrive")

    assert first.splitlines() == ["boosts  2 moved, 0 left", "views  1 moved, 0 left"]
    assert second == ""
    assert "DEAD_LETTERS_REDRIVEN" in stack.sluice("audit", "list", "--entity", "redrives", role="operator")


def test_nothing_is_redriven_while_the_platform_is_stopped(stack: StackUnderTest, stopping: httpx.Client) -> None:
    stopping.post(STOP, json={"reason": "wrong prices"}).raise_for_status()

    answer = stopping.post("/api/admin/redrive", json={"queue": "boosts"})

    assert (answer.status_code, answer.json()["code"]) == (409, "stopped")


def test_the_logs_show_what_the_functions_say(stack: StackUnderTest, admin: httpx.Client) -> None:
    admin.get(LIMITS)

    lines = list(follow(stack.embedded.deployed, minutes=10, forever=False))

    assert lines
    assert not any("REPORT RequestId" in line for line in lines)


def test_a_taken_port_is_named_with_what_to_do(stack: StackUnderTest, tmp_path: Path) -> None:
    second = EmbeddedStack.at(tmp_path, stack.embedded.port)

    with pytest.raises(LocalError, match=rf"Port {stack.embedded.port} is taken .*make up PORT=\d+"):
        second.start()

    second.stop()


def test_stopping_and_starting_keeps_the_data_and_the_routes(stack: StackUnderTest, admin: httpx.Client) -> None:
    table = stack.table("RequestsTable")
    table.put_item(Item={"key": "kept", "value": 5})
    redis.Redis.from_url(stack.embedded.redis_url).set("kept", 5)
    before = admin.get(LIMITS)

    stack.stop()
    with pytest.raises(httpx.ConnectError):
        admin.get(LIMITS)
    stack.start()

    assert table.get_item(Key={"key": "kept"})["Item"]["value"] == 5
    assert redis.Redis.from_url(stack.embedded.redis_url).get("kept") == b"5"
    assert admin.get(LIMITS).json() == before.json()
    assert stack.embedded.deploy() is False


def test_after_a_restart_the_outbox_is_relayed_and_not_left_to_the_sweeper(
    stack: StackUnderTest, admin: httpx.Client
) -> None:
    def deposit() -> None:
        key = {"Idempotency-Key": uuid4().hex}
        terms = {"amount": 100, "currency": "USD", "reference": "test"}
        assert admin.post("/api/v1/wallets/saver/deposits", json=terms, headers=key).status_code == 201

    def relayed() -> int:  # since the start, which begins a new log
        log = (stack.embedded.directory / "ministack.log").read_text()
        return sum(map(int, re.findall(r"OperationsOutboxRelayFunction\S* processed (\d+)", log)))

    for _ in range(10):
        deposit()
    eventually(relayed, lambda events: events >= 10)
    stack.stop()
    stack.start()

    deposit()
    eventually(relayed, bool)


def test_a_stack_whose_server_was_killed_starts_again_and_leaves_nothing_behind() -> None:
    with temporary("test-killed") as embedded:
        embedded.start()
        os.kill(int((embedded.directory / "ministack.pid").read_text()), signal.SIGKILL)
        embedded.stop()
        assert not embedded.is_running()

        embedded.start()

        assert embedded.is_running()
        assert embedded.deployed.exists() is False
    assert not embedded.is_running()
    assert not embedded.directory.exists()
