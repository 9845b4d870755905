"""What modules may import and read, judged by their text."""

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache

KERNEL = "sluice"

FRAMEWORKS = {"aws_lambda_powertools", "boto3", "botocore", "jwt", "pydantic", "pynamodb", "redis"}

# Where settings, stores, queues and clocks meet, beside the handlers.
BOOTSTRAP = "bootstrap"
SETTINGS = "sluice.settings"

# The context that pays for what it counts, and what counts all else.
PAID = "sponsorships"
TOTALS = "sluice.totals"

type Sources = dict[str, str]
"""The text of each module, by its dotted name."""


@cache
def imported_by(text: str) -> frozenset[str]:
    """Dotted names of all that a module imports, anywhere in it; both `a.b` and `a.b.c` for `from a.b import c`."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            origin = f"{'.' * node.level}{node.module or ''}"
            names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@cache
def _imported_in_lambda(text: str) -> frozenset[str]:
    """As `imported_by`, without what only a type checker reads."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return imported_by(ast.unparse(tree))


def _root(name: str) -> str:
    return name.partition(".")[0]


def contexts(sources: Sources) -> set[str]:
    return {_root(module) for module in sources} - {KERNEL}


def no_context_imports_another(sources: Sources) -> list[str]:
    found = contexts(sources)
    return [
        f"{module}: it imports {name}: let what two contexts share live in the kernel"
        for module, text in sources.items()
        for name in sorted(imported_by(text))
        if _root(name) in found - {_root(module)}
    ]


def wings(sources: Sources) -> set[str]:
    """The packages inside a context."""
    return {module.rpartition(".")[0] for module in sources if module.count(".") == 2 and _root(module) != KERNEL}


def no_wing_imports_another(sources: Sources) -> list[str]:
    """A wing's modules import their own wing, their context's root and the kernel. A bootstrap puts wings together, and
    what else stands at the root is below them all.
    """
    found = wings(sources)
    problems = []
    for module, text in sources.items():
        own = _wing(module, found)
        if module in (f"{own}.{BOOTSTRAP}", f"{_root(module)}.{BOOTSTRAP}"):
            continue
        others = {_wing(name, found) for name in imported_by(text)} - {own, ""}
        problems += [
            f"{module}: it imports {other}: let {own}.{BOOTSTRAP} pass it, or move what both need to the root"
            if own
            else f"{module}: it imports {other}: what stands at the root is below the wings"
            for other in sorted(others)
        ]
    return problems


def _wing(name: str, found: set[str]) -> str:
    """The wing that a dotted name is in, or is itself; empty when it is in none."""
    return next((wing for wing in found if name == wing or name.startswith(f"{wing}.")), "")


def only_adapters_import(vendor: str, sources: Sources, adapters: set[str]) -> list[str]:
    importing = {module for module, text in sources.items() if vendor in map(_root, imported_by(text))}
    return [
        *(f"{module}: it imports {vendor}: let an adapter do that" for module in sorted(importing - adapters)),
        *(f"{module}: it imports no {vendor}: it is no adapter of it" for module in sorted(adapters - importing)),
    ]


def no_module_imports_its_siblings_by_dots(sources: Sources) -> list[str]:
    return [
        f"{module}: it imports {name}: write the whole name"
        for module, text in sources.items()
        for name in sorted(imported_by(text))
        if name.startswith(".")
    ]


def reach(module: str, sources: Sources) -> set[str]:
    """The roots of all that a module imports, through our own modules too."""
    return {_root(name) for name in reached(module, sources)}


def reached(module: str, sources: Sources) -> set[str]:
    """All that a module imports, through our own modules too, and the module itself."""
    return _reached(module, {name: imported_by(text) for name, text in sources.items()})


def _reached(module: str, imports: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            # Python imports the packages around a module first.
            waiting += [*imports.get(name, ()), *filter(None, [name.rpartition(".")[0]])]
    return seen


def what_is_paid_knows_no_totals(sources: Sources) -> list[str]:
    """A total may be boosted, synced or imported, so nothing of sponsorships can read one."""
    return [
        f"{module}: it reaches {TOTALS}: what is paid is counted by rows alone"
        for module in sources
        if _root(module) == PAID and TOTALS in reached(module, sources)
    ]


def only_the_layer_is_imported(sources: Sources, in_layer: set[str]) -> list[str]:
    known = contexts(sources) | {KERNEL} | in_layer | sys.stdlib_module_names
    return [
        f"{module}: it imports {name}: declare it in pyproject.toml, and `make lock`"
        for module, text in sources.items()
        for name in sorted({_root(name) for name in _imported_in_lambda(text)} - known)
    ]


def layers_bring_what_is_imported(functions: dict[str, tuple[str, set[str]]], sources: Sources) -> list[str]:
    """`functions`: of each function its handler's module, and the top-level names that its layers bring.

    A function may import all that its handler's module imports, through our own modules too and inside functions.
    """
    ours = contexts(sources) | {KERNEL} | sys.stdlib_module_names
    in_lambda = {module: frozenset(_imported_in_lambda(text)) for module, text in sources.items()}
    return [
        f"{function}: it lacks {name}, which {module} imports: give it the layer that brings it"
        for function, (handler, brought) in functions.items()
        for module in sorted(_reached(handler, in_lambda) & sources.keys())
        for name in sorted({_root(name) for name in in_lambda[module]} - ours - brought)
    ]


def only_edges_read_settings(sources: Sources, handlers: set[str]) -> list[str]:
    return [
        f"{module}: it imports {SETTINGS}: let a handler or a {BOOTSTRAP} module pass it what it needs"
        for module, text in sources.items()
        if SETTINGS in imported_by(text) and module not in handlers and not module.endswith(f".{BOOTSTRAP}")
    ]


def only_settings_read_the_environment(sources: Sources) -> list[str]:
    return [
        f"{module}: it reads the environment: make it a field of Settings"
        for module, text in sources.items()
        if module != SETTINGS and _reads_environment(text)
    ]


@cache
def _reads_environment(text: str) -> bool:
    return any(_environment_in(text))


def _environment_in(text: str) -> Iterator[bool]:
    names = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id == "os" and node.attr in names
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield any(alias.name in names for alias in node.names)
        if isinstance(node, ast.Import):
            yield any(alias.name == "os" and alias.asname for alias in node.names)
