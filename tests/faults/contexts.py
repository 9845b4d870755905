"""Every context that the sweep knows, found by walking this package: a new one joins by its own file."""

from importlib import import_module
from pkgutil import iter_modules

from tests import faults
from tests.faults.machine import Machine
from tests.faults.sweep import Context

for _each in iter_modules(faults.__path__):
    if not _each.name.startswith(("test_", "conftest", "contexts")):
        import_module(f"{faults.__name__}.{_each.name}")

CONTEXTS: dict[str, type[Context]] = {each.name: each for each in Context.__subclasses__()}
"""By their names."""
MACHINES: dict[str, type[Machine]] = {each.of.name: each for each in Machine.__subclasses__()}
"""Of each context, its state machine."""
