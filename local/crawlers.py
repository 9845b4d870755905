"""Writes layers/kernel/sluice/crawlers.txt: the names of bots, from the patterns of the package crawler-user-agents.

What the bots' own words recognise is left out (sluice.bots). The package has patterns that people's browsers match too;
`PEOPLE` names them.
"""

import json
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from importlib.resources import files
from typing import Any

from local.errors import LocalError, run
from sluice import bots

PACKAGE = "crawler-user-agents"
PEOPLE = {
    r"AP3A\.240617\.008": "a build of Android 15 on phones of OnePlus, Oppo and Vivo",
    r"Code\/1\.": "the browser in Visual Studio Code",
    "Fluid": "a browser for macOS",
    "MetaIAB Facebook": "the browser in Facebook's app",
    r"Notion\/": "the browser in Notion's app",
    "Sogou": "a browser, beside the crawlers `Sogou web spider` and others",
    r"Tumblr\/": "the browser in Tumblr's app",
    "Viber": "the browser in Viber's app",
}
"""Patterns that are left out, and whose user agents match them."""

_LITERAL = re.compile(r"\^?(?:\\\W|[^\\\[\](){}^$.|*+?])+")


def entries() -> list[dict[str, Any]]:
    """Of the package: each has a `pattern` and its `instances`, user agents that match it."""
    found: list[dict[str, Any]] = json.loads(
        files("crawleruseragents").joinpath("crawler-user-agents.json").read_text()
    )
    return found


def text() -> str:
    """The file, as the installed version of the package makes it."""
    package = distribution(PACKAGE)
    (licence,) = (file for file in package.files or () if file.name == "LICENSE")
    head = [
        f"Written by `make crawlers` from {PACKAGE} {package.version}, https://github.com/monperrus/{PACKAGE}",
        "A word, and the names that contain it. `^`: the user agent begins with that name.",
        "",
        *licence.read_text().strip().splitlines(),
    ]
    lines = [f"{word}\t{of_word}" for word, of_word in sorted(_by_word(_names()).items())]
    return "".join(f"{line}\n" for line in [*(f"# {line}".rstrip() for line in head), *lines])


def _names() -> Iterator[str]:
    used = [entry for entry in entries() if entry["pattern"] not in PEOPLE]
    names = [name for entry in used for name in _literals(entry["pattern"]) if not bots.has_a_bots_word(name)]
    yield from names
    known = _by_word(names)
    for entry in used:
        for instance in entry["instances"]:
            if not bots.has_a_bots_word(instance) and not bots.is_listed(instance, known):
                yield _found_by(entry["pattern"], instance)


def _by_word(names: Iterable[str]) -> bots.Names:
    found: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        found.setdefault(max(bots.words(name), key=len), []).append(name)
    return {word: "\t".join(of_word) for word, of_word in found.items()}


def _literals(pattern: str) -> Iterator[str]:
    """The texts that a pattern stands for, if it is that simple: `[wW]get` is two."""
    begun = pattern.removeprefix("(^| )")  # as every name does
    for choice in (r"\1", r"\2"):
        chosen = re.sub(r"\[(\w)(\w)\]", choice, begun)
        if _LITERAL.fullmatch(chosen):
            yield re.sub(r"\\(.)", r"\1", chosen).strip()


def _found_by(pattern: str, instance: str) -> str:
    """The text that a pattern finds, to the ends of the words in which it begins and ends."""
    match = re.search(rf"[A-Za-z0-9]*(?:{pattern})[A-Za-z0-9]*", instance)
    if match is None:
        raise LocalError(f"The pattern {pattern} does not match its instance {instance}")
    return (("^" if pattern.startswith("^") else "") + match[0]).strip()


def main() -> None:
    bots.NAMES_FILE.write_text(text())
    print(f"Wrote {bots.NAMES_FILE.name}.")


if __name__ == "__main__":
    run(main)
