"""Locks, and the line for a person who waits for one."""

import sys
from io import StringIO
from threading import Thread

from local.files import locked
from local.processes import wait_until
from tests.deadlines import PATIENCE


def test_a_wait_for_a_lock_says_for_whom(tmp_path, monkeypatch):
    # What pytest captures must not be looked at while another thread writes: it forgets what came in between.
    said = StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    order = []

    def second() -> None:
        with locked(tmp_path / "lock", holder="another make up"):
            order.append("second")

    with locked(tmp_path / "lock", holder="another make up"):
        waiting = Thread(target=second)
        waiting.start()
        assert wait_until(lambda: said.getvalue() == "Waiting for another make up ...\n", PATIENCE)
        order.append("first")
    waiting.join(PATIENCE)

    assert order == ["first", "second"]


def test_a_lock_that_is_free_is_taken_without_a_word(tmp_path, capfd):
    with locked(tmp_path / "lock", holder="another make up"):
        pass

    assert capfd.readouterr() == ("", "")
