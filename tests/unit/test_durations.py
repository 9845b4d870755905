"""What the tests cost is said of all that they start."""

import sys

import pytest

from tests import durations
from tests.durations import Spent

BUSY = "import time\nwhile time.process_time() < {}: pass"


def test_the_processes_of_a_process_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    busy = f"{sys.executable} -c '{BUSY.format(1.2)}'"
    in_a_shell = f'sh -c "{busy}; true"'

    before = durations._cpu()
    status = durations.main([in_a_shell])

    assert status == 0
    assert durations._cpu() - before >= 1.2
    assert "CPU-minutes: " in capsys.readouterr().out


def test_what_follows_a_failure_does_not_run(capfd: pytest.CaptureFixture[str]) -> None:
    status = durations.main(["true", "sh -c 'exit 3'", "echo ran"])

    assert status == 3
    assert "ran" not in capfd.readouterr().out


def test_the_files_that_take_most_are_listed_first_and_folders_have_all_of_theirs() -> None:
    files = {"tests/unit/a.py": Spent(1, 1), "tests/unit/b.py": Spent(3, 9), "tests/e2e/c.py": Spent(2, 2)}

    told = durations.lines(files, 2)

    assert [line.split() for line in told] == [
        ["3.0", "9.0", "tests/unit/b.py"],
        ["2.0", "2.0", "tests/e2e/c.py"],
        ["2.0", "2.0", "tests/e2e"],
        ["4.0", "10.0", "tests/unit"],
    ]
