"""Who imports what, and that importing does nothing else."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.deadlines import PATIENCE
from tests.packages import SOURCES, contexts, module_names, text_of
from tests.template import architecture, locks, shape
from tests.template.architecture import Sources
from tests.template.project import SITES, real, refers_to
from tests.template_reader import ROOT
from views.sync import applying, epochs

# But for the sites, which import nothing: `tests/unit/test_console_serve.py`.
HANDLERS = sorted(
    properties["Handler"].rpartition(".")[0] for name, properties in real().functions.items() if name not in SITES
)

HTTP = "aws_lambda_powertools.event_handler"
BATCH = "aws_lambda_powertools.utilities.batch"

# What a function must do without, by what invokes it: it would pay for it at every cold start.
BY_TRIGGER = {
    "HTTP": {"boto3", "jwt", BATCH, "sluice.steps", "sluice.auth"},
    "SQS": {"boto3", "jwt", "pydantic", HTTP, "sluice.http", "sluice.auth"},
    "DynamoDB": {"boto3", "jwt", "pydantic", HTTP, "sluice.http", "sluice.steps", "sluice.auth"},
    "ScheduleV2": {"boto3", "jwt", "pydantic", HTTP, BATCH, "sluice.http", "sluice.steps", "sluice.auth"},
    # What another function of ours invokes.
    "Invoke": {"boto3", "jwt", "pydantic", "pynamodb", HTTP, BATCH, "sluice.http", "sluice.steps"},
    "WebSocket": {"boto3", "jwt", "pydantic", HTTP, BATCH, "sluice.http", "sluice.steps"},
    "Authorizer": {"pydantic", "pynamodb", HTTP, BATCH, "sluice.http", "sluice.dynamodb", "sluice.steps"},
}
# And unless it has a setting.
UNLESS = {"REDIS_URL": {"redis"}, "SCHEDULE_GROUP": {"sluice.steps", "sluice.wake"}}
# The sweeper wakes a step on its own queue, without a schedule; and tokens are signed where they are minted.
EXCEPT = {"operations.sweeper": {"sluice.wake"}, "operations.session": {"jwt"}, "operations.tokens": {"jwt"}}
# Each view that comes to a cold function waits for what it imports: of all this, the clients of Redis alone.
HOT = {
    handler: {"aws_lambda_powertools", "botocore", "pydantic", "pynamodb", "sluice.http"}
    for handler in ("views.track.api", "views.track.url")
}
# An impression is a transaction: of all this, the client of DynamoDB alone.
HOT["sponsorships.recording.api"] = {"aws_lambda_powertools", "pydantic", "pynamodb", "redis", "sluice.http"}
# The Hedera SDK comes with the first call of the contract.
ALL_DO_WITHOUT = {
    "grpc",
    "hiero_sdk_python",
    "hypothesis",
    "moto",
    "mypy",
    "pytest",
    "samcli",
    "samtranslator",
    "tests",
    "local",
}

# The exactly-once core of the views, and what it must not drag in: it is proved without them, in memory.
CORE = (
    "views.counts.reading",
    "views.diagnosis.explaining",
    "views.diagnosis.stats",
    "views.sync.applying",
    "views.sync.epochs",
)
ADAPTERS = {"redis", "pynamodb", "botocore"}
REDIS_ADAPTERS = {module for module, vendor in shape.ADAPTERS.items() if vendor == "redis"}
OF_DYNAMODB = (
    "views.adjustments.store",
    "views.imports.store",
    "views.items",
    "views.registered.store",
    "views.sync.store",
    "views.totals",
)

# Read while a client is made, never while a module is imported.
OF_CLIENTS = re.compile(r"AWS_(DEFAULT_)?REGION|AWS_PROFILE|AWS_ACCESS_KEY_ID|AWS_ENDPOINT_URL\w*|AWS_SECRET_\w+|\*")


def the_sources() -> Sources:
    return {module: text_of(module) for module in module_names()}


@dataclass(frozen=True)
class Imported:
    """What importing left and did."""

    modules: set[str]
    reads: list[tuple[str, str]]
    """Names of variables of the environment, each with the file that read it."""
    calls: list[str]


@cache
def imported(*modules: str, path: Path | None = None) -> Imported:
    """Import modules in a process of its own, with an empty environment."""
    paths = [str(each) for each in (*SOURCES, *([path] if path else []))]
    script = ROOT / "tests" / "template" / "watched_import.py"
    done = subprocess.run(
        [sys.executable, "-P", str(script), json.dumps({"modules": modules, "paths": paths})],
        env={},
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return Imported(set(answer["modules"]), [(name, reader) for name, reader in answer["reads"]], answer["calls"])


def wrong_reads(result: Imported, path: Path | None = None) -> list[str]:
    """Reads by our own modules, reads of our own settings, and those that betray a client being made."""
    ours = [str(each) for each in (*SOURCES, *([path] if path else []))]
    settings = set().union(*real().settings.values())
    return [
        f"{name} by {reader}"
        for name, reader in result.reads
        if reader.startswith(tuple(ours)) or name in settings or OF_CLIENTS.fullmatch(name)
    ]


def has(result: Imported, name: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for module in result.modules)


def test_a_context_imports_no_other_context_and_the_kernel_imports_none() -> None:
    sources = the_sources()

    problems = architecture.no_context_imports_another(sources)

    assert problems == []
    assert architecture.contexts(sources) == contexts()


@pytest.mark.parametrize("module", ["views.counts.api", "sluice.totals"])
@pytest.mark.parametrize(
    "line", ["from boosts.store import Store", "import boosts.store", "def f():\n    from boosts import store"]
)
def test_an_import_of_another_context_is_noticed(module: str, line: str) -> None:
    sources = the_sources() | {module: line}

    problems = architecture.no_context_imports_another(sources)

    assert any(problem.startswith(f"{module}: it imports boosts") for problem in problems)


def test_sponsorships_know_no_totals() -> None:
    problems = architecture.what_is_paid_knows_no_totals(the_sources())

    assert problems == []


@pytest.mark.parametrize(
    "lines",
    [
        {"sponsorships.store": "from sluice.totals import TotalItem"},
        {"sponsorships.store": "def f():\n    from sluice import totals"},
        {"sponsorships.store": "from sluice import ledger", "sluice.ledger": "import sluice.totals"},
    ],
)
def test_a_total_in_reach_of_sponsorships_is_noticed(lines: Sources) -> None:
    problems = architecture.what_is_paid_knows_no_totals(the_sources() | lines)

    assert "sponsorships.store: it reaches sluice.totals: what is paid is counted by rows alone" in problems


def test_wings_meet_in_a_bootstrap_or_at_the_root_alone() -> None:
    sources = the_sources()

    problems = architecture.no_wing_imports_another(sources)

    assert problems == []
    assert architecture.wings(sources) == {
        f"{path.parent.parent.name}.{path.parent.name}" for path in (ROOT / "functions").glob("*/*/__init__.py")
    }


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        (
            "views.counts.display",
            "from views.shards.store import RedisShards",
            "views.counts.display: it imports views.shards: "
            "let views.counts.bootstrap pass it, or move what both need to the root",
        ),
        (
            "views.sync.worker",
            "def f():\n    from views.registered import rebuild",
            "views.sync.worker: it imports views.registered: "
            "let views.sync.bootstrap pass it, or move what both need to the root",
        ),
        (
            "views.imports",
            "import views.adjustments.api",
            "views.imports: it imports views.adjustments: "
            "let views.imports.bootstrap pass it, or move what both need to the root",
        ),
        (
            "views.content",
            "from views.track.bodies import Body",
            "views.content: it imports views.track: what stands at the root is below the wings",
        ),
    ],
)
def test_an_import_of_another_wing_is_noticed(module: str, line: str, says: str) -> None:
    sources = the_sources() | {module: line}

    problems = architecture.no_wing_imports_another(sources)

    assert problems == [says]


def test_redis_is_imported_by_its_two_adapters_alone() -> None:
    problems = architecture.only_adapters_import("redis", the_sources(), REDIS_ADAPTERS)

    assert problems == []


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("views.sync.store", "from redis import Redis", "it imports redis: let an adapter do that"),
        ("views.counts.api", "def f():\n    import redis.asyncio", "it imports redis: let an adapter do that"),
        ("views.track.counter", "import socket", "it imports no redis: it is no adapter of it"),
    ],
)
def test_another_way_to_redis_is_noticed(module: str, line: str, says: str) -> None:
    sources = the_sources() | {module: line}

    problems = architecture.only_adapters_import("redis", sources, REDIS_ADAPTERS)

    assert problems == [f"{module}: {says}"]


@pytest.mark.parametrize("module", CORE)
def test_the_exactly_once_core_loads_no_adapter(module: str) -> None:
    result = imported(module)

    assert {name for name in ADAPTERS if has(result, name)} == set()


@pytest.mark.parametrize("module", OF_DYNAMODB)
def test_what_speaks_with_dynamodb_loads_no_redis(module: str) -> None:
    result = imported(module)

    assert has(result, "pynamodb")
    assert not has(result, "redis")


def test_the_core_logs_through_the_logger_of_its_handler() -> None:
    """Its name is the service's, which the core writes itself: Powertools would bring botocore."""
    service = real().template["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]

    assert {applying.logger.name, epochs.logger.name} == {f"{service}.{each.__name__}" for each in (applying, epochs)}


def test_an_adapter_that_the_core_drags_in_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "dragging.py").write_text("from views.sync import epochs\nfrom views.shards import store\n")

    result = imported("dragging", path=tmp_path)

    assert {name for name in ADAPTERS if has(result, name)} == {"redis"}


