"""The function that serves the console: what it answers, how much that is, and what it takes to start."""

import base64
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import serve
from tests.deadlines import PATIENCE
from tests.template_reader import ROOT

ORIGINS = ["https://one.example.org", "https://two.example.org"]
FILES = {"app.js", "app.css", "icon.svg", "vendor/preact.js"}
KIB = 1024


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in serve.Settings._fields:
        monkeypatch.setenv(name.upper(), "")
    monkeypatch.setenv("CONNECT_ORIGINS", " ".join(ORIGINS))
    serve.site.cache_clear()
    yield
    serve.site.cache_clear()


def ask(path: str = "", **headers: str) -> dict[str, Any]:
    """What the handler answers to `/console` and what is behind it."""
    event = json.loads((ROOT / "events" / "console" / f"serve-{'file' if path else 'page'}.json").read_text())
    event["rawPath"] = f"/console{path}"
    event["headers"] = {"host": "api.example.com", **{name.replace("_", "-"): each for name, each in headers.items()}}
    if path:
        event["pathParameters"] = {"proxy": path.removeprefix("/")}
    return serve.handler(event, None)


def text_of(answer: dict[str, Any]) -> bytes:
    """The body as a browser sees it."""
    body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()
    return gzip.decompress(body) if answer["headers"].get("content-encoding") == "gzip" else body


def addresses() -> list[str]:
    """What the page refers to, behind `/console`."""
    return re.findall(r'(?:href|src)="\./console(/[^"]+)"', text_of(ask()).decode())


