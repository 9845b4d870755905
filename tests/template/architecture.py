"""What modules may import and read, judged by their text."""

import ast
import sys
from collections.abc import Iterator

KERNEL = "sluice"

# The rules of the domain: no cloud, no framework, nothing but the standard library and the kernel.
PLAIN = {
    *("boosts.plan", "boosts.usage", "boosts.campaign", "boosts.simulation", "boosts.timeline", "boosts.export"),
    *("views.breaker", "views.content", "views.imports.campaign", "views.keys", "views.reports.period", "views.rules"),
}
FRAMEWORKS = {"aws_lambda_powertools", "boto3", "botocore", "jwt", "pydantic", "pynamodb", "redis"}

# Where settings, stores, queues and clocks meet, beside the handlers.
BOOTSTRAP = "bootstrap"
SETTINGS = "sluice.settings"

type Sources = dict[str, str]
"""The text of each module, by its dotted name."""


def imported_by(text: str) -> set[str]:
    """Dotted names of all that a module imports, anywhere in it; both `a.b` and `a.b.c` for `from a.b import c`."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            origin = f"{'.' * node.level}{node.module or ''}"
            names |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
    return names


def _imported_in_lambda(text: str) -> set[str]:
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
    return [
        f"{module}: it imports {name}: let what two contexts share live in the kernel"
        for module, text in sources.items()
        for name in sorted(imported_by(text))
        if _root(name) in contexts(sources) - {_root(module)}
    ]


def no_module_imports_its_siblings_by_dots(sources: Sources) -> list[str]:
    return [
        f"{module}: it imports {name}: write the whole name"
        for module, text in sources.items()
        for name in sorted(imported_by(text))
        if name.startswith(".")
    ]


def the_domain_is_plain(sources: Sources) -> list[str]:
    """Domain modules import the standard library, each other, and what of the kernel is as plain."""
    plain = PLAIN | {
        module for module in sources if _root(module) == KERNEL and not _reach(module, sources) & FRAMEWORKS
    }
    problems = [f"{module}: it is gone; take it from PLAIN" for module in sorted(PLAIN - sources.keys())]
    for module in sorted(PLAIN & sources.keys()):
        for name in sorted(imported_by(sources[module])):
            if _root(name) in FRAMEWORKS or (name in sources and name not in plain and "." in name):
                problems.append(f"{module}: it imports {name}: let an adapter do that")
    return problems


def _reach(module: str, sources: Sources) -> set[str]:
    """The roots of all that a module imports, through our own modules too."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imported_by(sources[name]) if name in sources else []
    return {_root(name) for name in seen}


def only_the_layer_is_imported(sources: Sources, in_layer: set[str]) -> list[str]:
    known = contexts(sources) | {KERNEL} | in_layer | sys.stdlib_module_names
    return [
        f"{module}: it imports {name}: declare it in pyproject.toml, and `make lock`"
        for module, text in sources.items()
        for name in sorted({_root(name) for name in _imported_in_lambda(text)} - known)
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
        if module != SETTINGS and any(_environment_in(text))
    ]


def _environment_in(text: str) -> Iterator[bool]:
    names = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id == "os" and node.attr in names
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield any(alias.name in names for alias in node.names)
        if isinstance(node, ast.Import):
            yield any(alias.name == "os" and alias.asname for alias in node.names)