def test_every_import_is_by_its_whole_name() -> None:
    problems = architecture.no_module_imports_its_siblings_by_dots(the_sources())

    assert problems == []


def test_an_import_by_dots_is_noticed() -> None:
    sources = the_sources() | {"boosts.api": "from ..views import counts"}

    problems = architecture.no_module_imports_its_siblings_by_dots(sources)

    assert "boosts.api: it imports ..views: write the whole name" in problems


def test_only_handlers_and_bootstrap_modules_read_settings() -> None:
    problems = architecture.only_edges_read_settings(the_sources(), set(HANDLERS))

    assert problems == []


@pytest.mark.parametrize("line", ["from sluice import settings", "from sluice.settings import read"])
def test_settings_read_elsewhere_are_noticed(line: str) -> None:
    sources = the_sources() | {"boosts.store": line}

    problems = architecture.only_edges_read_settings(sources, set(HANDLERS))

    assert len(problems) == 1
    assert problems[0].startswith("boosts.store: it imports sluice.settings")


def test_only_settings_read_the_environment() -> None:
    problems = architecture.only_settings_read_the_environment(the_sources())

    assert problems == []


@pytest.mark.parametrize(
    "line",
    ["import os\nx = os.environ['X']", "import os\nx = os.getenv('X')", "from os import environ", "import os as o"],
)
def test_reading_the_environment_elsewhere_is_noticed(line: str) -> None:
    sources = the_sources() | {"boosts.api": line}

    problems = architecture.only_settings_read_the_environment(sources)

    assert problems == ["boosts.api: it reads the environment: make it a field of Settings"]


