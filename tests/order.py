"""The order in which several processes take the tests: what takes long is begun first, each by a process of its own."""

import os

import pytest

LONG = ("tests/e2e/", "tests/browser/", "tests/faults/")
"""The first two wait more than they compute: beside the third they leave no core idle. Each starts one stack."""


def dealt[T](items: list[tuple[str, T]], workers: int) -> list[T]:
    """Tests, by their names, so that a folder of `LONG` is the first of the equal parts into which xdist cuts them."""
    long = [[item for name, item in items if name.startswith(folder)] for folder in LONG[:workers]]
    rest = [item for name, item in items if not name.startswith(LONG[:workers])]
    ordered: list[T] = []
    for number, folder in enumerate(long):
        share = (len(items) - len(ordered)) // (workers - number)
        filled = max(0, share - len(folder))
        ordered += folder + rest[:filled]
        rest = rest[filled:]
    return ordered + rest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = dealt([(each.nodeid, each) for each in items], workers)
