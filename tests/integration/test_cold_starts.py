"""Every event as the first thing that a new environment is asked: nothing may rest on what another request left."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine

from sluice import dynamodb
from sluice.dynamodb import Bound
from tests.account import Account
from tests.integration.harness import Functions
from tests.redis_servers import Servers
from tests.template_reader import ROOT, translated

EVENTS = sorted(path.relative_to(ROOT / "events") for path in (ROOT / "events").rglob("*.json"))
FUNCTIONS = {
    resource["Properties"]["Handler"].removesuffix(".handler"): name
    for name, resource in translated()["Resources"].items()
    if resource["Type"] == "AWS::Lambda::Function"
}
"""By their modules."""


def models(model: type[Bound] = Bound) -> Iterator[type[Bound]]:
    for each in model.__subclasses__():
        yield each
        yield from models(each)


@contextmanager
def nothing_bound(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a process that has just begun: no model knows its table."""
    with monkeypatch.context() as patch:
        for model in models():
            if "table_name" in vars(model.Meta):
                patch.delattr(model.Meta, "table_name")
        dynamodb._bound.cache_clear()
        yield


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("file", EVENTS, ids=str)
def test_any_event_may_be_the_first(
    file: Any, aws: Account, functions: Functions, single_server: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    single_server.flush()
    aws.choose(RedisUrl=single_server.url, OidcIssuer="https://id.example.com", OidcAudience="sluice")
    event = json.loads((ROOT / "events" / file).read_text())
    module = f"{'.'.join(file.parent.parts)}.{file.stem.rpartition('-')[0] or file.stem}"
    function = FUNCTIONS[module.removeprefix("console.")]  # a folder of its own is deployed, not a package

    with nothing_bound(monkeypatch), time_machine.travel("2026-11-20T08:30:00Z", tick=False):
        answer = functions.call(function, event)

    answer = answer or {}
    assert answer.get("statusCode", 200) < 500, answer
    assert answer.get("batchItemFailures", []) == []
