"""The real handlers, on the account that the template declares."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

import pytest

from tests.account import Account
from tests.gateway import Context

type Handler = Callable[[dict[str, Any]], Any]


class Functions:
    """The functions of the template, each called with its own environment and nothing more."""

    def __init__(self, aws: Account) -> None:
        self._aws = aws
        self.environment: dict[str, str] = {}
        """What stands above the template's own, such as the address of a test's server."""

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function by its logical id, as Lambda would."""
        module_name, _, name = self._aws.resources[function]["Properties"]["Handler"].rpartition(".")
        module = import_module(module_name)
        with patch.dict("os.environ", self._aws.environment(function) | self.environment):
            return getattr(module, name)(event, Context())


@pytest.fixture
def functions(aws: Account) -> Iterator[Functions]:
    """The functions, with nothing kept from the test before."""
    with _nothing_cached():
        yield Functions(aws)


@contextmanager
def _nothing_cached() -> Iterator[None]:
    """What a function builds once for each process belongs to an account that is gone when its test ends."""
    import boosts.api
    import boosts.worker
    import operations.audit
    import operations.authorizer
    import operations.health
    import operations.outbox_relay
    import operations.stop
    import operations.sweeper
    import views.counts.api
    import views.diagnosis.api
    import views.diagnosis.schedule
    import views.imports.api
    import views.imports.worker
    import views.reports.api
    import views.sync.api
    import views.sync.worker
    import views.track.api

    cached = [
        boosts.api.commands,
        boosts.worker.chain,
        operations.audit.trail,
        operations.authorizer.gate,
        operations.health.doctor,
        operations.outbox_relay.relay,
        operations.stop.switch,
        operations.sweeper.contexts,
        operations.sweeper.relay,
        views.counts.api.configured,
        views.counts.api.display,
        views.imports.api.configured,
        views.imports.api.corrections,
        views.imports.api.imports,
        views.imports.worker.chain,
        views.diagnosis.api.configured,
        views.diagnosis.api.explainer,
        views.diagnosis.api.registration,
        views.diagnosis.api.rules,
        views.diagnosis.api.shards,
        views.diagnosis.api.stats_reader,
        views.diagnosis.schedule.configured,
        views.diagnosis.schedule.shards,
        views.diagnosis.schedule.stats_reader,
        views.reports.api.configured,
        views.sync.api.store,
        views.sync.api.sync,
        views.sync.worker.rebuild,
        views.sync.worker.shards,
        views.sync.worker.sync,
        views.track.api.tracker,
    ]
    yield
    for each in cached:
        each.cache_clear()