def test_the_page_is_asked_for_each_time_and_refers_to_files_that_are_kept_for_ever() -> None:
    page = ask()

    assert (page["statusCode"], page["headers"]["content-type"]) == (200, "text/html; charset=utf-8")
    assert page["headers"]["cache-control"] == "no-cache"
    assert {each.partition("/")[2].partition("/")[2] for each in addresses()} <= FILES
    assert {f"/{serve.site().version}/app.js", f"/{serve.site().version}/app.css"} <= set(addresses())
    for name in FILES:
        found = ask(f"/{serve.site().version}/{name}")
        assert (found["statusCode"], found["headers"]["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert found["headers"]["x-content-type-options"] == "nosniff"
        assert found["headers"]["content-type"] == serve.TYPES[Path(name).suffix]


def test_the_page_s_links_are_all_relative() -> None:
    """It stands behind a path of its own on a laptop, and at a custom domain."""
    links = re.findall(r'(?:href|src)="([^"]+)"', text_of(ask()).decode())

    assert links
    assert all(link.startswith("./console/") for link in links)


@pytest.mark.parametrize("name", ["", *sorted(FILES)])
def test_what_is_gzipped_is_what_is_not(name: str) -> None:
    path = f"/{serve.site().version}/{name}" if name else ""

    plain, gzipped = ask(path), ask(path, accept_encoding="br, gzip;q=0.8")

    assert gzipped["headers"]["content-encoding"] == "gzip"
    assert "content-encoding" not in plain["headers"]
    assert text_of(gzipped) == text_of(plain) != b""
    assert gzipped["headers"]["vary"] == plain["headers"]["vary"] == "accept-encoding"
    assert len(base64.b64decode(gzipped["body"])) <= len(plain["body"].encode()) + 32


@pytest.mark.parametrize("given", ["", "br", "identity", "gzip;q=0", "gzip; q=0.0, br"])
def test_who_takes_no_gzip_gets_none(given: str) -> None:
    assert "content-encoding" not in ask(accept_encoding=given)["headers"]


@pytest.mark.parametrize("name", ["", "app.js"])
def test_what_is_known_is_answered_without_a_body(name: str) -> None:
    path = f"/{serve.site().version}/{name}" if name else ""
    tag = ask(path)["headers"]["etag"]

    for given in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        answer = ask(path, if_none_match=given, accept_encoding="gzip")

        assert (answer["statusCode"], answer["body"]) == (304, "")
        assert answer["headers"]["etag"] == tag
        assert answer["headers"]["cache-control"] == ask(path)["headers"]["cache-control"]
        assert answer["headers"]["content-type"] == ask(path)["headers"]["content-type"]
        assert "content-encoding" not in answer["headers"]
    assert ask(path, if_none_match='W/"other"')["statusCode"] == 200


@pytest.mark.parametrize("path", ["/0000000000000000/app.js", "/{version}/other.js", "/{version}/", "/{version}", "/x"])
def test_what_is_not_there_is_not_kept(path: str) -> None:
    answer = ask(path.replace("{version}", serve.site().version))

    assert (answer["statusCode"], answer["headers"]["cache-control"]) == (404, "no-store")
    assert "reload the page" in answer["body"]


@pytest.mark.parametrize("path", ["/{version}/index.html", "/{version}/../serve.py", "/{version}/vendor/README.md"])
def test_only_what_the_page_loads_is_served(path: str) -> None:
    assert ask(path.replace("{version}", serve.site().version))["statusCode"] == 404


def test_a_slash_too_many_is_taken_away() -> None:
    """Links of the page would be wrong behind it. An API may take it for the page's route, or for the other."""
    of_page = json.loads((ROOT / "events" / "console" / "serve-page.json").read_text()) | {"rawPath": "/v1/console/"}

    for answer in (ask("/"), serve.handler(of_page, None)):
        assert (answer["statusCode"], answer["headers"]["location"]) == (308, "../console")


def test_an_event_without_parameters_is_one_for_the_page() -> None:
    """MiniStack says `null`."""
    event = json.loads((ROOT / "events" / "console" / "serve-page.json").read_text()) | {"pathParameters": None}

    assert serve.handler(event, None)["statusCode"] == 200


def test_the_page_lets_a_browser_do_nothing_but_what_it_needs() -> None:
    headers = ask()["headers"]

    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' https://one.example.org https://two.example.org; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["permissions-policy"].startswith("camera=(), ")
    assert headers["strict-transport-security"] == "max-age=31536000"


OF_A_PROVIDER = {
    "OIDC_ISSUER": "https://id.example.com/realms/team",
    "OIDC_AUDIENCE": "sluice-console",
    "OIDC_SCOPE": "openid groups",
    "OIDC_ORIGINS": "https://tokens.example.com",
    "SESSION_URL": "https://d4e5f6.execute-api.example.com/prod",
}


def test_of_an_identity_provider_the_page_knows_what_it_needs_and_may_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without = text_of(ask()).decode()
    for name, value in OF_A_PROVIDER.items():
        monkeypatch.setenv(name, value)
    serve.site.cache_clear()

    answer = ask()

    page, attributes = (
        text_of(answer).decode(),
        (
            'data-issuer="https://id.example.com/realms/team" data-client="sluice-console" data-scope="openid groups" '
            'data-session="https://d4e5f6.execute-api.example.com/prod"'
        ),
    )
    assert f'<div id="app" {attributes}></div>' in page
    assert "data-" not in without
    allowed = re.findall(r"connect-src ([^;]*);", answer["headers"]["content-security-policy"])[0].split()
    assert allowed == [
        "'self'",
        *ORIGINS,
        "https://id.example.com",
        "https://tokens.example.com",
        "https://d4e5f6.execute-api.example.com",
    ]


def test_without_an_issuer_nothing_of_a_provider_is_in_the_page_or_its_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    page = ask()
    for name in ("OIDC_AUDIENCE", "OIDC_SCOPE", "OIDC_ORIGINS", "SESSION_URL"):
        monkeypatch.setenv(name, OF_A_PROVIDER[name])
    serve.site.cache_clear()

    assert ask() == page


@pytest.mark.parametrize(("live", "attribute"), [("off", ' data-live="off"'), ("on", ""), ("", "")])
def test_the_page_knows_that_there_is_no_socket(monkeypatch: pytest.MonkeyPatch, live: str, attribute: str) -> None:
    monkeypatch.setenv("LIVE", live)
    serve.site.cache_clear()

    assert f'<div id="app"{attribute}></div>' in text_of(ask()).decode()


def test_what_a_deployment_gives_is_text_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_ISSUER", 'https://id.example.com/"><script src="x">')
    serve.site.cache_clear()

    assert '<script src="x">' not in text_of(ask()).decode()


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    """The policy refuses them."""
    page = text_of(ask()).decode()

    assert re.search(r"<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)", page) is None


def test_a_change_of_any_file_is_another_version(tmp_path: Path) -> None:
    versions = {serve.site().version}
    for name in ("index.html", "app.css", "icon.svg", "app.js", "vendor/preact.js"):
        copy = tmp_path / name.replace("/", "-")
        (copy / "vendor").mkdir(parents=True)
        for each in ("index.html", "app.css", "icon.svg", "vendor/preact.js"):
            (copy / each).write_bytes((serve.STATIC / each).read_bytes())
        (copy / "app.js").write_text("one();\n")
        first = serve.Site(copy)
        (copy / name).write_text((copy / name).read_text() + "two();\n")

        versions |= {first.version, serve.Site(copy).version}

    assert len(versions) == 1 + 1 + 5


def test_the_console_keeps_its_budgets_of_bytes() -> None:
    files = [serve.site().page, *serve.site().files.values()]

    assert sum(len(file.gzipped) for file in files) <= 90 * KIB
    assert sum(len(file.plain) for file in files) <= 320 * KIB
    assert len(serve.site().page.gzipped) <= 1 * KIB


def test_the_page_loads_one_app_and_one_file_of_libraries() -> None:
    """At most five requests before those to the API: the page, css, libraries, app, icon."""
    scripts = {each for each in addresses() if each.endswith(".js")}

    assert scripts <= {f"/{serve.site().version}/{name}" for name in ("app.js", "vendor/preact.js")}
    assert len(set(addresses())) <= 4
    imported = re.findall(r'^import .* from "(.*)";$', text_of(ask(f"/{serve.site().version}/app.js")).decode(), re.M)
    assert imported in ([], ["./vendor/preact.js"])


def test_a_start_imports_the_standard_library_alone() -> None:
    """The layers' packages are there, and each would be paid for at every cold start."""
    code = "import json, sys; before = {*sys.modules}; import serve; serve.site(); "
    code += "print(json.dumps([*{name.partition('.')[0] for name in sys.modules.keys() - before}]))"
    done = started(code, **dict.fromkeys(map(str.upper, serve.Settings._fields), ""))

    loaded = set(json.loads(done.stdout))

    assert loaded - sys.stdlib_module_names == {"serve"}


def test_a_function_makes_all_that_it_serves_when_it_starts() -> None:
    """A start has a whole processor, and a call a fourteenth of one; without its settings it fails there too."""
    done = started("import serve", AWS_LAMBDA_FUNCTION_NAME="site")

    assert "KeyError: 'CONNECT_ORIGINS'" in done.stderr


def started(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own says, with the paths of a function."""
    paths = [str(ROOT / folder) for folder in ("console", "layers/kernel", "functions")]
    return subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"],
        env=environment,
        cwd="/",
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
