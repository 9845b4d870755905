"""Every context has one shape: what a file may import follows from its name."""

import pytest

from tests.packages import module_names, text_of
from tests.template import shape
from tests.template.architecture import Sources


def the_sources() -> Sources:
    return {module: text_of(module) for module in module_names()}


def test_each_file_of_a_context_imports_what_its_name_allows() -> None:
    problems = shape.files_import_what_the_shape_allows(the_sources())

    assert set(problems) - shape.KNOWN == set()


def test_the_models_of_a_table_are_in_one_file() -> None:
    problems = shape.models_are_in_items(the_sources())

    assert set(problems) - shape.KNOWN == set()


def test_what_is_known_to_be_out_of_shape_still_is() -> None:
    sources = the_sources()

    problems = shape.files_import_what_the_shape_allows(sources) + shape.models_are_in_items(sources)

    assert shape.KNOWN - set(problems) == set()


def test_each_adapter_imports_its_vendor() -> None:
    problems = shape.adapters_are_there(the_sources())

    assert problems == []


def test_an_adapter_without_its_vendor_is_noticed() -> None:
    problems = shape.adapters_are_there(the_sources() | {"views.track.counter": "import boto3"})

    assert problems == ["views.track.counter: it does not import redis: take it out of ADAPTERS"]


@pytest.mark.parametrize("folder", ["boosts", "views.track", "games", "games.play"])
@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("manager", "import boto3", "it imports boto3: let an adapter do that"),
        ("manager", "import redis.asyncio", "it imports redis.asyncio: let an adapter do that"),
        (
            "manager",
            "from aws_lambda_powertools import Logger",
            "it imports aws_lambda_powertools: let an adapter do that",
        ),
        ("manager", "from pydantic import BaseModel", "it imports pydantic: let an adapter do that"),
        ("manager", "from sluice import totals", "it imports sluice.totals: let an adapter do that"),
        ("manager", "from {folder}.store import Store", "it imports {folder}.store: let an adapter do that"),
        (
            "manager",
            "def f():\n  import {folder}.commands",
            "it imports {folder}.commands: let an adapter do that",
        ),
        ("campaign", "from pynamodb.models import Model", "it imports pynamodb.models: no campaign.py may"),
        ("campaign", "from {folder}.items import Item", "it imports {folder}.items: no campaign.py may"),
        ("items", "from {folder}.store import Store", "it imports {folder}.store: no items.py may"),
        ("store", "import pydantic", "it imports pydantic: no store.py may"),
        ("store", "import boto3", "it imports boto3: no store.py may"),
        ("store", "from sluice.http import Moment", "it imports sluice.http: no store.py may"),
        ("batches", "from {folder}.items import Item", "it imports {folder}.items: no batches.py may"),
        ("commands", "from {folder}.items import Item", "it imports {folder}.items: no commands.py may"),
        ("commands", "from {folder} import schemas", "it imports {folder}.schemas: no commands.py may"),
        ("commands", "from pynamodb.models import Model", "it imports pynamodb.models: no commands.py may"),
        ("schemas", "from {folder} import store", "it imports {folder}.store: no schemas.py may"),
        (
            "schemas",
            "from {folder}.commands import Caller",
            "it imports {folder}.commands: no schemas.py may",
        ),
        ("export", "import redis", "it imports redis: no export.py may"),
        ("ports", "import httpx", "it imports httpx: no ports.py may"),
        ("bootstrap", "from {folder} import schemas", "it imports {folder}.schemas: no bootstrap.py may"),
        ("worker", "from sluice import http", "it imports sluice.http: no worker.py may"),
        ("api", "import pynamodb", "it imports pynamodb: no api.py may"),
    ],
)
def test_a_file_that_imports_what_its_name_does_not_allow_is_noticed(
    folder: str, file: str, line: str, says: str
) -> None:
    files = dict.fromkeys((f"{folder}.{name}" for name in ("items", "store", "commands", "schemas")), "")
    sources = the_sources() | files | {f"{folder}.{file}": line.format(folder=folder)}

    problems = shape.files_import_what_the_shape_allows(sources)

    assert f"{folder}.{file}: {says.format(folder=folder)}" in problems


@pytest.mark.parametrize("base", ["Bound", "Model", "dynamodb.Bound", "ViewsItem", "items.ViewsItem"])
@pytest.mark.parametrize("file", ["more_items", "store", "commands"])
def test_a_second_file_with_models_is_noticed(file: str, base: str) -> None:
    sources = the_sources() | {f"games.{file}": f"class PlayerItem({base}):\n    pass"}

    problems = shape.models_are_in_items(sources)

    assert f"games.{file}: define PlayerItem in items.py, with the other items of its table" in problems


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("plan", "import json\nfrom sluice.errors import Invalid\nfrom games.campaign import Game"),
        ("campaign", "from enum import StrEnum\nfrom games.plan import Plan\nfrom sluice.clock import Clock"),
        ("items", "from pynamodb.attributes import NumberAttribute\nfrom sluice.dynamodb import Bound"),
        ("store", "from pynamodb.transactions import TransactWrite\nfrom games.items import GameItem"),
        ("commands", "from aws_lambda_powertools import Logger\nfrom games.store import Store"),
        ("schemas", "from pydantic import BaseModel\nfrom sluice import http\nfrom games.campaign import Game"),
        ("api", "from aws_lambda_powertools.event_handler import Response\nfrom games.bootstrap import store"),
    ],
)
def test_a_context_of_the_right_shape_is_no_problem(file: str, lines: str) -> None:
    names = ("plan", "campaign", "items", "store", "commands", "schemas", "bootstrap")
    sources = the_sources() | dict.fromkeys((f"games.{name}" for name in names), "") | {f"games.{file}": lines}

    problems = shape.files_import_what_the_shape_allows(sources)

    assert [problem for problem in problems if problem.startswith("games.")] == []
