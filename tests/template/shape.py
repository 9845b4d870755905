"""The shape of a context (docs/architecture.md): what each file of it may import, by its name.

A file whose name is not in the table is plain: rules of the domain, named by the business's nouns.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.template.architecture import FRAMEWORKS, KERNEL, Sources, contexts, imported_by, reach

# Serves every context and is none: it has no campaign, and its functions are named by what they do.
OUTSIDE = {"operations"}

# Each adapter with the vendors that it may import. Beside the context's plain files it may know its port.
ADAPTERS = {
    "broadcasts.bucket": "botocore",
    "broadcasts.credentials": "botocore",
    "broadcasts.checks_queue": "botocore",
    "broadcasts.lists.asking": "requests",
    "broadcasts.media": "botocore",
    "broadcasts.providers.aws": "botocore",
    "broadcasts.providers.evolution": "jwt",
    "broadcasts.providers.wire": "requests",
    "broadcasts.regions": "phonenumbers",
    "broadcasts.secret": "botocore",
    "broadcasts.webhooks.queue": "botocore",
    "hooks.masters": "botocore",
    "hooks.queue": "botocore",
    "hooks.wire": "requests",
    "promotions.contract": "hiero_sdk_python",
    "promotions.escrow.hedera": "botocore",
    "promotions.media": "botocore",
    "promotions.mirror": "urllib3",
    "promotions.networks.mastodon": "mastodon",
    "promotions.networks.wire": "requests",
    "promotions.networks.x": "tweepy",
    "promotions.operator_key": "botocore",
    "promotions.tokens": "botocore",
    "sponsorships.secret": "botocore",
    "sponsorships.recording.table": "botocore",
    "views.shards.store": "redis",
    "views.totals": "pynamodb",
    "views.track.counter": "redis",
    "views.track.fallback": "botocore",
}

# What is not yet in its place, and goes from here when it is.
KNOWN = {
    "views.counts.display: it imports aws_lambda_powertools: let an adapter do that",
    "views.registered.rebuild: it imports aws_lambda_powertools: let an adapter do that",
    "views.sync.bootstrap: it imports botocore.exceptions: no bootstrap.py may",
    "views.sync.inbox: it imports aws_lambda_powertools: let an adapter do that",
}

PLAIN, ADAPTER = "plain", "adapter"
# Files of a kind of which a context has several: the kind is not their name, which says what they are about.
KINDS = {
    "broadcasts.broadcasting": "service",
    "broadcasts.calls": "service",
    "broadcasts.contacts": "store",
    "broadcasts.frozen": "service",
    "broadcasts.given": "service",
    "broadcasts.import_schemas": "schemas",
    "broadcasts.import_store": "store",
    "broadcasts.imports.checking": "service",
    "broadcasts.laying": "service",
    "broadcasts.lists.suppressions": "commands",
    "broadcasts.looks": "service",
    "broadcasts.memory": "store",
    "broadcasts.providers.factory": "service",
    "broadcasts.providers.sandbox": "plain",
    "broadcasts.reviewing": "service",
    "broadcasts.templates": "store",
    "broadcasts.webhooks.applying": "service",
    "broadcasts.webhooks.hearing": "service",
    "broadcasts.uploading": "commands",
    "hooks.fanning": "service",
    "hooks.fanout": "worker",
    "promotions.closing": "service",
    "promotions.connecting": "commands",
    "promotions.connections": "store",
    "promotions.engagement": "store",
    "promotions.escrow_function": "worker",
    "promotions.links": "store",
    "promotions.networks.factory": "service",
    "promotions.networks.sandbox": "store",
    "promotions.networks.metered": "service",
    "promotions.participants": "store",
    "promotions.publishing": "service",
    "promotions.quota": "store",
    "promotions.rewards": "commands",
    "promotions.tracking.rows": "store",
    "promotions.tracking.tracker": "service",
    "sponsorships.adjustments": "store",
    "sponsorships.checks": "service",
    "sponsorships.closing": "service",
    "sponsorships.detection": "service",
    "sponsorships.gkeys": "store",
    "sponsorships.monitor": "store",
    "sponsorships.rows": "store",
    "sponsorships.settlement": "service",
    "sponsorships.statement": "service",
}
_MODEL = re.compile(r"([\w.]+\.)?(Bound|Model|\w+Item)")
_POWERTOOLS = "aws_lambda_powertools"
# What of the kernel a file may import: modules that reach none of these.
_NO_FRAMEWORK = FRAMEWORKS
_NO_HTTP = {"pydantic", "jwt", "redis"}
_ALL: set[str] = set()


@dataclass(frozen=True)
class Row:
    """What a file may import: files of its context by their names, vendors, and modules of the kernel that reach."""

    files: frozenset[str]
    vendors: frozenset[str] = frozenset()
    not_reaching: frozenset[str] = frozenset(_NO_HTTP)


def _row(files: str, vendors: str = "", not_reaching: set[str] = _NO_HTTP) -> Row:
    return Row(frozenset(files.split()), frozenset(vendors.split()), frozenset(not_reaching))


_BELOW_COMMANDS = "plain campaign ports adapter sandbox store evidence batches service"
_EVERYTHING = f"{_BELOW_COMMANDS} items commands export schemas bootstrap routes status"
TABLE = {
    # Ports are pure: what they say of the outside, the domain may say too.
    PLAIN: _row("plain campaign ports", not_reaching=_NO_FRAMEWORK),
    "campaign": _row("plain ports", not_reaching=_NO_FRAMEWORK),
    "items": _row("plain campaign ports items", "pynamodb"),
    "store": _row("plain campaign ports items adapter store", "pynamodb"),
    "ports": _row("plain campaign", not_reaching=_NO_FRAMEWORK),
    ADAPTER: _row("plain campaign ports adapter"),
    "sandbox": _row("plain campaign ports"),
    "batches": _row("plain campaign ports adapter sandbox store", _POWERTOOLS),
    # What several functions of a context do alike.
    "service": _row("plain campaign ports adapter items store service", _POWERTOOLS),
    "evidence": _row("plain campaign store service"),
    "commands": _row(_BELOW_COMMANDS, _POWERTOOLS),
    "export": _row("plain campaign store service"),
    "schemas": _row("plain campaign ports schemas", f"pydantic {_POWERTOOLS}", _ALL),
    "bootstrap": _row(f"{_BELOW_COMMANDS} items commands bootstrap", not_reaching=_NO_HTTP),
    "api": _row(_EVERYTHING, _POWERTOOLS, _ALL),
    # The handler of api.py once more, for a Function URL.
    "url": _row("api", not_reaching=_ALL),
    # Documents the routes of an api.py that imports no framework.
    "routes": _row("schemas", _POWERTOOLS, _ALL),
    # What an API reads, as it is shown.
    "status": _row(f"{_BELOW_COMMANDS} items commands schemas", not_reaching=_ALL),
    "worker": _row(_EVERYTHING, _POWERTOOLS),
    "stream": _row(_EVERYTHING, _POWERTOOLS),
    "schedule": _row(_EVERYTHING, _POWERTOOLS),
}


def files_import_what_the_shape_allows(sources: Sources) -> list[str]:
    return [f"{module}: it imports {name}: {_advice(module)}" for module, name in sorted(_wrong(sources))]


def models_are_in_items(sources: Sources) -> list[str]:
    """So that a table is drawn in one place."""
    return [
        f"{module}: define {name} in items.py, with the other items of its table"
        for module in sorted(_modules(sources))
        if _kind(module) != "items"
        for name in _models_in(sources[module])
    ]


def adapters_are_there(sources: Sources) -> list[str]:
    return [
        f"{module}: it does not import {vendor}: take it out of ADAPTERS"
        for module, vendors in ADAPTERS.items()
        for vendor in vendors.split()
        if vendor not in {_root(name) for name in imported_by(sources.get(module, ""))}
    ]


def _wrong(sources: Sources) -> Iterator[tuple[str, str]]:
    packages = {module.rpartition(".")[0] for module in sources}
    found = contexts(sources)

    @cache
    def reached(name: str) -> set[str]:
        return reach(name, sources) if name in sources else set()

    def may_import(module: str, name: str) -> bool:
        row = TABLE[_kind(module)]
        if _root(name) == KERNEL:
            return not reached(name) & row.not_reaching
        if _root(name) in found:
            # What is in a module is judged by the module; and what is of another context by another rule.
            return name not in sources or name in packages or _kind(name) in row.files
        return _root(name) in {*row.vendors, *ADAPTERS.get(module, "").split()} | sys.stdlib_module_names

    for module in _modules(sources):
        wrong = {name for name in imported_by(sources[module]) if not may_import(module, name)}
        yield from ((module, name) for name in wrong if name.rpartition(".")[0] not in wrong)


def _advice(module: str) -> str:
    kind = _kind(module)
    return "let an adapter do that" if kind == PLAIN else f"no {kind}.py may"


@cache
def _models_in(text: str) -> list[str]:
    """The classes whose base is a model by its name."""
    return [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and any(_MODEL.fullmatch(ast.unparse(base)) for base in node.bases)
    ]


def _modules(sources: Sources) -> set[str]:
    """The files of contexts, but for those that say what a package is."""
    packages = {module.rpartition(".")[0] for module in sources}
    return {module for module in sources if _root(module) not in {KERNEL, *OUTSIDE}} - packages


def _kind(module: str) -> str:
    name = module.rpartition(".")[2]
    if module in ADAPTERS:
        return ADAPTER
    if module in KINDS:
        return KINDS[module]
    return name if name in TABLE and name not in {PLAIN, ADAPTER} else PLAIN


def _root(name: str) -> str:
    return name.partition(".")[0]
