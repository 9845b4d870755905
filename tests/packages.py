"""What there is of the product, found by walking its packages: a new context is in no list of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from tests.template_reader import ROOT

FUNCTIONS, KERNEL = ROOT / "functions", ROOT / "layers" / "kernel"
SOURCES = (FUNCTIONS, KERNEL)


@cache
def module_names() -> tuple[str, ...]:
    """The dotted name of each module that a Lambda can import of ours."""
    return tuple(
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for root in SOURCES
        for path in sorted(root.rglob("*.py"))
    )


@cache
def text_of(module: str) -> str:
    """The source of a module."""
    path = module.replace(".", "/")
    places = [place for root in SOURCES for place in (root / f"{path}.py", root / path / "__init__.py")]
    return next(place.read_text() for place in places if place.exists())


def contexts() -> set[str]:
    """The folders of functions/."""
    return {path.parent.name for path in FUNCTIONS.glob("*/__init__.py")}


@cache
def caches() -> tuple[Any, ...]:
    """What the contexts build once for each process, by functools.cache.

    Not what the kernel does: its clients know no account, and making them takes time.
    """
    modules = {name: vars(import_module(name)).values() for name in module_names()}
    of_kernel = {id(value) for name, values in modules.items() if not _is_of_context(name) for value in values}
    return tuple(
        value
        for name, values in modules.items()
        if _is_of_context(name)
        for value in values
        if hasattr(value, "cache_clear") and id(value) not in of_kernel
    )


def _is_of_context(module: str) -> bool:
    return module.partition(".")[0] in contexts()


@contextmanager
def nothing_cached() -> Iterator[None]:
    """What a function builds once for each process belongs to an account that is gone when its test ends."""
    yield
    for each in caches():
        each.cache_clear()
