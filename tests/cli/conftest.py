"""The API that is played, and the shell that commands run in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.cli.api import TOKEN, Api, Contract
from tests.cli.running import Shell


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def api(contract: Contract) -> Iterator[Api]:
    """Whatever a test says, no request may break the contract."""
    api = Api(contract)
    yield api
    api.close()
    assert api.problems == []


@pytest.fixture
def shell(api: Api, tmp_path: Path) -> Shell:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "cli"),  # this checkout's, wherever the script was installed from
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "TERM": "xterm",
        "TZ": "UTC",
        "SLUICE_URL": api.url,
        "SLUICE_TOKEN": TOKEN,
    }
    return Shell(tmp_path, environment)
