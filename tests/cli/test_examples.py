"""Every command's own example, against the contract: the one way to know that each asks what the API takes."""

import shlex
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path

import click
import pytest

from local import cli_docs
from sluice_cli.main import COMMANDS, main, tree
from sluice_cli.verbs import Verb
from tests.cli.api import TOKEN, UPLOAD, Api

BOOST = "/api/admin/fake-views/bst_01"
PROGRESS = "/api/campaigns/brd_01/progress"
IMPORT = "/api/campaigns/brd_01/imports"


def all_verbs() -> Iterator[tuple[str, Verb]]:
    context = click.Context(tree, info_name="sluice")
    for name in COMMANDS:
        command = tree.get_command(context, name)
        if isinstance(command, click.Group):
            for verb in command.commands.values():
                assert isinstance(verb, Verb)
                yield f"sluice {name} {verb.name}", verb
        else:
            assert isinstance(command, Verb)
            yield f"sluice {name}", command


VERBS = dict(all_verbs())


@pytest.fixture
def ended(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Everything that is watched has ended well, and the files are there."""
    api.play("GET", BOOST, api.like("GET", BOOST, status="completed"))
    api.play("GET", PROGRESS, api.like("GET", PROGRESS, status="COMPLETED"))
    api.play("GET", "/api/v1/campaigns/spn_01", api.like("GET", "/api/v1/campaigns/spn_01", status="closed"))
    settled = {"status": "CampaignClosed", "stage": "settled", "operation": None, "error": None}
    api.play("GET", "/v2/campaigns/prm_01", api.like("GET", "/v2/campaigns/prm_01", **settled))
    api.play("GET", "/api/admin/views/sync/1", api.like("GET", "/api/admin/views/sync/1", phase="done"))
    api.play("GET", "/api/views/video/abc123", {"content_type": "video", "content_id": "abc123", "total": 7})
    form = api.like("POST", "/api/campaigns/brd_01/recipients/import", id="imp_01")
    form["upload"] |= {"url": api.origin + UPLOAD, "fields": {"key": "imports/1"}}
    api.play("POST", "/api/campaigns/brd_01/recipients/import", form)
    api.play("GET", f"{IMPORT}/imp_01", api.like("GET", f"{IMPORT}/imp_01", status="DONE"))
    (tmp_path / "people.csv").write_text("phone,name\n5511987654321,Mia\n")
    (tmp_path / "counts.csv").write_text("video,abc123,7\n")
    (tmp_path / "token.txt").write_text(TOKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SLUICE_URL", api.url)
    monkeypatch.setenv("SLUICE_TOKEN", TOKEN)
    return api


@pytest.mark.parametrize("named", VERBS)
def test_the_example_of_a_command_does_what_the_api_takes(
    named: str, ended: Api, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(VERBS[named].example.removeprefix('eval "$(').removesuffix(')"'))
    if "<" in words:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(Path(words[-1]).read_bytes())))
        words = words[: words.index("<")]
    if "login" in words:
        words[words.index("--url") + 1] = ended.url

    code = main(words[1:])

    out, err = capfd.readouterr()
    assert (code, err.count("error:")) == (0, 0), err
    assert " ".join(words).startswith(named)
    assert ended.asked or named in ("sluice profiles", "sluice completion")
    assert out or err or Path(words[-1]).exists()


def test_every_command_has_one_line_of_help_and_the_root_has_the_same() -> None:
    context = click.Context(tree, info_name="sluice")

    lines = {name: (tree.get_command(context, name) or click.Command("")).help for name in COMMANDS}

    assert lines == {name: line for name, (_, line) in COMMANDS.items()}
    for named, verb in VERBS.items():
        assert verb.help, named
        assert "\n" not in verb.help, named
        assert verb.help.endswith("."), named
        assert all(option.help for option in verb.own_options), named


def test_the_reference_is_what_the_help_says() -> None:
    """`make cli-docs` writes it."""
    assert cli_docs.FILE.read_text() == cli_docs.reference()
