"""How the bench shows what it measured: as tables that the README can hold."""

from rich import box
from rich.console import Console
from rich.table import Table

console = Console(width=None if Console().is_terminal else 160)


def a_table(*columns: str) -> Table:
    table = Table(box=box.MARKDOWN)
    for column in columns:
        table.add_column(column)
    return table
