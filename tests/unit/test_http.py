"""The HTTP conventions, on a small API of their own."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from sluice import http
from sluice.errors import Conflicting, Invalid, Unavailable
from sluice.http import parameters, routes
from sluice.http.resolver import logger
from sluice.roles import Role
from tests.gateway import REQUEST_ID, Context, a_request

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    content_id: str = Field(min_length=1)


class NewThing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=100)
    daily_limit: int = 1
    weight: float = 1.0
    parts: list[Part] = []
    note: Annotated[str, http.OneLine] = "-"
    lowest: Literal[Role.USER, Role.ADMIN] = Role.USER
    begins_at: AwareDatetime = NOW

    @field_validator("daily_limit")
    @classmethod
    def _within_the_maximum(cls, value: int) -> int:
        if value > 100_000:
            raise ValueError("Daily limit exceeds maximum of 100000")
        return value


class Thing(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    made_by: str
    made_at: http.Moment
    fingerprint: str
    key: str | None
    request_id: str


SMALLER, USUAL, LARGER = 1024, 256 * 1024, 512 * 1024
"""The largest bodies that routes take, in bytes."""


def add_keyed_commands(app: APIGatewayHttpResolver) -> None:
    @app.post("/things/<name>/copy", **http.require(Role.USER))
    def copy(name: str, body: Annotated[NewThing, Body()], origin: http.Origin) -> dict[str, str]:
        return {"fingerprint": origin.fingerprint}

    @app.put("/things/<name>/copy", **http.require(Role.USER))
    def recopy(name: str, body: Annotated[NewThing, Body()], origin: http.Origin) -> dict[str, str]:
        return {"fingerprint": origin.fingerprint}

    @app.post("/things/<name>/rename", **http.require(Role.USER))
    def rename(name: str, body: Annotated[NewThing | None, Body()] = None) -> dict[str, str]:
        return {"name": body.name if body else name}

    @app.post("/things/<name>/note", **http.require(Role.USER, max_body_bytes=SMALLER))
    def note(name: str, body: Annotated[NewThing, Body()]) -> dict[str, str]:
        return {"name": name}

    @app.post("/things/<name>/attach", **http.public(max_body_bytes=LARGER))
    def attach(name: str, body: Annotated[NewThing, Body()]) -> dict[str, str]:
        return {"name": name}

    @app.get("/things/<name>/label", **http.public())
    def label(name: str) -> dict[str, str]:
        return {"name": name}

    @app.post("/things/<name>/touch", **http.require(Role.USER))
    def touch(name: str, origin: http.Origin) -> dict[str, str]:
        return {"fingerprint": origin.fingerprint}


def an_api() -> APIGatewayHttpResolver:
    app = http.resolver()
    add_keyed_commands(app)

    @app.post("/things", **http.require(Role.OPERATOR, 201, errors=[409]))
    def create(body: Annotated[NewThing, Body()], origin: http.Origin, key: http.IdempotencyKey = None) -> Thing:
        return Thing(name=body.name, made_by=origin.subject, made_at=NOW, key=key, **vars(origin))

    @app.get("/things", **http.public())
    def listing(
        limit: http.Limit = http.DEFAULT_LIMIT,
        cursor: http.Cursor = None,
        status: Annotated[Literal["running", "paused"] | None, Query()] = None,
    ) -> dict[str, Any]:
        position = parameters.read_cursor(cursor, created_at=str, id=str)
        return {"limit": limit, "position": position, "status": status}

    @app.get("/things/limits", **http.require(Role.USER))
    def limits(caller: http.Caller) -> dict[str, str]:
        return {"role": caller.role}

    @app.get("/things/<name>", **http.require(Role.USER, errors=[404]))
    def get(name: str) -> dict[str, str]:
        return {"name": name}

    @app.post("/things/<name>/execute", **http.require(Role.ADMIN, errors=[404, 409]))
    def execute(name: str) -> dict[str, str]:
        raise {
            "busy": Conflicting("Campaign cannot be executed", "not_executable"),
            "down": Unavailable("The database is busy", 7),
            "field": Invalid.of("daily_limit", "Daily limit exceeds maximum of 100000", "daily_limit_exceeded"),
        }.get(name) or RuntimeError("a secret in a message")

    @app.get("/wrong", **http.public())
    def wrong() -> Thing:
        return {"name": "no thing at all"}  # type: ignore[return-value]

    @app.get("/undeclared")
    def undeclared() -> dict[str, str]:
        return {}

    return app


API = an_api()


def send(method: str, path: str, **request: Any) -> tuple[int, Any, dict[str, str]]:
    answer = API.resolve(a_request(method, path, **request), Context())
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def create(**request: Any) -> tuple[int, Any, dict[str, str]]:
    return send("POST", "/things", **request)


def refused(answer: tuple[int, Any, dict[str, str]]) -> tuple[int, list[str]]:
    """The status of a refusal in the envelope, and the fields it names."""
    status, body, _ = answer
    assert set(body) == {"message", "code", "errors", "request_id"}
    assert body["request_id"] == REQUEST_ID
    assert body["message"]
    assert not body["message"].startswith("Value error")
    return status, [error["field"] for error in body["errors"]]


# --- Answers


def test_a_command_answers_the_declared_status_with_times_in_rfc_3339():
    status, thing, headers = create(body={"name": "one"})

    assert status == 201
    assert thing["made_at"] == "2026-11-20T08:30:00.000000Z"
    assert thing["made_by"] == "ada"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_refusal_carries_the_security_headers_too():
    _, _, headers = send("GET", "/nowhere")

    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json"


def test_a_static_route_wins_over_one_with_a_parameter():
    assert send("GET", "/things/limits")[1] == {"role": "admin"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("DELETE", "/things"), ("PUT", "/things/1"), ("OPTIONS", "/things")]
)
def test_an_unknown_route_and_a_wrong_method_are_404(method, path):
    assert refused(send(method, path)) == (404, [])


def test_a_route_that_does_not_declare_who_may_call_it_is_closed():
    assert refused(send("GET", "/undeclared")) == (404, [])


# --- Errors


def test_a_refusal_raised_in_a_route_is_answered_by_its_status_and_code():
    status, body, _ = send("POST", "/things/busy/execute")

    assert status == 409
    assert body == {
        "message": "Campaign cannot be executed",
        "code": "not_executable",
        "errors": [],
        "request_id": REQUEST_ID,
    }


def test_an_invalid_field_raised_in_a_route_is_named():
    status, body, _ = send("POST", "/things/field/execute")

    assert (status, body["code"]) == (400, "daily_limit_exceeded")
    assert body["errors"] == [{"field": "daily_limit", "message": "Daily limit exceeds maximum of 100000"}]


def test_what_is_unavailable_is_503_with_retry_after():
    status, body, headers = send("POST", "/things/down/execute")

    assert (status, body["code"], headers["Retry-After"]) == (503, "unavailable", "7")


def test_an_unexpected_error_is_500_that_leaks_nothing_and_is_logged_once(caplog):
    status, body, _ = send("POST", "/things/boom/execute")

    assert status == 500
    assert body == {"message": "Internal error", "code": "internal_error", "errors": [], "request_id": REQUEST_ID}
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.getMessage() for record in logged] == ["Unexpected error"]


def test_an_answer_that_is_not_what_the_route_declares_is_our_error():
    assert refused(send("GET", "/wrong")) == (500, [])


# --- Roles


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 409), ("operator", 403), ("service", 403), ("user", 403), ("root", 403), (None, 403)]
)
def test_only_an_admin_may_do_what_is_for_admins(role, status):
    assert refused(send("POST", "/things/busy/execute", role=role)) == (status, [])


@pytest.mark.parametrize(("role", "status"), [("admin", 201), ("operator", 201), ("service", 403), ("user", 403)])
def test_a_role_may_do_what_lower_roles_may(role, status):
    assert create(body={"name": "one"}, role=role)[0] == status


def test_a_role_too_low_is_told_so_and_nothing_about_its_body():
    status, body, _ = create(text="{", role="user")

    assert (status, body["code"], body["errors"]) == (403, "forbidden", [])


def test_a_public_route_needs_no_token():
    assert send("GET", "/things", role=None)[0] == 200


# --- Bodies


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "name", "name: Required"),
        ({"name": "one", "daily_limit": 100_001}, "daily_limit", "Daily limit exceeds maximum of 100000"),
        ({"name": "one", "daily_limit": "x"}, "daily_limit", "daily_limit: Input should be a valid integer"),
        ({"name": "one", "daily_limit": 1.5}, "daily_limit", "daily_limit: Input should be a valid integer"),
        ({"name": "one", "surprise": 1}, "surprise", "surprise: Unknown field"),
        (
            {"name": "one", "parts": [{"content_id": "a"}, {"content_id": ""}]},
            "parts.1.content_id",
            "parts.1.content_id: ",
        ),
        ({"name": None}, "name", "name: Input should be a valid string"),
        ({"name": "x" * 101}, "name", "name: String should have at most 100"),
        ({"name": "\ud800"}, "name", "name: Input should be a valid string"),
        ({"name": "one", "note": "two\nlines"}, "note", "note must be one line"),
        ({"name": "one", "note": " "}, "note", "note must not be blank"),
        (
            {"name": "one", "begins_at": "2026-11-01T00:00:00"},
            "begins_at",
            "begins_at: Input should be a time with its zone, such as 2026",
        ),
        ({"name": "one", "begins_at": "soon"}, "begins_at", "begins_at: Input should be a time with its zone"),
    ],
)
def test_a_wrong_field_is_400_and_named(body, field, message):
    answer = create(body=body)

    assert refused(answer) == (400, [field])
    assert answer[1]["message"].startswith(message)
    assert answer[1]["code"] == "invalid"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "one", "daily_limit": "x"}, "daily_limit: Input should be a valid integer"),
        ({"name": "one", "daily_limit": 1.5}, "daily_limit: Input should be a valid integer"),
        ({"name": "one", "parts": [{"content_id": ""}]}, "parts.0.content_id: Input should not be empty"),
        ({"name": "one", "lowest": "service"}, "lowest: Input should be 'user' or 'admin'"),
        (
            {"name": "one", "note": "", "lowest": ""},
            "note: must not be blank; lowest: Input should be 'user' or 'admin'",
        ),
    ],
)
def test_a_message_has_no_word_of_the_library_that_found_it(body, message):
    _, answer, _ = create(body=body)

    assert answer["message"] == message


def test_a_validators_own_words_are_the_whole_message():
    _, body, _ = create(body={"name": "one", "daily_limit": 100_001})

    assert body["message"] == "Daily limit exceeds maximum of 100000"
    assert body["errors"] == [{"field": "daily_limit", "message": "Daily limit exceeds maximum of 100000"}]


def test_every_wrong_field_is_named():
    answer = create(body={"daily_limit": "x", "surprise": 1})

    assert refused(answer) == (400, ["name", "daily_limit", "surprise"])


def test_thousands_of_wrong_fields_make_a_short_answer():
    answer = create(body={f"field{number}": number for number in range(5_000)})

    assert len(refused(answer)[1]) == 20
    assert len(json.dumps(answer[1])) < 3_000


def test_a_long_name_of_an_unknown_field_is_cut():
    assert refused(create(body={"name": "one", "x" * 5_000: 1})) == (400, ["x" * 32])
    assert refused(send("GET", "/things", query="x" * 5_000)) == (400, ["x" * 32])
    assert refused(create(body={"name": "one", "é\0🎉" * 50: 1})) == (400, ["?" * 32])


def test_thousands_of_unknown_parameters_make_a_short_answer():
    answer = send("GET", "/things", query="&".join(f"x{number}=" for number in range(5_000)))

    assert refused(answer) == (400, ["x0", "x1", "x2"])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="cut off"),
        pytest.param("nonsense", id="no JSON"),
        pytest.param("   ", id="blank"),
        pytest.param("", id="empty"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="a list"),
        pytest.param('[{"name": "one"}]', id="a list of what is wanted"),
        pytest.param('"text"', id="a string"),
        pytest.param("3", id="a number"),
        pytest.param('{"name": "one", "weight": NaN}', id="NaN"),
        pytest.param('{"name": "one", "weight": -Infinity}', id="Infinity"),
        pytest.param('{"name": "one", "weight": 1e999}', id="a float out of range"),
        pytest.param('{"name": "one", "daily_limit": ' + "9" * 5_000 + "}", id="an int out of range"),
        pytest.param('{"name": ' + "[" * 100_000 + "]" * 100_000 + "}", id="nested too deep"),
        pytest.param('{"a":' * 30_000 + "1" + "}" * 30_000, id="objects nested too deep"),
        pytest.param("\ud800", id="no Unicode"),
    ],
)
def test_a_body_that_is_no_json_object_is_400(text):
    assert refused(create(text=text, headers={"Content-Type": "application/json"})) == (400, ["body"])


def test_a_missing_body_is_400():
    answer = create()

    assert refused(answer) == (400, ["body"])
    assert answer[1]["message"] == "The body must be a JSON object; it is empty"


@pytest.mark.parametrize(
    ("text", "name"), [(None, "lamp"), ("", "lamp"), ('{"name": "torch"}', "torch")], ids=["none", "empty", "some"]
)
def test_an_optional_body_may_be_missing(text, name):
    answer = send("POST", "/things/lamp/rename", text=text)

    assert answer[:2] == (200, {"name": name})


def test_an_optional_body_that_is_there_is_checked():
    assert refused(send("POST", "/things/lamp/rename", text="{")) == (400, ["body"])
    assert refused(send("POST", "/things/lamp/rename", text='{"nam": "torch"}')) == (400, ["name", "nam"])


@pytest.mark.parametrize("digits", [30, 400, 4_000])
def test_a_huge_number_is_refused_by_its_field(digits):
    answer = create(text='{"name": "one", "daily_limit": ' + "9" * digits + "}")

    assert refused(answer) == (400, ["daily_limit"])


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", "image/png", ""],
)
def test_another_content_type_is_400_and_named(content_type):
    answer = create(text='{"name": "one"}', headers={"Content-Type": content_type})

    assert refused(answer) == (400, ["Content-Type"])


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/json ;x=y"]
)
def test_json_is_known_by_its_type_with_or_without_parameters(content_type):
    assert create(text='{"name": "one"}', headers={"Content-Type": content_type})[0] == 201


def test_a_body_without_a_type_is_taken_for_json():
    request = a_request("POST", "/things", body={"name": "one"})
    del request["headers"]["content-type"]

    assert API.resolve(request, Context())["statusCode"] == 201


def test_a_base64_body_is_decoded():
    encoded = base64.b64encode('{"name": "ö"}'.encode()).decode()

    assert create(text=encoded, base64=True)[1]["name"] == "ö"


@pytest.mark.parametrize(
    "text",
    ["!!!", "abc", base64.b64encode(b'{"name": "one"}').decode() + "!", base64.b64encode(b"\xff\xfe{}").decode()],
)
def test_a_body_that_is_no_base64_or_no_utf_8_is_400(text):
    assert refused(create(text=text, base64=True)) == (400, ["body"])


def _padded(size: int) -> bytes:
    """A body of `size` bytes and fewer characters."""
    head = '{"name": "one", "surprise": "ö'.encode()
    return head + b"x" * (size - len(head) - 2) + b'"}'


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    ("path", "limit"), [("/things", USUAL), ("/things/1/note", SMALLER), ("/things/1/attach", LARGER)]
)
def test_a_body_above_the_routes_limit_is_413(path, limit, encoded):
    """Without a limit of its own, 256 KiB."""

    def answer(size: int) -> tuple[int, Any, dict[str, str]]:
        body = _padded(size)
        text = base64.b64encode(body).decode() if encoded else body.decode()
        return send("POST", path, text=text, base64=encoded)

    assert refused(answer(limit)) == (400, ["surprise"])
    assert refused(answer(limit + 1)) == (413, [])
    assert answer(limit + 1)[1]["message"] == f"The body is over {limit} bytes"


@pytest.mark.parametrize("text", ["{" * 300_000, "\x00" * 300_000])
def test_a_big_body_is_refused_before_it_is_parsed(text):
    assert refused(create(text=text))[0] == 413


def test_a_big_body_is_413_where_no_body_is_read_too():
    assert refused(send("POST", "/things/busy/execute", text="x" * 300_000))[0] == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from(["name", "daily_limit", "weight", "parts", "content_id"])


@given(JSON | st.dictionaries(FIELDS | st.text(), JSON))
def test_no_json_body_is_a_500(body):
    status, _, _ = create(body=body)

    assert status in (201, 400)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_are_a_500(content, encoded):
    text = base64.b64encode(content).decode() if encoded else content.decode("latin-1")

    assert create(text=text, base64=encoded)[0] == 400


# --- Queries and paging


def test_a_list_answers_fifty_unless_told():
    assert send("GET", "/things")[1] == {"limit": 50, "position": None, "status": None}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("surprise=1", ["surprise"]),
        ("surprise", ["surprise"]),
        ("limit=0", ["limit"]),
        ("limit=201", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=x", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=1&limit=2", ["limit"]),
        ("limit=1,2", ["limit"]),
        ("limit=" + "9" * 5000, ["limit"]),
        ("status=running&status=running", ["status"]),
        ("status=running,paused", ["status"]),
        ("status=unknown", ["status"]),
        ("Limit=1", ["Limit"]),
        ("a=1&b=2", ["a", "b"]),
        ("%00=1", ["?"]),
    ],
)
def test_a_wrong_query_parameter_is_400_and_named(query, fields):
    assert refused(send("GET", "/things", query=query)) == (400, fields)


def test_a_parameter_given_twice_is_told_so():
    _, body, _ = send("GET", "/things", query="limit=1&limit=2")

    assert body["errors"] == [{"field": "limit", "message": "Given more than once"}]


def test_a_query_is_refused_where_none_is_read():
    assert refused(send("POST", "/things/busy/execute", query="force=1")) == (400, ["force"])


@given(st.text() | st.lists(st.tuples(st.sampled_from(["limit", "cursor", "status"]), st.text())))
def test_no_query_is_a_500(query):
    raw = query.encode("utf-8", "ignore").decode() if isinstance(query, str) else "&".join("=".join(p) for p in query)

    assert send("GET", "/things", query=raw)[0] in (200, 400)


@given(st.text(), st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1))
def test_a_cursor_gives_back_the_position_and_is_safe_in_a_url(text, number):
    position = {"id": text[:50], "created_at": number}

    cursor = parameters.write_cursor(position)

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert parameters.read_cursor(cursor, id=str, created_at=int) == position


@pytest.mark.parametrize("number", ["9" * 20, "-" + "9" * 20, "1.0", "true", '"1"'])
def test_a_cursor_with_a_number_that_no_key_can_be_is_refused(number):
    with pytest.raises(Invalid):
        parameters.read_cursor(_cursor(f'{{"number": {number}}}'), number=int)


def test_the_end_of_a_list_has_no_cursor():
    assert parameters.write_cursor(None) is None
    assert parameters.read_cursor(None, id=str) is None


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "garbage",
        "ä",
        "a b",
        "====",
        _cursor("{}"),
        _cursor("[]"),
        _cursor("[" * 700),
        _cursor('{"id": "a"}'),
        _cursor('{"id": "a", "created_at": "b", "kind": "c"}'),
        _cursor('{"id": "a", "created_at": {}}'),
        _cursor('{"id": "a", "created_at": true}'),
        _cursor('{"id": "a", "created_at": 1.5}'),
        _cursor('{"id": "a", "created_at": 1}'),
        _cursor('{"id": "a", "created_at": "' + "x" * 2000 + '"}'),
        parameters.write_cursor({"id": "a", "created_at": "b"}) + "x",
        "!" + parameters.write_cursor({"id": "a", "created_at": "b"}),
    ],
)
def test_a_cursor_that_was_tampered_with_is_400_and_named(cursor):
    assert refused(send("GET", "/things", query={"cursor": cursor})) == (400, ["cursor"])


# --- Idempotency


def test_an_idempotency_key_reaches_the_route_however_its_header_is_written():
    assert create(body={"name": "one"}, headers={"idempotency-key": "k-1"})[1]["key"] == "k-1"


@pytest.mark.parametrize("key", ["", " ", "a b", "ä", "\x7f", "\t", "x" * 256])
def test_a_malformed_idempotency_key_is_400_and_named(key):
    answer = create(body={"name": "one"}, headers={"Idempotency-Key": key})

    assert refused(answer) == (400, ["Idempotency-Key"])
    assert answer[1]["message"] == "Idempotency-Key must be 1 to 255 visible ASCII characters"


@pytest.mark.parametrize("key", ["!", "~", "x" * 255, "a,b"])
def test_a_key_of_visible_ascii_is_taken(key):
    assert create(body={"name": "one"}, headers={"Idempotency-Key": key})[1]["key"] == key


def test_a_request_is_named_by_the_gateways_id():
    assert create(body={"name": "one"}, headers={"Idempotency-Key": "k-1"})[1]["request_id"] == REQUEST_ID


@pytest.mark.parametrize("text", [None, "", "{not json", "[1]"])
def test_a_route_that_takes_no_body_has_a_fingerprint_whatever_comes(text):
    status, body, _ = send("POST", "/things/1/touch", text=text)

    assert (status, len(body["fingerprint"])) == (200, 64)


def fingerprint(**request: Any) -> str:
    return create(**{"body": {"name": "one"}} | request)[1]["fingerprint"]


def test_the_fingerprint_is_of_the_meaning_of_a_request_and_not_of_its_spelling():
    spelled = '{ "daily_limit": 2,\n "name": "one" }'

    assert fingerprint(body={"name": "one", "daily_limit": 2}) == fingerprint(text=spelled)
    assert fingerprint() == fingerprint(headers={"Idempotency-Key": "k"})


def test_the_fingerprint_differs_by_subject_method_path_and_body():
    copies = [
        send(method, path, body={"name": "one"})[1]["fingerprint"]
        for method, path in [("POST", "/things/1/copy"), ("PUT", "/things/1/copy"), ("POST", "/things/2/copy")]
    ]

    prints = {fingerprint(), fingerprint(subject="bob"), fingerprint(body={"name": "two"}), *copies}

    assert len(prints) == 6


# --- Logs


def test_the_log_names_request_route_and_subject_and_shows_no_body(caplog):
    @logger.inject_lambda_context(clear_state=True)
    def handler(event, context):
        return API.resolve(event, context)

    handler(a_request("POST", "/things", body={"name": "one", "secret": "in the body"}), Context())

    (record,) = caplog.records
    line = json.loads(logger.registered_formatter.format(record))
    assert line["message"] == "Refused"
    assert (line["request_id"], line["route"], line["subject"]) == (REQUEST_ID, "POST /things", "ada")
    assert "in the body" not in json.dumps(line)


def test_no_debugging_switch_prints_a_body(monkeypatch, capfd):
    monkeypatch.setenv("POWERTOOLS_DEV", "1")

    an_api().resolve(a_request("POST", "/things", body={"name": "in the body"}), Context())

    assert "in the body" not in capfd.readouterr().out


# --- OpenAPI


def test_the_openapi_says_who_may_call_and_never_422():
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

    schema = json.loads(API.get_openapi_json_schema(security_schemes={routes.SECURITY_SCHEME: HTTPBearer()}))

    operation = schema["paths"]["/things"]["post"]
    assert operation["security"] == [{"token": ["operator"]}]
    assert set(operation["responses"]) == {"201", "400", "401", "403", "409", "413", "429", "500", "503"}
    assert not any("422" in found["responses"] for path in schema["paths"].values() for found in path.values())


def test_the_openapi_says_a_routes_own_limit_of_bodies_and_no_usual_one():
    from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

    schema = json.loads(API.get_openapi_json_schema(security_schemes={routes.SECURITY_SCHEME: HTTPBearer()}))

    paths = schema["paths"]
    limits = {path: paths[path]["post"].get("x-max-body-bytes") for path in ("/things", "/things/{name}/note")}
    assert limits == {"/things": None, "/things/{name}/note": SMALLER}


@pytest.mark.parametrize("path", ["spn_1:nina", "spn_1%3Anina", "spn_1%3anina"])
def test_a_colon_in_a_path_stands_as_it_is_or_encoded(path: str) -> None:
    status, body, _ = send("GET", f"/things/{path}/label", role=None)

    assert (status, body) == (200, {"name": "spn_1:nina"})


@pytest.mark.parametrize("path", ["%", "%ZZ", "%ff", "%253A"])
def test_what_decodes_to_nothing_known_is_no_error_of_the_server(path: str) -> None:
    status, _, _ = send("GET", f"/things/{path}/label", role=None)

    assert status == 200
