"""Counts are never wrong: a reader comes before and after every call of every flow, and is shown what there is."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults import sweep as sweeping
from tests.faults.cache import REDIS
from tests.faults.faults import Faults
from tests.faults.report import Teller
from tests.faults.sweep import Flow, Sweep
from tests.faults.views import FLOWS, count
from tests.faults.views_watch import Watch
from tests.faults.world import Request, Site, World


class Looking(Faults):
    """Nothing goes wrong; but in the middle of everything somebody looks."""

    looks = 0

    def at(self, world: World, site: Site, effect: Callable[[], Any]) -> Any:
        self._look(world)
        answer = super().at(world, site, effect)
        if site.operation != REDIS:  # which is under way until its answer is read
            self._look(world)
        return answer

    def _look(self, world: World) -> None:
        Looking.looks += 1
        world.nemesis = None
        (watch,) = (each for each in world.watchers if isinstance(each, Watch))
        watch.look()
        for content in "ab":
            world.http(Request("GET", count(content).path, id=f"look {self.looks}"))
        world.nemesis = self


@pytest.mark.parametrize("sweep", ["views"], indirect=True)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_reader_is_shown_what_there_is_before_and_after_every_call(
    sweep: Sweep, flow: Flow, monkeypatch: pytest.MonkeyPatch, tell: Teller
) -> None:
    """S2-9, S2-18."""
    sweep.faultless(flow)  # so that what the run is compared with has no reader, here and in every later test
    monkeypatch.setattr(sweeping, "Faults", Looking)
    before = Looking.looks

    run = sweep.run(flow)

    what = "a reader before and after every call, {looks} times in {flows} flows, {violations} violations"
    tell("views", what, looks=Looking.looks - before, flows=1, violations=int(bool(run.problem)))
    assert not run.problem