def test_importing_every_module_reads_no_setting_and_calls_nobody() -> None:
    """With an empty environment, in a process where lookups and connections are watched."""
    modules = module_names()

    result = imported(*modules)

    assert set(modules) <= result.modules
    assert wrong_reads(result) == []
    assert result.calls == []


@pytest.mark.parametrize(
    "line",
    [
        "import os; os.environ.get('X')",
        "import os; 'X' in os.environ",
        "import os; os.getenv('X')",
        "import os; dict(os.environ)",
        "import boto3\ntry: boto3.client('sqs')\nexcept Exception: pass",
        "import boosts.worker, sluice.settings as s\ntry: s.read(boosts.worker.Settings)\nexcept Exception: pass",
    ],
)
def test_an_import_that_reads_the_environment_is_noticed(line: str, tmp_path: Path) -> None:
    (tmp_path / "reading.py").write_text(line)

    result = imported("reading", path=tmp_path)

    assert wrong_reads(result, tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "import socket\ntry: socket.create_connection(('127.0.0.1', 1), 0.1)\nexcept OSError: pass",
        "import socket\ntry: socket.getaddrinfo('localhost', 1)\nexcept OSError: pass",
        "import urllib.request\ntry: urllib.request.urlopen('http://127.0.0.1:1', timeout=0.1)\nexcept OSError: pass",
        "import subprocess; subprocess.run(['true'])",
    ],
)
def test_an_import_that_calls_somebody_is_noticed(line: str, tmp_path: Path) -> None:
    (tmp_path / "calling.py").write_text(line)

    result = imported("calling", path=tmp_path)

    assert result.calls


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_imports_nothing_that_it_does_without(handler: str) -> None:
    result = imported(handler)

    needless = {name for name in without(handler) | ALL_DO_WITHOUT if has(result, name)}

    assert needless == set()


def test_what_functions_do_without_is_spelt_as_it_is() -> None:
    """A misspelt name would be missed by every function."""
    names = set().union(*BY_TRIGGER.values(), *UNLESS.values(), *EXCEPT.values(), *HOT.values())
    of_functions = {*EXCEPT, *HOT}

    result = imported(*module_names())

    assert {name for name in names if not has(result, name)} == set()
    assert of_functions <= set(HANDLERS)
    assert BY_TRIGGER.keys() == {kind for handler in HANDLERS for kind in triggers(handler)}
    assert UNLESS.keys() <= set().union(*real().settings.values())


