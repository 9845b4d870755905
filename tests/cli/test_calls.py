"""What goes over the wire: repeats, keys, tokens."""

import json

from tests.cli.api import TOKEN, UPLOAD, Api, Played
from tests.cli.running import Shell

BOOSTS = "/api/admin/fake-views"
BOOST = f"{BOOSTS}/bst_01"
BUSY = Played(503, b'{"code":"busy","message":"Busy"}', {"retry-after": "0"})
LOST = Played(lost=True)
CREATE = ("boosts", "create", "--video", "abc123", "--total", "15000", "--days", "30", "--daily-limit", "500")


def test_the_walks_boost_is_what_the_api_takes(api: Api, shell: Shell) -> None:
    words = "boosts create --video abc123 --total 15000 --days 30 --pattern steady --daily-limit 500"

    ended = shell.run(*words.split())

    assert ended.code == 0
    assert api.asked[0].json == {
        "video_id": "abc123",
        "total_count": 15000,
        "duration_days": 30,
        "pattern": "steady",
        "daily_limit": 500,
    }
    assert api.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_script_starts_a_campaign_by_its_id(api: Api, shell: Shell) -> None:
    """S1-32."""
    ended = shell.run("boosts", "execute", "bst_01")

    assert ended.code == 0
    assert [(each.method, each.path) for each in api.asked] == [("POST", f"{BOOST}/execute")]


def test_a_get_is_repeated_while_the_api_is_busy_or_lost(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, BUSY, LOST, Played(429, b"{}", {"retry-after": "0"}), api.like("GET", BOOST))

    ended = shell.run("boosts", "show", "bst_01", "-v")

    assert ended.code == 0
    assert len(api.asked) == 4


def test_a_get_is_given_up_after_four_attempts(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, BUSY)

    ended = shell.run("boosts", "show", "bst_01")

    assert (ended.code, ended.told.splitlines()[0]) == (6, "error: Busy (busy)")
    assert len(api.asked) == 4


def test_a_write_whose_answer_is_lost_is_repeated_with_the_same_key(api: Api, shell: Shell) -> None:
    api.play("POST", BOOSTS, LOST, LOST, Played(201, b'{"id": "bst_01"}'))

    ended = shell.run(*CREATE)

    assert (ended.code, ended.text) == (0, "id  bst_01\n")
    keys = [each.headers["idempotency-key"] for each in api.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert len({each.body for each in api.asked}) == 1


def test_each_run_has_a_key_of_its_own(api: Api, shell: Shell) -> None:
    shell.run(*CREATE)
    shell.run(*CREATE)

    first, second = (each.headers["idempotency-key"] for each in api.asked)
    assert first != second


def test_a_write_that_the_api_refuses_is_not_repeated(api: Api, shell: Shell) -> None:
    api.play("POST", BOOSTS, api.problem(409, "monthly_cap", "The month is full"))

    assert shell.run(*CREATE).code == 5
    assert len(api.asked) == 1


def test_a_raw_write_is_repeated_only_with_a_key(api: Api, shell: Shell) -> None:
    api.play("POST", f"{BOOST}/pause", LOST)
    without = shell.run("api", "POST", f"{BOOST}/pause")
    asked_without = len(api.asked)
    with_key = shell.run("api", "POST", f"{BOOST}/pause", "--key", "k-1")

    assert (without.code, asked_without) == (6, 1)
    assert (with_key.code, len(api.asked) - asked_without) == (6, 4)


def test_any_route_is_called_as_it_is(api: Api, shell: Shell) -> None:
    api.play("POST", "/api/admin/views/sync", Played(202, b'{"epoch":7}'))

    ended = shell.run("api", "post", "/api/admin/views/sync", "-f", "force=true")
    listed = shell.run("api", "GET", BOOSTS, "-f", "limit=5")
    read = shell.run("api", "POST", "/api/admin/stop", "--input", "-", stdin=b'{"reason": "caf\xc3\xa9"}')

    assert (ended.text, listed.code, read.code) == ('{"epoch":7}\n', 0, 0)
    assert api.asked[0].json == {"force": True}
    assert api.asked[1].query == {"limit": "5"}
    assert api.asked[2].json == {"reason": "café"}


def test_verbose_shows_the_calls_and_never_the_token(api: Api, shell: Shell) -> None:
    api.play("GET", BOOST, Played(body=b'{"id": "bst_01"}', headers={"apigw-requestid": "req-7"}))

    ended = shell.run("-v", "boosts", "show", "bst_01")

    assert ended.text == "id  bst_01\n"
    method, path, status, _, unit, request = ended.told.split()
    assert (method, status, unit, request) == ("GET", "200", "ms", "req-7")
    assert path.endswith(BOOST)
    assert TOKEN not in ended.told


def test_a_file_of_recipients_goes_to_the_store_without_the_token(api: Api, shell: Shell) -> None:
    imports = "/api/campaigns/brd_01/recipients/import"
    form = api.like("POST", imports, id="imp_01")
    form["upload"] |= {"url": api.origin + UPLOAD, "fields": {"key": "imports/1", "policy": "p"}}
    api.play("POST", imports, Played(201, json.dumps(form).encode()))
    path = "/api/campaigns/brd_01/imports/imp_01"
    api.play("GET", path, api.like("GET", path, status="CHECKING"), api.like("GET", path, status="DONE", accepted=2))
    content = b"phone,name\r\n5511987654321,Mia\r\n5511987654322,Leo\r\n"
    (shell.home / "people.csv").write_bytes(content)

    ended = shell.run("broadcasts", "import", "brd_01", "people.csv", "--phone-column", "phone", "--every", "0.05")

    assert ended.code == 0
    asked, upload, start = api.asked[:3]
    assert asked.json == {"hasHeader": True, "phoneColumn": "phone"}
    assert "authorization" not in upload.headers
    assert upload.body.index(b'name="key"') < upload.body.index(b'name="policy"') < upload.body.index(b'name="file"')
    assert content in upload.body
    assert start.path == f"{path}/start"
    assert "accepted" in ended.text


def test_an_import_that_failed_is_1(api: Api, shell: Shell) -> None:
    imports = "/api/campaigns/brd_01/recipients/import"
    form = api.like("POST", imports, id="imp_01")
    form["upload"] |= {"url": api.origin + UPLOAD, "fields": {}}
    api.play("POST", imports, form)
    path = "/api/campaigns/brd_01/imports/imp_01"
    api.play("GET", path, api.like("GET", path, status="FAILED", reason="too many errors"))
    (shell.home / "people.csv").write_bytes(b"phone\n1\n")

    ended = shell.run("broadcasts", "import", "brd_01", "people.csv")

    assert ended.code == 1
    assert "too many errors" in ended.text
