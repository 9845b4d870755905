"""Exports: CSV in RFC 4180's form, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from io import StringIO

MEDIA = "text/csv; charset=utf-8"


def text_of(columns: Iterable[str], lines: Iterable[Iterable[object]], *, with_header: bool) -> str:
    """The lines as CSV, below the columns' names if this is the first part."""
    text = StringIO()
    writer = csv.writer(text)
    if with_header:
        writer.writerow(columns)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return text.getvalue()


def _cell(value: object) -> object:
    # A spreadsheet reads a text that begins so as a formula: https://owasp.org/www-community/attacks/CSV_Injection
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
