"""A failure's trace is in its log line once."""

import io
import json
import re

import pytest

from sluice.errors import Unavailable
from sluice.log import logger
from tests.template_reader import ROOT


def fail() -> None:
    try:
        raise OSError("the socket is gone")
    except OSError as error:
        raise Unavailable("The database cannot be reached") from error


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the logger writes."""
    written = io.StringIO()
    monkeypatch.setattr(logger.logger_handler, "stream", written)
    return written


def test_a_trace_is_in_a_line_once(lines: io.StringIO) -> None:
    try:
        fail()
    except Unavailable as error:
        logger.warning("Unavailable", exc_info=error)

    line = json.loads(lines.getvalue())

    assert "the socket is gone" in line["exception"]
    assert lines.getvalue().count("in fail") == line["exception"].count("in fail") == 2
    assert "stack_trace" not in line


def test_every_function_has_that_logger() -> None:
    """The first logger of a process decides for the others: all are this one, or its children."""
    own = {
        f"{path.relative_to(ROOT)}: {found}"
        for folder in ("functions", "layers")
        for path in (ROOT / folder).rglob("*.py")
        for found in re.findall(r"\bLogger\((?!child=True\)).*", path.read_text())
    }

    assert own == {"layers/kernel/sluice/log.py: Logger(serialize_stacktrace=False)"}
