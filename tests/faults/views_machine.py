"""The views' state machine: begins before a midnight, with a sync that has been."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.faults.chain import platform
from tests.faults.machine import Machine
from tests.faults.script import Command
from tests.faults.views import (
    EVENING,
    IMPORTS,
    Views,
    adjust,
    begun,
    check_tables,
    counts,
    execute,
    new_import,
    register,
    rows,
    sync,
    view,
)
from tests.faults.views_watch import Watch

_MOST_IMPORTS = 2
_CONTENTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
_COMMANDS = st.one_of(
    st.builds(lambda viewer, contents: view(viewer, *contents), st.integers(1, 3), _CONTENTS),
    st.builds(sync, force=st.booleans()),
    st.just(counts("a", "b", "c")),
    st.builds(adjust, st.sampled_from("ab"), st.sampled_from((1, 5, -2))),
    st.just(new_import()),
    st.builds(
        lambda number, contents, of: rows(number, *contents, of_import=of),
        *(st.integers(1, 2), _CONTENTS, st.integers(0, _MOST_IMPORTS - 1)),
    ),
    st.builds(execute, st.integers(0, _MOST_IMPORTS - 1)),
    st.builds(platform, st.sampled_from(("stop", "resume"))),
    st.builds(register, st.sampled_from("ab"), st.sampled_from(("one", "two"))),
)


class ViewsMachine(Machine):
    """Redis restarts empty, goes away and comes back."""

    of = Views
    commands = _COMMANDS
    creates = IMPORTS
    most_made = _MOST_IMPORTS
    worker = "ViewsSyncWorkerFunction"
    queues = ("ViewsQueue", "ViewsQueue", "ViewsImportsQueue")
    first = (view(1, "a"), sync())
    begins_at = EVENING
    silent = ("ViewsDiagnosisScheduleFunction",)
    most_mishaps = 3
    waits_seconds = (1, 20, 100, 3600)
    at_rest_within = timedelta(hours=26)
    runs = 11

    context: Views
    watch: Watch

    def prepare(self) -> None:
        begun(self.world)
        self.watch.may_stand_still = True

    def may_be_answered(self, command: Command, status: int) -> bool:
        return super().may_be_answered(command, status) or (self.world.cache.is_away and status == 503)

    def check(self) -> None:
        self.watch.look()
        check_tables(self.world)

    # --- Redis

    @rule()
    def redis_restarts_empty(self) -> None:
        self.watch.disturbed()
        self.context.restart()

    @rule()
    def redis_goes_or_comes_back(self) -> None:
        self.watch.disturbed()
        if self.world.cache.is_away:
            self.world.cache.is_away = False
        else:
            self.world.cache.go()

    def heal(self) -> None:
        """What died while Redis was away, for longer than a message is tried, is given another chance by people."""
        self.world.cache.is_away = False
        self.world.pass_time(self.world.now() + timedelta(seconds=10))
        for name, rules in self.world.wiring.queues.items():
            if rules.dead_letters:
                dead = self.world.queues[rules.dead_letters]
                for message in dead:
                    message.receives, message.visible_at = 0, self.world.now()
                # As dead as those: the next receive is one too many.
                for message in self.world.queues[name]:
                    message.receives = 0
                self.world.queues[name] += dead
                dead.clear()
