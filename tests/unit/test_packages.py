"""What the tests find by walking the packages is all that there is."""

import ast
import re

from tests import packages

_CACHE = re.compile(r"cache\b")


def test_every_function_that_is_cached_is_found() -> None:
    """Else a test would get what another has built."""
    modules = [name for name in packages.module_names() if name.partition(".")[0] in packages.contexts()]
    written = {f"{module}.{name}" for module in modules for name in cached_in(packages.text_of(module))}

    found = {f"{each.__module__}.{each.__qualname__}" for each in packages.caches()}

    assert found == written
    assert found


def cached_in(text: str) -> set[str]:
    """The functions, at any depth, that are decorated with `cache` or `lru_cache`, however these are imported.

    Not a cached property: it goes with its object.
    """
    return {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and any(_CACHE.search(ast.unparse(each)) for each in node.decorator_list)
    }
