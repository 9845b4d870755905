"""Every command's own example, against the contract: the one way to know that each asks what the API takes."""

import shlex
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path

import click
import pytest

from local import cli_docs
from sluice_cli.main import COMMANDS, main, tree
from sluice_cli.verbs import Field, Verb, Word
from tests.cli.api import TOKEN, UPLOAD, Api

ALONE = ("sluice profiles", "sluice completion", "sluice hooks verify-signature")
"""Commands that ask nothing of the API."""
BOOST = "/api/admin/fake-views/bst_01"
PROGRESS = "/api/campaigns/brd_01/progress"
IMPORT = "/api/campaigns/brd_01/imports"
SPOKEN = ("/api/consents", "/api/suppressions/import")
FILES = {
    "counts.csv": "video,abc123,7\n",
    "token.txt": TOKEN,
    "blocked.csv": "phone,reason,at\n5511987654321,asked,2026-11-01T09:00:00Z\n",
    "keys.txt": "AAAA-BBBB\n",
    "tokens.txt": "a-token\n",
    "secrets.json": '{"apiKey": "k", "jwtKey": "a-key-of-thirty-two-signs-at-least"}',
    "winter.png": "a picture",
    "body.json": '{"type":"boost.completed","timestamp":"2026-11-28T00:53:20.000000Z","data":{"id":"bst_01"}}',
    "secret.txt": "whsec_YSBtYXN0ZXIgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=\n",
}


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
    imports = "/api/admin/views/imports"
    api.play("GET", imports, {"items": [], "next_cursor": None})
    api.play("POST", imports, api.like("GET", f"{imports}/imp_02", id="imp_02", status="pending", chunks=0))
    api.play("GET", f"{imports}/imp_02", api.like("GET", f"{imports}/imp_02", status="completed"))
    api.play("GET", f"{imports}/imp_02/skipped", {"items": [], "next_cursor": None})
    api.play("POST", "/api/admin/redrive", {"queue": "boosts", "moved": 1, "left": 0})
    (tmp_path / "people.csv").write_text("phone,name\n5511987654321,Mia\n")
    for path in ("/api/media", "/v2/campaigns/prm_01/media"):
        api.play("POST", path, api.like("POST", path, url=api.origin + UPLOAD, fields={"key": "media/1"}))
    check = "/api/v1/campaigns/monitoring/full-check"
    api.play("POST", check, api.like("POST", check, id="chk_01"))
    api.play("GET", f"{check}/chk_01", api.like("GET", f"{check}/chk_01", status="checked"))
    for path in SPOKEN:
        api.play("POST", path, {"changed": 1, "unchanged": 0, "refused": []})
    api.play("DELETE", "/api/consents", {"changed": 1, "unchanged": 0, "refused": []})
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SLUICE_URL", api.url)
    monkeypatch.setenv("SLUICE_TOKEN", TOKEN)
    return api


def run(line: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """Run a line as a shell would: its words, and its exit code."""
    words = shlex.split(line.removeprefix('eval "$(').removesuffix(')"'))
    if "<" in words:
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(Path(words[-1]).read_bytes())))
        words = words[: words.index("<")]
    if "login" in words:
        words[words.index("--url") + 1] = api.url
    return words, main(words[1:])


@pytest.mark.parametrize("named", VERBS)
def test_the_example_of_a_command_does_what_the_api_takes(
    named: str, ended: Api, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words, code = run(VERBS[named].example, ended, monkeypatch)

    out, err = capfd.readouterr()
    assert (code, err.count("error:")) == (0, 0), err
    assert " ".join(words).startswith(named)
    assert ended.asked or named in ALONE
    assert out or err or Path(words[-1]).exists()


MORE = (
    "sluice boosts export",
    "sluice broadcasts simulate brd_01",
    "sluice sponsorships verify spn_01 --streamer nina",
    "sluice views export refusals",
    "sluice views export history video abc123",
    "sluice views refusals",
)
"""Lines that ask what no example asks."""
UNCALLED = {
    "POST /api/views": "a viewer's browser",
    "POST /api/views/batch": "a viewer's browser",
    "POST /api/views/counts": "a page that shows counts; `views counts` asks the same of more contents",
    "POST /api/v1/campaigns/{campaign_id}/impressions": "a viewer's browser; `impressions` sends many",
    "POST /api/v1/campaigns/{campaign_id}/impressions/token": "a viewer's browser; `tokens` mints for a service",
    "POST /api/v1/campaigns/{campaign_id}/clicks": "a viewer's browser",
    "GET /v2/wallet": "the same answer as GET /api/v1/wallets/me, which is `wallets list`",
    "POST /webhooks/evolution/{instance}": "a provider",
    "POST /webhooks/evolution/{instance}/{event}": "a provider",
    "GET /webhooks/meta/{instance}": "a provider",
    "POST /webhooks/meta/{instance}": "a provider",
    "POST /api/admin/live": "the console's page; a terminal reads again",
    "GET /api/admin/views/sync": "`views sync` follows its own epoch",
}
"""Operations that no command calls, and who does."""


FIXED = {"PUT /api/instances/{instance_id}": {"provider", "currency"}}
"""Fields that the API takes and never changes."""


def test_every_operation_of_the_api_has_a_command_that_calls_it(ended: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where a command is a table of fields, it has all that the operation takes."""
    contract = ended.contract
    asked: set[str] = set()
    options: dict[str, set[str]] = defaultdict(set)
    for line in (*(each.example for each in VERBS.values()), *MORE):
        before = len(ended.asked)
        run(line, ended, monkeypatch)
        fields = {each.to.partition(".")[0] for each in verb_of(line).params if isinstance(each, Field | Word)}
        for each in ended.asked[before:]:
            operation = contract.name(each.method, each.path)
            asked.add(operation)
            # A verb without fields of its own, such as `disable`, may say what is left of another one's.
            if (fields or operation in options) and "--watch" not in line:
                options[operation] |= fields | (set(each.json) if each.body else set())

    operations = {f"{method.upper()} {path}" for path, found in contract.document["paths"].items() for method in found}
    assert operations - asked == set(UNCALLED)
    for operation, found in options.items():
        if not operation.endswith("/export"):  # its pages are followed
            assert contract.fields(operation) - found == FIXED.get(operation, set()), operation


def verb_of(line: str) -> Verb:
    """The command of a line: with one word, or with two."""
    words = line.removeprefix('eval "$(').split()
    return VERBS.get(" ".join(words[:3])) or VERBS[" ".join(words[:2])]


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
