"""The command that imports a file: it goes on where it was, and says what came of it."""

import json
import re

import httpx
import pytest

from local import counts_file, import_counts
from local.errors import LocalError

IMPORTS = "/api/admin/views/imports"


class Api:
    """Answers as the function does, and applies a chunk with each look at a running import."""

    def __init__(self, types=("video",), skipped=(), failures=()):
        self.imports = {}
        self.chunks = []
        self.calls = []
        self.types = types
        self.skipped = list(skipped)
        self.failures = list(failures)

    def __call__(self, request):
        path = request.url.path.removeprefix(IMPORTS)
        self.calls.append(f"{request.method} {path}")
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            if failure:
                return failure
        body = json.loads(request.content) if request.content else {}
        if path == "/api/admin/views/counts":
            (item,) = body["items"]
            known = item["content_type"] in self.types
            return httpx.Response(200, json={}) if known else refusal(400, "invalid")
        if not path:
            return self.listed(request) if request.method == "GET" else self.created(body)
        found = self.imports[path.split("/")[1]]
        if path.endswith("/skipped"):
            return httpx.Response(200, json={"items": self.skipped, "next_cursor": None})
        if path.endswith("/execute"):
            found["status"] = "running"
        elif request.method == "PUT":
            assert found["chunks"] + 1 == int(path.rpartition("/")[2])
            self.chunks.append(body["rows"])
            found["chunks"] += 1
            found["rows"] += len(body["rows"])
        elif found["status"] == "running":
            found["applied"] = min(found["applied"] + 500, found["rows"])
            found["status"] = "completed" if found["applied"] == found["rows"] else "running"
        return httpx.Response(200, json=found)

    def listed(self, request):
        """One to a page."""
        number = int(request.url.params.get("cursor", 0))
        items = list(self.imports.values())[number : number + 1]
        more = str(number + 1) if number + 1 < len(self.imports) else None
        return httpx.Response(200, json={"items": items, "next_cursor": more})

    def created(self, body):
        found = an_import(f"imp_{len(self.imports)}", body["name"])
        self.imports[found["id"]] = found
        return httpx.Response(201, json=found)


def an_import(import_id, name, **changes):
    counts = {"chunks": 0, "rows": 0, "applied": 0, "skipped": 0, "views": 0}
    return {"id": import_id, "name": name, "status": "pending"} | counts | changes


def refusal(status, code, message="No"):
    return httpx.Response(status, json={"message": message, "code": code})


def some_lines(number, content_type="video"):
    return counts_file.read(f"{content_type},v{each},5\n" for each in range(number))


def run(api, lines, name="counts.csv", **more):
    shown = []
    with httpx.Client(transport=httpx.MockTransport(api), base_url="http://api") as http:
        found, skipped = import_counts.import_counts(http, lines, name, lambda *each: shown.append(each), **more)
    return found, skipped, shown


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(import_counts.time, "sleep", lambda seconds: None)


def test_a_file_is_uploaded_in_chunks_started_and_followed_to_its_end():
    api = Api()

    found, _, shown = run(api, some_lines(1200))

    assert [len(chunk) for chunk in api.chunks] == [500, 500, 200]
    assert api.chunks[2][-1] == {"content_type": "video", "content_id": "v1199", "count": 5}
    assert (found["status"], found["applied"]) == ("completed", 1200)
    assert re.fullmatch(r"counts\.csv sha256:[0-9a-f]{64}", found["name"])
    assert shown == [
        *[("uploaded", rows, 1200) for rows in (0, 500, 1000, 1200)],
        *[("imported", rows, 1200) for rows in (500, 1000, 1200)],
    ]


def test_an_upload_that_was_interrupted_goes_on_after_its_last_chunk():
    api = Api(failures=[None] * 5 + [refusal(400, "invalid", "Enough")])
    with pytest.raises(LocalError, match="Enough"):
        run(api, some_lines(1200))
    uploaded = len(api.chunks)

    found, _, _ = run(api, some_lines(1200))

    assert uploaded == 2
    assert [len(chunk) for chunk in api.chunks] == [500, 500, 200]
    assert len(api.imports) == 1
    assert found["applied"] == 1200


@pytest.mark.parametrize("status", ["running", "completed"])
def test_an_import_that_was_started_is_followed_and_not_uploaded_again(status):
    api, lines = Api(), some_lines(700)
    first, _, _ = run(api, lines)
    api.imports[first["id"]]["status"] = status
    api.calls.clear()

    found, _, _ = run(api, lines)

    assert found["status"] == "completed"
    assert not any(call.startswith("PUT") for call in api.calls)
    assert ("POST /imp_0/execute" in api.calls) is (status == "running")


