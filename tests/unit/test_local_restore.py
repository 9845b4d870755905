"""How `make restore` reaches the API of its stack. What it restores is in tests/integration/test_restore.py."""

import argparse
from types import SimpleNamespace

import pytest

from local import choice, restore
from local.errors import LocalError
from tests.redis_servers import free_ports


def test_an_api_that_is_not_reached_is_said(monkeypatch):
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    embedded = SimpleNamespace(api_url=address, deployed=SimpleNamespace(name="sluice-local"))
    monkeypatch.setattr(choice, "running", lambda: embedded)
    monkeypatch.setattr(restore, "running", lambda: embedded)
    monkeypatch.setattr("local.tokens.mint", lambda *_, **__: "token")
    given = argparse.Namespace(stack="", profile="", region="")

    not_reached = pytest.raises(LocalError, match="The API of sluice-local was not reached")
    with not_reached, restore.chosen_api(given) as http:
        http.get("/health")
