"""A state machine over every command and every fault of the boosts, driven by Hypothesis."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.faults.boosts import CAMPAIGNS, Boosts, check_numbers
from tests.faults.faults import FAULTS, Delivery, Faults, Injection
from tests.faults.sweep import AT_REST_WITHIN, Violation
from tests.faults.world import Message, Request, World

_MOST_CAMPAIGNS = 3
_REPEATS = 30
_VERBS = ("execute", "execute", "pause", "cancel", "revert")


class Machine(RuleBasedStateMachine):
    """Begins in an empty world. Whatever was done, at its end everything comes to rest and adds up."""

    world: World
    context = Boosts()

    def __init__(self) -> None:
        super().__init__()
        self.world.forget()
        self.watch = self.context.watch()
        self.faults = Faults((), self.watch.disturbed, lambda: False)
        self.world.watchers = [self.watch]
        self.world.nemesis = self.faults
        self.ids: list[str] = []
        self.requests = 0

    # --- Commands

    @precondition(lambda self: len(self.ids) < _MOST_CAMPAIGNS)
    @rule(
        total=st.integers(1, 4500), days=st.integers(1, 3), videos=st.integers(1, 3), waits=st.sampled_from((0, 0, 600))
    )
    def create(self, total: int, days: int, videos: int, waits: int) -> None:
        terms: dict[str, Any] = {"total_count": total, "duration_days": days, "pattern": "burst", "daily_limit": 5000}
        terms["video_ids"] = [f"video{number}" for number in range(videos)]
        if waits:
            terms["scheduled_for"] = (self.world.now() + timedelta(seconds=waits)).isoformat()
        made = self._ask("POST", CAMPAIGNS, terms)
        assert made is not None
        self.ids.append(made["id"])

    @precondition(lambda self: self.ids)
    @rule(number=st.integers(0, _MOST_CAMPAIGNS - 1), verb=st.sampled_from(_VERBS))
    def command(self, number: int, verb: str) -> None:
        body = {"reason": "a test"} if verb == "revert" else None
        self._ask("POST", f"{CAMPAIGNS}/{self.ids[number % len(self.ids)]}/{verb}", body)

    @rule(verb=st.sampled_from(("stop", "resume", "resume")))
    def platform(self, verb: str) -> None:
        self._ask("POST", f"/api/admin/{verb}", {"reason": "a test"})

    def _ask(self, method: str, path: str, body: Any) -> Any:
        """The answer; None for a refusal. A repeat has the same id."""
        self.requests += 1
        request = Request(method, path, body, f"request-{self.requests}")
        with _as_assertions():
            for _ in range(_REPEATS):
                status, answer = self.world.http(request)
                if status < 500:
                    break
        assert status in (200, 201, 409), (path, status, answer)
        return answer if status < 300 else None

    # --- Time, and what SQS and people do to messages

    @rule(many=st.integers(1, 6))
    def go_on(self, many: int) -> None:
        with _as_assertions():
            for _ in range(many):
                self.world.step()

    def _waiting(self) -> list[Message]:
        return self.world.queues["BoostsQueue"]

    @precondition(lambda self: self._waiting())
    @rule(number=st.integers(0, 9))
    def deliver_out_of_order(self, number: int) -> None:
        """Early, and before others."""
        waiting = self._waiting()
        with _as_assertions():
            source = next(each for each in self.world.wiring.queue_sources if each.queue == "BoostsQueue")
            self.world.deliver(source, [waiting[number % len(waiting)]])

    @precondition(lambda self: self._waiting())
    @rule(number=st.integers(0, 9))
    def duplicate(self, number: int) -> None:
        """A copy with the same id, as SQS makes it."""
        waiting = self._waiting()
        found = waiting[number % len(waiting)]
        self.watch.disturbed()
        waiting.append(Message(found.id, found.body, found.visible_at, found.sent_at, found.chain))

    @precondition(lambda self: self._waiting())
    @rule()
    def lose_all(self) -> None:
        """Somebody purges the queue."""
        self.watch.disturbed()
        self._waiting().clear()

    # --- Faults

    @rule(calls=st.integers(0, 8), fault=st.sampled_from(FAULTS), how=st.sampled_from(tuple(Delivery)))
    def break_a_call(self, calls: int, fault: Any, how: Delivery) -> None:
        self.faults.add(Injection(len(self.world.sites) + calls, fault, how))

    # --- What must hold

    def teardown(self) -> None:
        with _as_assertions():
            self.faults.calm()
            check_numbers(self.world, {})
            self._ask("POST", "/api/admin/resume", {"reason": "a test"})
            quiet_since = self.world.now()
            while not (self.world.is_quiet() and self.context.is_settled(self.world)):
                if not self.world.is_quiet():
                    quiet_since = self.world.now()
                if self.world.now() - quiet_since > AT_REST_WITHIN:
                    break
                self.world.step()
            self.context.check(self.world, {})


class _as_assertions:  # noqa: N801
    """Hypothesis shrinks what fails with an Exception, and a Violation is none, so that no handler catches it."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _traceback: Any) -> None:
        if isinstance(error, Violation):
            raise AssertionError(str(error)) from error