def test_an_import_that_has_failed_is_told_with_what_to_do():
    api, lines = Api(), some_lines(700)
    first, _, _ = run(api, lines)
    api.imports[first["id"]] |= {"status": "failed", "failure_reason": "not done after 106 steps"}
    api.calls.clear()

    with pytest.raises(LocalError, match=r"imp_0 has failed: not done after 106 steps.*another NAME=") as told:
        run(api, lines)

    assert "skipped" in str(told.value)
    assert "POST /imp_0/execute" not in api.calls


@pytest.mark.parametrize("other", [{"name": "other.csv"}, {"number": 3}])
def test_another_file_or_name_is_another_import(other):
    api = Api()
    run(api, some_lines(2))

    run(api, some_lines(other.get("number", 2)), other.get("name", "counts.csv"))

    assert len(api.imports) == 2


def test_an_import_is_found_on_a_later_page():
    api = Api()
    for name in ("a", "b", "c"):
        run(api, some_lines(2), name)

    run(api, some_lines(2), "c")

    assert len(api.imports) == 3


def test_an_import_that_ended_before_it_was_executed_again_is_done():
    api, lines = Api(), some_lines(2)
    run(api, lines)
    api.imports["imp_0"]["status"] = "running"
    api.failures = [None, None, refusal(409, "import_is_completed")]

    found, _, _ = run(api, lines)

    assert found["status"] == "completed"


def test_a_type_that_the_installation_does_not_have_is_named_before_anything_is_uploaded():
    api = Api(types=("video",))
    lines = counts_file.read(["video,a,1\n", "fantasies,b,1\n", "fantasies,c,1\n", "stories,d,1\n"])

    with pytest.raises(LocalError) as raised:
        run(api, lines)

    assert str(raised.value).splitlines()[1:] == [
        "  line 2: the installation has no content type 'fantasies'",
        "  line 4: the installation has no content type 'stories'",
    ]
    assert api.imports == {}


@pytest.mark.parametrize("failure", [httpx.Response(503, json={}), httpx.Response(429), httpx.ConnectError("gone")])
def test_what_is_busy_for_a_moment_is_asked_again(failure):
    found, _, _ = run(Api(failures=[None, None, failure, failure]), some_lines(2))

    assert found["applied"] == 2


def test_what_stays_busy_is_told_with_what_to_do():
    with pytest.raises(LocalError, match=r"answered 503: No\. Run it again: it goes on where it was\."):
        run(Api(failures=[refusal(503, "unavailable")] * 10), some_lines(2))


@pytest.mark.parametrize(
    ("answer", "told"),
    [(refusal(403, "forbidden", "A token is required"), "403: A token is required"), (httpx.Response(404), "404: ")],
)
def test_a_refusal_is_told(answer, told):
    with pytest.raises(LocalError, match=f"The import was answered {told}"):
        run(lambda request: answer, some_lines(2))


def test_an_import_that_stands_still_is_told_with_what_to_do():
    api, lines = Api(), some_lines(2)
    name = f"counts.csv sha256:{counts_file.digest(lines)}"
    standing = an_import("imp_0", name, status="running", rows=2, chunks=1)

    def stands(request):
        answer = api(request) if request.url.path == "/api/admin/views/counts" else None
        if answer is not None:
            return answer
        listed = {"items": [standing], "next_cursor": None}
        return httpx.Response(200, json=listed if request.url.path == IMPORTS else standing)

    with pytest.raises(LocalError, match="imp_0 stands still. Is the platform stopped"):
        run(stands, lines, still_seconds=0.01)


def test_a_file_is_read_with_a_byte_order_mark_too(tmp_path):
    file = tmp_path / "counts.csv"
    file.write_bytes(b"\xef\xbb\xbftype,id,count\r\nvideo,a,5\r\n")

    assert [line.content_id for line in import_counts.lines_of(str(file))] == ["a"]


@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot be read: No such file"), (b"video,\xff,5\n", "is not UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, content, told):
    file = tmp_path / "counts.csv"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(LocalError, match=told):
        import_counts.lines_of(str(file))


def test_a_summary_names_the_lines_that_were_skipped():
    lines = counts_file.read(["type,id,count\n", "video,a,1\n", "\n", "video,b,1\n"])
    found = an_import("imp_0", "n", applied=1_000, views=5_000, skipped=3)
    skipped = [{"number": 2, "content_type": "video", "content_id": "b", "reason": "already_imported"}]

    text = import_counts.summary(found, skipped, lines)

    assert text.splitlines() == [
        "imp_0 is done: 1,000 counts, 5,000 views in all, are organic now; 3 were skipped:",
        "  line 4: video b: already_imported",
        "  and 2 more",
    ]


def test_a_summary_of_an_import_without_skipped_rows_is_one_line():
    found = an_import("imp_0", "n", applied=2, views=10)

    assert import_counts.summary(found, [], []) == "imp_0 is done: 2 counts, 10 views in all, are organic now."
