"""docs/requirements.md against the tests that it speaks of."""

import re

import pytest

from tests.template_reader import ROOT

DOCUMENT = (ROOT / "docs" / "requirements.md").read_text()
SOURCES = {"S1": 63, "S2": 40, "S3": 34, "S4": 23, "S5": 58}
"""How many requirements each source has: 218 in all."""
DECISIONS = range(11, 23)
ROW = re.compile(r"^\| ((?:S\d-\d+(?:, | to )?)+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
DECISION = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def numbers(cell: str) -> list[str]:
    """`S1-3 to S1-6` and `S1-7, S1-8`, one by one."""
    found = []
    for part in cell.split(", "):
        first, _, last = part.partition(" to ")
        source, begin = first.split("-")
        found += [f"{source}-{number}" for number in range(int(begin), int((last or first).split("-")[1]) + 1)]
    return found


def rows() -> list[tuple[str, str]]:
    """Each number with where it is met."""
    return [(number, row[2]) for row in ROW.findall(DOCUMENT) for number in numbers(row[0])]


def proved() -> set[str]:
    """Numbers that a test names in its docstring."""
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    docstrings = re.findall(r'^def test_\w+\([^"]*?\)[^"]*?:\n\s+"""(.*?)"""', text, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"\bS\d-\d+\b", "\n".join(docstrings)))


@pytest.mark.parametrize(("source", "count"), SOURCES.items())
def test_every_requirement_is_in_its_table_once(source: str, count: int) -> None:
    found = [number for number, _ in rows() if number.startswith(f"{source}-")]

    assert sorted(found) == sorted(f"{source}-{number}" for number in range(1, count + 1))


def test_what_is_said_to_be_tested_is_named_by_a_test() -> None:
    claimed = {number for number, where in rows() if re.match(r"tests\b", where)}

    assert sorted(claimed - proved()) == []
    assert len(claimed) > 60


def test_nothing_that_a_test_names_is_unknown() -> None:
    """A number that was mistyped proves nothing."""
    known = {number for number, _ in rows()}

    assert sorted(proved() - known) == []


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:functions|tests|docs|local)/[\w/]+(?:\.\w+)?)`", DOCUMENT))

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert len(named) > 10


def test_every_parameter_and_alarm_that_is_named_is_in_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", DOCUMENT))

    assert [name for name in sorted(named) if not re.search(rf"\b{name}\b", template)] == []
    assert "ViewsDegradedAlarm" in named


def test_every_decision_about_s2_is_told() -> None:
    found = {int(number): where for number, _, where in DECISION.findall(DOCUMENT)}

    assert sorted(found) == list(DECISIONS)


def test_a_decision_that_is_said_to_be_tested_is_named_by_a_test() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    claimed = {
        number for number, _, where in DECISION.findall(DOCUMENT) if where.endswith(": tests") or where == "tests"
    }

    named = set(re.findall(r"\bdecision (\d+)\b", text))

    assert sorted(claimed - named) == []
    assert len(claimed) >= 6