@pytest.mark.parametrize("handler", sorted(EXCEPT))
def test_an_exception_is_one(handler: str) -> None:
    result = imported(handler)

    assert {name for name in EXCEPT[handler] if not has(result, name)} == set()


def without(handler: str) -> set[str]:
    """What a function must do without."""
    of_settings = [names for setting, names in UNLESS.items() if setting not in real().settings[handler]]
    of_triggers = set.intersection(*(BY_TRIGGER[kind] for kind in triggers(handler)))
    return of_triggers.union(*of_settings, HOT.get(handler, set())) - EXCEPT.get(handler, set())


def triggers(handler: str) -> set[str]:
    """The kinds of what invokes a function."""
    project = real()
    (name,) = [each for each, properties in project.functions.items() if properties["Handler"] == f"{handler}.handler"]
    kinds = {event["Type"] for event in project.triggers(name).values()}
    kinds |= {"HTTP"} if name in project.urls or project.routes_to(name) else set()
    kinds |= {"Authorizer"} if name in project.authorizers else set()
    kinds |= {"WebSocket"} if name in project.sockets else set()
    return kinds or {"Invoke"}


def test_functions_import_only_what_their_layers_bring() -> None:
    """A test's environment has more: what is imported from that is missing in Lambda."""
    assert architecture.layers_bring_what_is_imported(brought_to_functions(), the_sources()) == []


def test_modules_import_only_what_some_layer_brings() -> None:
    """Those that no function imports too."""
    assert (
        architecture.only_the_layer_is_imported(
            the_sources(), in_layers("dependencies", "promotions", "escrow", "broadcasts")
        )
        == []
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"boosts.api": "import tweepy"}, "BoostsApiFunction: it lacks tweepy, which boosts.api imports"),
        (
            {"boosts.api": "def f():\n    from boosts import far", "boosts.far": "import tweepy"},
            "BoostsApiFunction: it lacks tweepy, which boosts.far imports",
        ),
        (
            {"promotions.api": "from promotions.contract import Hedera"},
            "PromotionsApiFunction: it lacks hiero_sdk_python, which promotions.contract imports",
        ),
    ],
)
def test_a_function_without_the_layer_of_what_it_may_import_is_noticed(changes: dict[str, str], says: str) -> None:
    sources = the_sources() | changes

    problems = architecture.layers_bring_what_is_imported(brought_to_functions(), sources)

    assert f"{says}: give it the layer that brings it" in problems


def test_a_function_that_loses_a_layer_is_noticed() -> None:
    """Its modules import what that layer brought, inside functions too."""
    functions = brought_to_functions()
    of_promotions = [name for name, layers in functions.items() if "tweepy" in layers[1]]
    bare = {name: (functions[name][0], in_layers("dependencies")) for name in of_promotions}

    problems = architecture.layers_bring_what_is_imported(bare, the_sources())

    assert of_promotions
    assert {problem.partition(":")[0] for problem in problems} == set(of_promotions)


def brought_to_functions() -> dict[str, tuple[str, set[str]]]:
    """Of each function its handler's module, and the top-level names that its layers bring."""
    template = real().template
    resources = {name: resource.get("Properties", {}) for name, resource in template["Resources"].items()}
    shared = template["Globals"]["Function"]["Layers"]
    found = {}
    for name in real().functions:
        layers = [resources[refers_to(each)] for each in (*shared, *resources[name].get("Layers", []))]
        groups = {layer["ContentUri"].split("/")[1] for layer in layers} & locks.LOCKS.keys()
        found[name] = (resources[name]["Handler"].rpartition(".")[0], in_layers(*sorted(groups)))
    return found


@pytest.mark.parametrize("line", ["import httpx", "from moto.core import patch", "def f():\n    import rich"])
def test_an_import_that_the_layer_does_not_bring_is_noticed(line: str) -> None:
    sources = the_sources() | {"boosts.api": line}

    problems = architecture.only_the_layer_is_imported(
        sources, in_layers("dependencies", "promotions", "broadcasts", "escrow")
    )

    assert len(problems) == 1
    assert re.match(r"boosts.api: it imports \w+: declare it in pyproject.toml", problems[0])


@cache
def in_layers(*groups: str) -> set[str]:
    """The top-level names of what layers bring."""
    texts = [(ROOT / locks.LOCKS[group][1]).read_text() for group in groups]
    brought = {pin.name for text in texts for pin in locks.pins(text)}
    return {
        name
        for name, distributions in packages_distributions().items()
        if brought & {canonicalize_name(each) for each in distributions}
    }
