"""Whether a user agent is a bot's: by the words that bots call themselves, and by the names in crawlers.txt.

`make crawlers` writes crawlers.txt from the package crawler-user-agents. To compile and search the package's 1,500
expressions takes 60 times as long as to look up the words of an agent. Standard library only: this is the hot path.
"""

import re
import string
from collections.abc import Mapping
from pathlib import Path

type Names = Mapping[str, str]
"""Names by their longest word, with tabs between them. `^` before a name: the user agent begins with it."""

NAMES_FILE = Path(__file__).with_name("crawlers.txt")

# One at a time: in one expression they took seven times as long.
_BOTS_WORDS = (
    *("crawl", "spider", "slurp", "scrape", "headless", "phantomjs", "lighthouse", "facebookexternalhit", "embedly"),
    *("linkpreview", "link preview", "pingdom", "uptime", "monitoring", "mediapartners", "feedfetcher", "archiver"),
)
_BOT = re.compile(r"(?<!cu)bot(?![a-z0-9])")  # Cubot makes telephones
# The model in `(Linux; Android 8.0.0; CUBOT_P20 Build/O00623)`. No other name with a slash: `SomeBot/1.0` is a bot's.
_MODEL = re.compile(r"(Android[^;)]*;(?: [a-z]{2}[-_][A-Za-z]{2};)?) [^;)/]*(?: Build/[^;)]*)?(?=[;)])")
# Of bytes: a regular expression takes five times as long to find an agent's words.
_APART = bytes(byte if chr(byte) in string.ascii_letters + string.digits else ord(" ") for byte in range(256))


def is_bot(user_agent: str) -> bool:
    """Whether a user agent names a bot, or names nothing. A phone's model is no bot: `M bot 51`, `Spider 8`."""
    if not user_agent.strip():
        return True
    return _names_a_bot(user_agent) and _names_a_bot(_MODEL.sub(r"\1", user_agent))


def has_a_bots_word(user_agent: str) -> bool:
    """Whether a user agent contains a word that bots call themselves."""
    name = user_agent.lower()
    return any(word in name for word in _BOTS_WORDS) or ("bot" in name and _BOT.search(name) is not None)


def is_listed(user_agent: str, names: Names) -> bool:
    """Whether a user agent contains one of the names, and the name's longest word as a whole word."""
    found = names.keys() & words(user_agent)
    return any(_has(user_agent, name) for word in found for name in names[word].split("\t"))


def words(text: str) -> list[str]:
    """The runs of ASCII letters and digits."""
    return text.encode(errors="replace").translate(_APART).decode().split()


def _has(user_agent: str, name: str) -> bool:
    return user_agent.startswith(name[1:]) if name.startswith("^") else name in user_agent


def _names_a_bot(user_agent: str) -> bool:
    return has_a_bots_word(user_agent) or is_listed(user_agent, _NAMES)


_NAMES = dict(line.split("\t", 1) for line in NAMES_FILE.read_text().splitlines() if not line.startswith("#"))
