"""The console as the embedded stack serves it, behind a path that is not its own."""

import re
from pathlib import Path

import httpx

STATIC = Path(__file__).parents[2] / "console" / "static"


def test_the_page_and_all_that_it_loads_are_there_for_everybody(anyone: httpx.Client) -> None:
    page = anyone.get("/console")
    links = re.findall(r'(?:href|src)="\./([^"]+)"', page.text)

    assert page.status_code == 200
    assert "require-trusted-types-for 'script'" in page.headers["content-security-policy"]
    assert {link.rpartition("/")[2] for link in links} >= {"app.js", "app.css"}
    for link in links:
        file = anyone.get(f"/{link}")
        assert file.status_code == 200, link
        assert file.headers["cache-control"].endswith("immutable")


def test_a_file_arrives_as_it_is_with_gzip_and_without(anyone: httpx.Client) -> None:
    version = re.findall(r'src="\./console/(\w+)/app\.js"', anyone.get("/console").text)[0]
    vendored = (STATIC / "vendor" / "preact.js").read_bytes()

    for coding in ("gzip", "identity"):
        answer = anyone.get(f"/console/{version}/vendor/preact.js", headers={"accept-encoding": coding})

        assert answer.content == vendored
        assert answer.headers.get("content-encoding", "identity") == coding


def test_what_a_browser_has_is_not_sent_again(anyone: httpx.Client) -> None:
    tag = anyone.get("/console").headers["etag"]

    again = anyone.get("/console", headers={"if-none-match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_a_version_that_is_gone_is_said_to_be(anyone: httpx.Client) -> None:
    answer = anyone.get("/console/0000000000000000/app.js")

    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
