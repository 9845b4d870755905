"""`sluice views import`: it goes on where it was, and says what came of it."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest

from sluice_cli import counts_file
from tests.cli.api import Api, Asked, Played
from tests.cli.running import Ended, Shell

IMPORTS = "/api/admin/views/imports"
COUNTS = "/api/admin/views/counts"

Json = dict[str, Any]


class Imports:
    """Answers as the function does, and applies a chunk with each look at a running import."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.found: dict[str, Json] = {}
        self.chunks: list[list[Json]] = []
        self.calls: list[str] = []
        self.types: Iterable[str] = ("video",)
        self.skipped: list[Json] = []
        self.failures: list[Played | None] = []
        """What the next calls are answered instead; None for as it is."""
        self.stands_still = False
        api.part = self

    def __call__(self, asked: Asked) -> Played:
        path = asked.path.removeprefix(IMPORTS)
        self.calls.append(f"{asked.method} {path}")
        if self.failures and (failure := self.failures.pop(0)):
            return failure
        if path == COUNTS:
            (item,) = asked.json["items"]
            is_known = item["content_type"] in self.types
            return answer({}) if is_known else self.api.problem(400, "invalid", "There is no such type")
        if not path:
            return self.listed(asked) if asked.method == "GET" else self.created(asked)
        found = self.found[path.split("/")[1]]
        if path.endswith("/skipped"):
            return answer({"items": self.skipped, "next_cursor": None})
        if path.endswith("/execute"):
            found["status"] = "running"
        elif asked.method == "PUT":
            assert found["chunks"] + 1 == int(path.rpartition("/")[2])
            self.chunks.append(asked.json["rows"])
            found["chunks"] += 1
            found["rows"] += len(asked.json["rows"])
        elif found["status"] == "running" and not self.stands_still:
            found["applied"] = min(found["applied"] + 500, found["rows"] - found["skipped"])
            found["views"] = found["applied"] * 5
            is_done = found["applied"] + found["skipped"] == found["rows"]
            found["status"] = "completed" if is_done else "running"
        return answer(found)

    def listed(self, asked: Asked) -> Played:
        """One to a page."""
        number = int(asked.query.get("cursor", 0))
        items = list(self.found.values())[number : number + 1]
        more = str(number + 1) if number + 1 < len(self.found) else None
        return answer({"items": items, "next_cursor": more})

    def created(self, asked: Asked) -> Played:
        made = self.put(f"imp_{len(self.found)}", asked.json["name"])
        return answer(made, 201)

    def put(self, import_id: str, name: str, **changes: Any) -> Json:
        counts = {"chunks": 0, "rows": 0, "applied": 0, "skipped": 0, "views": 0}
        self.found[import_id] = {"id": import_id, "name": name, "status": "pending", "failure_reason": None}
        self.found[import_id] |= counts | changes
        return self.found[import_id]


def answer(body: Json, status: int = 200) -> Played:
    return Played(status, json.dumps(body).encode())


@pytest.fixture
def imports(api: Api) -> Imports:
    return Imports(api)


def some_lines(number: int, content_type: str = "video") -> str:
    return "".join(f"{content_type},v{each},5\n" for each in range(number))


