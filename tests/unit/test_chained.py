"""The lists of campaigns, which every context has alike."""

from typing import Any

import pytest
from pynamodb.connection import Connection

from sluice import chained
from sluice.dynamodb import Bound, bind


class Books(Bound):
    class Meta(Bound.Meta):
        pass


class Films(Bound):
    class Meta(Bound.Meta):
        pass


class BookList(chained.ListedItem):
    class Meta(Books.Meta):
        pass


class FilmList(chained.ListedItem):
    class Meta(Films.Meta):
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The table, the index and the filter of each query."""
    asked: list[tuple[str, Any]] = []

    def query(_: Connection, table_name: str, *args: Any, **options: Any) -> dict[str, Any]:
        asked.append((table_name, options["index_name"], options["filter_condition"]))
        return {"Items": [], "Count": 0, "ScannedCount": 0}

    monkeypatch.setattr(Connection, "query", query)
    return asked


def test_each_context_lists_its_own_table_by_the_same_indexes_and_without_a_filter(
    asked: list[tuple[str, str, Any]],
) -> None:
    bind(Books, "books")
    bind(Films, "films")

    for model in (BookList, FilmList):
        list(model.by_status.query("running"))
        list(model.by_creation.query(chained.PART))

    assert asked == [
        ("books", "by_status", None),
        ("books", "by_creation", None),
        ("films", "by_status", None),
        ("films", "by_creation", None),
    ]
