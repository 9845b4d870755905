"""Set-up that hangs says what it waits for."""

import signal
from threading import Event

import pytest

from tests.deadlines import within


def test_set_up_that_hangs_says_what_it_waits_for() -> None:
    with (
        pytest.raises(TimeoutError, match="after 0 s still waiting for the stack to start"),
        within(0.01, "the stack to start"),
    ):
        Event().wait(600)


def test_set_up_in_time_leaves_no_alarm_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with within(600, "nothing"):
        pass

    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) is before
