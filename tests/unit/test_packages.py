"""What the tests find by walking the packages is all that there is."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module

from tests import packages

_CACHE = re.compile(r"cache\b")


def test_every_function_that_is_cached_is_found() -> None:
    """Else a test would get what another has built."""
    modules = [name for name in packages.module_names() if name.partition(".")[0] in packages.contexts()]
    written = {f"{module}.{name}" for module in modules for name in cached_in(packages.text_of(module))}

    cleared = {id(each) for each in packages.caches()}

    assert cleared == {id(_named(name)) for name in written}
    assert cleared


def _named(name: str) -> object:
    module, _, function = name.rpartition(".")
    return getattr(import_module(module), function)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, ast.FunctionDef):
        for child in ast.iter_child_nodes(node):
            yield from _outside_functions(child)


def test_what_a_function_caches_for_itself_goes_with_its_call() -> None:
    text = (
        "@cache\ndef kept(): pass\ndef f():\n    @cache\n    def found(): pass\n    other = cache(f)\nmade = cache(f)"
    )

    assert cached_in(text) == {"kept", "made"}


def cached_in(text: str) -> set[str]:
    """The functions, at any depth, that are decorated with `cache` or `lru_cache`, however these are imported; and
    what is made by `settings.once` or by a call of `cache`.

    Not a cached property, which goes with its object; nor what a function caches, which goes with its call.
    """
    nodes = list(_outside_functions(ast.parse(text)))
    return {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef) and any(_CACHE.search(ast.unparse(each)) for each in node.decorator_list)
    } | {
        ast.unparse(node.targets[0])
        for node in nodes
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and ast.unparse(node.value).startswith(("settings.once(", "cache("))
    }
