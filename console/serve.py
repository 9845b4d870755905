"""HTTP: the console's page and what it loads, answered from memory.

The modules under static/ are joined into one app.js when a function starts: nothing has to be built or uploaded, and a
browser makes a handful of requests. Standard library only, so that nothing of the layers is imported.
"""

import base64
import gzip
import hashlib
import html
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

STATIC = Path(__file__).parent / "static"
ENTRY = "app.js"
PAGE = "index.html"
VENDOR = "vendor/preact.js"
FILES = ("app.css", "icon.svg", VENDOR)
"""What is served as it lies there, beside the page and the joined modules."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_EVER = "public, max-age=31536000, immutable"

_IMPORT = re.compile(r'import \{ ?(\w+(?:, \w+)*),? ?\} from "(\.[\w./-]*\.js)";')
_DECLARATION = re.compile(r"(export )?(?:(?:async )?function\*? ?|const |let |class )(\w+)\b")
_DECLARES = re.compile(r"(?:export\b|(?:async )?function\b|(?:const|let|var|class)\b)")
_EXPORT = re.compile(r"export (?:(?:async )?function\b|const |let )")
_NEVER = (
    (re.compile(r"\bimport\s*\("), "it imports dynamically: there is one app.js"),
    (re.compile(r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write", re.I), "it writes HTML: let htm draw it"),
    (re.compile(r"\beval\s*\(|\bnew Function\b"), "it runs text, which the page's policy refuses"),
    (re.compile(r"\bstyle=[\"']"), "it has inline style text, which the page's policy refuses: style=${{...}}"),
)


class Unjoinable(ValueError):
    """The modules cannot be made into one; says which line of which file, and what to write instead."""


class Settings(NamedTuple):
    """Of the function's environment."""

    connect_origins: str
    """Origins that the page talks to beside its own, with spaces between them: where forms upload to."""
    oidc_issuer: str = ""
    """The identity provider by which people sign in. Empty: none."""
    oidc_audience: str = ""
    oidc_scope: str = ""
    oidc_origins: str = ""
    """Those of the provider beside the issuer's, with spaces between them."""
    session_url: str = ""
    """Where an ID token is exchanged for a token of the API."""
    live: str = ""
    """`off` where the stack has no WebSocket for hints: the page then asks for no ticket."""

    @property
    def attributes(self) -> dict[str, str]:
        """What the page has to know of the deployment, by the name of the attribute."""
        return self.provider | ({"live": self.live} if self.live == "off" else {})

    @property
    def provider(self) -> dict[str, str]:
        """What the page has to know to sign people in, by the name of the attribute."""
        if not self.oidc_issuer:
            return {}
        return {
            "issuer": self.oidc_issuer,
            "client": self.oidc_audience,
            "scope": self.oidc_scope,
            "session": self.session_url,
        }

    @property
    def origins(self) -> list[str]:
        """All that the page may talk to beside its own."""
        of_provider = [_origin(self.oidc_issuer), *self.oidc_origins.split(), _origin(self.session_url)]
        return [*self.connect_origins.split(), *(of_provider if self.oidc_issuer else [])]


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


class Module(NamedTuple):
    name: str
    """Of the file, from static/."""
    imports: dict[str, set[str]]
    """Names by the file that they are from."""
    names: dict[str, bool]
    """What it declares at its top level, and whether that is exported."""
    text: str
    """Without imports and comments, and without the word `export`."""


def joined(static: Path) -> str:
    """The modules that `app.js` reaches, as one, in the order in which a browser would run them. Raises Unjoinable."""
    modules = list(_in_order(static, ENTRY, {}))
    known = {module.name: module for module in modules}
    vendored: set[str] = set()
    owners: dict[str, str] = {}
    for module in modules:
        vendored |= module.imports.get(VENDOR, set())
    for module in modules:
        for name in module.names:
            if name in vendored or name in owners:
                raise Unjoinable(f"{module.name}: {name} is also a name of {owners.get(name, VENDOR)}: choose another")
            owners[name] = module.name
        for source in module.imports.keys() - {VENDOR}:
            for name in sorted(module.imports[source]):
                if not known[source].names.get(name):
                    raise Unjoinable(f"{module.name}: {source} exports no {name}")
    first = f'import {{ {", ".join(sorted(vendored))} }} from "./{VENDOR}";\n' if vendored else ""
    return first + "".join(f"// {module.name}\n{module.text}" for module in modules)


def _in_order(static: Path, name: str, seen: dict[str, None]) -> Iterator[Module]:
    """A module behind those that it imports. Modules that import one another come as ES modules do."""
    seen[name] = None
    file = static / name
    module = _module(name, file.read_text(encoding="utf-8"))
    for source in module.imports:
        if source == VENDOR or source in seen:
            continue
        if not (static / source).is_file():
            raise Unjoinable(f"{name}: there is no {source}")
        yield from _in_order(static, source, seen)
    yield module