def imported(shell: Shell, text: str | bytes, *words: str, **more: str) -> Ended:
    """The command on a file of this content, in a pipe."""
    (shell.home / "counts.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return shell.run("views", "import", "counts.csv", "--every", "0.05", *words, **more)


def test_a_file_is_uploaded_in_chunks_started_and_followed_to_its_end(imports: Imports, shell: Shell) -> None:
    ended = imported(shell, some_lines(1200))

    assert (ended.code, ended.err) == (0, b"")
    assert [len(chunk) for chunk in imports.chunks] == [500, 500, 200]
    assert imports.chunks[2][-1] == {"content_type": "video", "content_id": "v1199", "count": 5}
    (found,) = imports.found.values()
    assert (found["status"], found["applied"]) == ("completed", 1200)
    assert re.fullmatch(r"counts\.csv sha256:[0-9a-f]{64}", found["name"])
    assert ended.text.splitlines() == [
        "uploaded  500 of 1,200  41 %",
        "uploaded  1,000 of 1,200  83 %",
        "uploaded  1,200 of 1,200  100 %",
        "running  500 of 1,200  41 %  2,500 views imported",
        "running  1,000 of 1,200  83 %  5,000 views imported",
        "completed  1,200 of 1,200  100 %  6,000 views imported",
    ]


def test_as_json_each_change_is_the_apis_own_answer(imports: Imports, shell: Shell) -> None:
    ended = imported(shell, some_lines(700), "--json")

    lines = [json.loads(line) for line in ended.text.splitlines()]
    assert [(each["status"], each["rows"], each["applied"]) for each in lines] == [
        ("pending", 500, 0),
        ("pending", 700, 0),
        ("running", 700, 500),
        ("completed", 700, 700),
    ]
    assert lines[-1] == imports.found["imp_0"]


def test_in_a_terminal_there_is_a_bar_and_the_last_lines_stay(imports: Imports, shell: Shell) -> None:
    (shell.home / "counts.csv").write_text(some_lines(1200))

    ended = shell.in_terminal("views", "import", "counts.csv", "--every", "0.05", COLUMNS="120")

    assert ended.code == 0
    assert ended.text.splitlines() == [
        "uploaded  1,200 of 1,200  100 %",
        "completed  1,200 of 1,200  100 %  6,000 views imported",
    ]
    assert "500 of 1,200  41 %" in ended.told
    assert "━" in ended.told


def test_an_upload_that_was_interrupted_goes_on_after_its_last_chunk(imports: Imports, shell: Shell) -> None:
    imports.failures = [None] * 5 + [imports.api.problem(400, "invalid", "Enough")]
    first = imported(shell, some_lines(1200))
    uploaded = len(imports.chunks)

    second = imported(shell, some_lines(1200))

    assert (first.code, first.told.splitlines()[0]) == (2, "error: Enough (invalid)")
    assert uploaded == 2
    assert [len(chunk) for chunk in imports.chunks] == [500, 500, 200]
    assert len(imports.found) == 1
    assert (second.code, imports.found["imp_0"]["applied"]) == (0, 1200)


def test_an_upload_that_was_complete_when_it_was_interrupted_is_started(imports: Imports, shell: Shell) -> None:
    imports.failures = [None] * 4 + [imports.api.problem(403, "forbidden", "Not now")]
    first = imported(shell, some_lines(2))

    second = imported(shell, some_lines(2))

    assert (first.code, second.code) == (4, 0)
    assert len(imports.chunks) == 1
    assert imports.found["imp_0"]["status"] == "completed"


@pytest.mark.parametrize("status", ["running", "completed"])
def test_an_import_that_was_started_is_followed_and_not_uploaded_again(
    imports: Imports, shell: Shell, status: str
) -> None:
    imported(shell, some_lines(700))
    imports.found["imp_0"]["status"] = status
    imports.calls.clear()

    ended = imported(shell, some_lines(700))

    assert (ended.code, imports.found["imp_0"]["status"]) == (0, "completed")
    assert not any(call.startswith("PUT") for call in imports.calls)
    assert ("POST /imp_0/execute" in imports.calls) is (status == "running")


def test_an_import_that_has_failed_is_told_with_what_to_do(imports: Imports, shell: Shell) -> None:
    imported(shell, some_lines(700))
    imports.found["imp_0"] |= {"status": "failed", "failure_reason": "not done after 106 steps"}
    imports.calls.clear()

    ended = imported(shell, some_lines(700))

    assert ended.code == 1
    assert "not done after 106 steps" in ended.text
    assert "run it again with another --name, which skips that" in ended.text
    assert "POST /imp_0/execute" not in imports.calls


@pytest.mark.parametrize(("number", "words"), [(2, ("--name", "other")), (3, ())])
def test_another_file_or_name_is_another_import(
    imports: Imports, shell: Shell, number: int, words: tuple[str, ...]
) -> None:
    imported(shell, some_lines(2))

    imported(shell, some_lines(number), *words)

    assert len(imports.found) == 2


def test_an_import_is_found_on_a_later_page(imports: Imports, shell: Shell) -> None:
    for name in ("a", "b", "c", "c"):
        imported(shell, some_lines(2), "--name", name)

    assert len(imports.found) == 3


def test_two_runs_that_begin_at_once_have_one_key_for_one_import(imports: Imports, shell: Shell, api: Api) -> None:
    for _ in range(2):
        imported(shell, some_lines(2))
        imports.found.clear()

    keys = [each.headers["idempotency-key"] for each in api.asked if (each.method, each.path) == ("POST", IMPORTS)]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_a_name_is_cut_where_the_api_would_refuse_it(imports: Imports, shell: Shell) -> None:
    imported(shell, some_lines(2), "--name", "n" * 200)

    assert imports.found["imp_0"]["name"].startswith("n" * 100 + " sha256:")


def test_an_import_that_ended_before_it_was_executed_again_is_done(imports: Imports, shell: Shell) -> None:
    imported(shell, some_lines(2))
    imports.found["imp_0"]["status"] = "running"
    imports.failures = [None, None, imports.api.problem(409, "import_is_completed", "It is completed")]

    ended = imported(shell, some_lines(2))

    assert (ended.code, ended.text) == (0, "completed  2 of 2  100 %  10 views imported\n")


def test_a_type_that_the_installation_does_not_have_is_named_before_anything_is_uploaded(
    imports: Imports, shell: Shell
) -> None:
    ended = imported(shell, "video,a,1\nfantasies,b,1\nfantasies,c,1\nstories,d,1\n")

    assert (ended.code, ended.out) == (2, b"")
    assert ended.told.splitlines() == [
        "error: Nothing was imported.",
        "line 2: the installation has no content type 'fantasies'",
        "line 4: the installation has no content type 'stories'",
    ]
    assert imports.found == {}


@pytest.mark.parametrize("status", [429, 502, 503])
def test_what_is_busy_for_a_moment_is_asked_again(imports: Imports, shell: Shell, status: int) -> None:
    busy = Played(status, b"{}", {"retry-after": "0"})
    imports.failures = [None, None, busy, busy]

    ended = imported(shell, some_lines(2))

    assert (ended.code, imports.found["imp_0"]["applied"]) == (0, 2)


def test_what_stays_busy_is_told_with_what_to_do(imports: Imports, shell: Shell) -> None:
    imports.failures = [Played(503, b'{"code": "unavailable", "message": "No"}', {"retry-after": "0"})] * 10

    ended = imported(shell, some_lines(2))

    assert ended.code == 6
    assert ended.told.splitlines() == ["error: No (unavailable)", "Run it again: it goes on where it was."]


def test_an_import_that_stands_still_is_told_with_what_to_do(imports: Imports, shell: Shell) -> None:
    imports.stands_still = True

    ended = imported(shell, some_lines(2), "--patience", "0.2")

    assert ended.code == 1
    assert ended.told.splitlines() == [
        "error: It stands still: running  0 of 2  0 %  0 views imported",
        "Is the platform stopped (`sluice health`)? Else `make logs` says why. Run it again: it goes on from here.",
    ]


def test_ctrl_c_says_how_it_goes_on(imports: Imports, shell: Shell) -> None:
    imports.stands_still = True
    (shell.home / "counts.csv").write_text(some_lines(2))
    looked = f"GET {'/imp_0'}"

    ended = shell.interrupted(
        *("views", "import", "counts.csv", "--name", "launch", "--every", "0.05"),
        when=lambda: imports.calls.count(looked) > 2,
    )

    assert ended.code == 130
    assert ended.told.strip() == "still running; `sluice views import counts.csv --name launch` goes on"


def test_a_file_is_read_with_a_byte_order_mark_too(imports: Imports, shell: Shell) -> None:
    ended = imported(shell, b"\xef\xbb\xbftype,id,count\r\nvideo,a,5\r\n")

    assert (ended.code, imports.chunks) == (0, [[{"content_type": "video", "content_id": "a", "count": 5}]])


@pytest.mark.parametrize(
    ("content", "told"), [(b"video,\xff,5\n", "is not UTF-8 text"), (b"video,a\n", "line 1: it has 2 fields")]
)
def test_a_file_that_cannot_be_read_is_told_and_asks_nothing(
    imports: Imports, shell: Shell, content: bytes, told: str
) -> None:
    ended = imported(shell, content)

    assert (ended.code, ended.out) == (2, b"")
    assert told in ended.told
    assert imports.calls == []


def test_a_file_that_is_not_there_is_told(shell: Shell) -> None:
    ended = shell.run("views", "import", "nowhere.csv")

    assert ended.code == 2
    assert "'nowhere.csv' does not exist" in ended.told


def test_rows_that_were_skipped_are_named_by_the_lines_of_the_file(imports: Imports, shell: Shell) -> None:
    text = "type,id,count\nvideo,a,1\n\nvideo,b,1\n"
    imports.skipped = [{"number": 2, "content_type": "video", "content_id": "b", "reason": "already_imported"}]
    name = f"counts.csv sha256:{counts_file.digest(counts_file.read(text.splitlines(keepends=True)))}"
    imports.put("imp_0", name, status="running", rows=2, chunks=1, skipped=1)

    ended = imported(shell, text)

    assert ended.text.splitlines() == [
        "completed  2 of 2  100 %  5 views imported, 1 skipped",
        "LINE  TYPE   ID  REASON",
        "   4  video  b   already_imported",
    ]