def _module(name: str, text: str) -> Module:
    imports: dict[str, set[str]] = {}
    names: dict[str, bool] = {}
    kept: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        bare = line.strip()
        if not bare or bare.startswith("//"):
            continue
        for never, why in _NEVER:
            if never.search(line):
                raise Unjoinable(f"{where}: {why}")
        if re.match(r"import\b", line):
            found = _IMPORT.fullmatch(line.rstrip())
            if not found:
                raise Unjoinable(f'{where}: write an import as one line: import {{ a, b }} from "./x.js";')
            source = os.path.normpath(f"{Path(name).parent}/{found[2]}")
            imports.setdefault(source, set()).update(found[1].split(", "))
            continue
        if _DECLARES.match(line):
            found = _DECLARATION.match(line)
            if not found or (line.startswith("export") and not _EXPORT.match(line)):
                raise Unjoinable(f"{where}: declare one name, and export by `export function`, `const` or `let`")
            if found[2] in names:
                raise Unjoinable(f"{where}: {found[2]} is declared above: choose another name")
            names[found[2]] = bool(found[1])
            bare = bare.removeprefix("export ")
        # Comments and indentation are a fifth of the text. htm drops the spaces around a line break, so none is missed.
        kept.append(bare)
    return Module(name, imports, names, "\n".join(kept) + "\n")


class File(NamedTuple):
    """What is served under one name."""

    kind: str
    plain: bytes
    gzipped: bytes
    tag: str


class Site:
    """All that is served, made of the files once. Raises Unjoinable, and OSError for a file that is missing."""

    def __init__(
        self, static: Path, origins: Iterable[str] = (), attributes: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        texts = {name: (static / name).read_bytes() for name in FILES} | {ENTRY: joined(static).encode()}
        page = (static / PAGE).read_text(encoding="utf-8")
        known = "".join(f' data-{name}="{html.escape(value)}"' for name, value in attributes.items())
        page = page.replace('<div id="app">', f'<div id="app"{known}>')
        digest = hashlib.sha256(page.encode())
        for name in sorted(texts):
            digest.update(f"\n{name} {hashlib.sha256(texts[name]).hexdigest()}".encode())
        self.version = digest.hexdigest()[:16]
        """Names the content of all files: what lies under it never changes."""
        self.page = _file(PAGE, page.replace("{version}", self.version).encode())
        self.files = {name: _file(name, text) for name, text in texts.items()}
        self.page_headers = _page_headers(origins)

    def answer(self, proxy: str | None, headers: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a request for `/console` (None), or for what is behind `/console/`."""
        if proxy is None:
            return _found(self.page, {"cache-control": "no-cache", **self.page_headers}, headers)
        if not proxy:
            # Links of the page are relative to the address without the slash.
            return {"statusCode": 308, "headers": {"location": "../console", "cache-control": "no-cache"}, "body": ""}
        version, _, name = proxy.partition("/")
        if version != self.version or name not in self.files:
            return {
                "statusCode": 404,
                "headers": {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", **_NOSNIFF},
                "body": "There is no such file, or there is a new version of the console: reload the page.\n",
            }
        return _found(self.files[name], {"cache-control": FOR_EVER, **_NOSNIFF}, headers)


_NOSNIFF = {"x-content-type-options": "nosniff"}


def _file(name: str, text: bytes) -> File:
    tag = f'W/"{hashlib.sha256(text).hexdigest()[:16]}"'
    return File(TYPES[Path(name).suffix], text, gzip.compress(text, 9, mtime=0), tag)


def _page_headers(origins: Iterable[str]) -> dict[str, str]:
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        " ".join(["connect-src 'self'", *origins]),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    return {
        "content-security-policy": "; ".join(policy),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=31536000",
        **_NOSNIFF,
    }


def _found(file: File, more: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, Any]:
    # A gateway would give a 304 without a type one of its own.
    headers = {"content-type": file.kind, "etag": file.tag, "vary": "accept-encoding", **more}
    if _is_known(file.tag, asked.get("if-none-match", "")):
        return {"statusCode": 304, "headers": headers, "body": ""}
    if not _takes_gzip(asked.get("accept-encoding", "")):
        return {"statusCode": 200, "headers": headers, "body": file.plain.decode()}
    headers["content-encoding"] = "gzip"
    body = base64.b64encode(file.gzipped).decode()
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}


def _is_known(tag: str, given: str) -> bool:
    """Whether an If-None-Match names it; the comparison is the weak one."""
    tags = {each.strip().removeprefix("W/") for each in given.split(",")}
    return tag.removeprefix("W/") in tags or "*" in tags


def _takes_gzip(given: str) -> bool:
    for each in given.lower().split(","):
        coding, _, weight = each.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return not re.fullmatch(r"0(\.0*)?", weight)
    return False


def read_settings(environment: Mapping[str, str]) -> Settings:
    return Settings(*(environment[name.upper()] for name in Settings._fields))


@cache
def site() -> Site:
    read = read_settings(os.environ)
    return Site(STATIC, read.origins, read.attributes)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    # Not the whole path, which a custom domain may begin with a path of its own.
    proxy = (event.get("pathParameters") or {}).get("proxy")
    if proxy is None and event["rawPath"].endswith("/"):
        proxy = ""
    return site().answer(proxy, headers)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    site()  # A start has a whole processor; a call, with 128 MB, a fourteenth of one.
