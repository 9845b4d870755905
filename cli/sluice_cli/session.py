"""One run of the command: what was said of where and how, the calls, the output and the questions."""

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import click

from sluice_cli import output
from sluice_cli.client import Answer, Client, Json, Query, checked
from sluice_cli.errors import CliError, WrongUse

_NO_URL = (
    "There is no address of an API. Set SLUICE_URL and SLUICE_TOKEN (a checkout: `make up`, then `source .local/env`), "
    "or keep them by `sluice login`."
)
_STOPPED = ("stopped", "platform_stopped", "platform_already_stopped")
"""The codes of refusals that a resume ends."""


@dataclass
class Session:
    """Each option may stand before the command or behind it; the last one given counts."""

    url: str = ""
    token: str = ""
    profile: str = ""
    json: bool = False
    utc: bool = False
    no_input: bool = False
    verbose: bool = False

    @cached_property
    def client(self) -> Client:
        url, token = self._where()
        return Client(url, token, self.note if self.verbose else lambda line: None)

    @cached_property
    def key(self) -> str:
        """The Idempotency-Key of this run's write: a repeat after a lost answer has the same one."""
        return f"sluice-cli-{uuid4().hex}"

    @property
    def words(self) -> output.Words:
        return output.Words(utc=self.utc)

    @property
    def has_bars(self) -> bool:
        """Whether bars and colours may be drawn."""
        plain = self.json or "NO_COLOR" in os.environ or os.environ.get("TERM", "") in ("", "dumb")
        return not plain and sys.stdout.isatty() and sys.stderr.isatty()

    @property
    def may_ask(self) -> bool:
        return not self.json and not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    def get(self, path: str, query: Query | None = None) -> Answer:
        return self.checked(self.client.call("GET", path, query=query))

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        query: Query | None = None,
        *,
        part: str = "",
        key: str = "",
        if_match: str = "",
        expected: str = "",
    ) -> Answer:
        """A write, repeated with one key when its answer is lost. `part` tells a run's writes from each other.

        `key`: another key than the run's. A refusal with the code `expected` is an answer like a good one.
        """
        key = key or self.key + part
        answer = self.client.call(method, path, body=body, query=query, key=key, if_match=if_match)
        return answer if expected and answer.code == expected else self.checked(answer)

    def checked(self, answer: Answer) -> Answer:
        """The answer, if it is a good one. Raises the CliError of its status."""
        return checked(answer, self._stopped() if answer.code in _STOPPED else "")

    def _stopped(self) -> str:
        """Since when the platform is stopped, as far as this token may know it, and what to do."""
        answer = self.client.call("GET", "/api/admin/stop")
        found = answer.json if answer.status == 200 else {}
        since = f" since {self.words.moment(found['since'])} by {found['actor']}" if found.get("since") else ""
        why = f' ("{found["reason"]}")' if found.get("reason") else ""
        return output.visible(f"The platform is stopped{since}{why}: sluice resume --reason TEXT")

    def echo(self, line: str) -> None:
        """A line of what was asked for."""
        click.echo(line, color=False)

    def note(self, line: str) -> None:
        """A line beside it, on stderr."""
        click.echo(line, err=True, color=False)

    def raw(self, body: bytes) -> None:
        """The API's own bytes, with the line's end that they lack."""
        click.echo(body if body.endswith(b"\n") else body + b"\n", nl=False)

    def show(self, answer: Answer, *, only: tuple[str, ...] = (), around: Json | None = None) -> None:
        """An object: all its values, or only some. `around` has the currency, if the answer does not say."""
        if self.json:
            self.raw(answer.body)
            return
        found = answer.json
        for line in self.words.facts({key: found.get(key) for key in only} if only else found, around or {}):
            self.echo(line)

    def show_page(
        self, answer: Answer, columns: tuple[str, ...], items: str = "items", *, around: Json | None = None
    ) -> None:
        """A table of a page's items; on stderr, how to get the next page."""
        if self.json:
            self.raw(answer.body)
            return
        found = answer.json
        rows: list[Json] = found.get(items) or []
        around = output.within_currency(found, output.within_currency(around or {}, {}))
        for line in self.words.table([{**around, **row} for row in rows], columns) if rows else []:
            self.echo(line)
        if not rows:
            self.note("There is nothing to list.")
        if cursor := found.get("next_cursor") or found.get("nextCursor"):
            self.note(f"There is more: --cursor {output.visible(str(cursor))}")

    def save(self, path: str, to: Any, query: Query | None = None) -> None:
        """A CSV with all its pages, into a file that was opened for bytes: the header comes once."""
        following, lines = path, 0
        while following:
            answer = self.get(following, query)
            query, following = None, answer.next_url
            body = answer.body
            to.write(body)
            to.flush()
            lines += body.count(b"\n")
        self.note(output.counted(lines, "line"))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only if the user says so. Raises WrongUse where nobody can be asked."""
        if yes:
            return
        if not self.may_ask:
            raise WrongUse(f"{question} Say so with --yes: nobody can be asked here.")
        if not click.confirm(question, err=True):
            raise CliError("Nothing was changed.")

    def required(self, value: str | None, flag: str, question: str, *, hide: bool = False) -> str:
        """What a flag has, or else what the user answers. Raises WrongUse where nobody can be asked."""
        if value is not None:
            return value
        if not self.may_ask:
            raise WrongUse(f"Give {flag}: nobody can be asked here.")
        answered: str = click.prompt(question, err=True, hide_input=hide)
        return answered

    def secret(self, from_stdin: bool, flag: str, question: str) -> str:
        """What stdin has if `flag` is given, or else what the user types unseen: never what a process list shows."""
        if from_stdin:
            return sys.stdin.buffer.read().decode(errors="replace").strip()
        return self.required(None, flag, question, hide=True).strip()

    def _where(self) -> tuple[str, str]:
        """The address and the token: options, then the environment, then a profile.

        A token goes only where it belongs: a profile's to the profile's address, ADMIN_TOKEN to API_URL.
        """
        given = os.environ.get
        url, token = self.url, self.token
        if not self.profile:
            url = url or given("SLUICE_URL", "") or given("API_URL", "")
            token = token or given("SLUICE_TOKEN", "")
            if not token and url == given("API_URL", ""):
                token = given("ADMIN_TOKEN", "")
        if url and token:
            return url, token
        name = self.profile or given("SLUICE_PROFILE", "")
        if url and not name:
            return url, token
        from sluice_cli import profiles

        known = profiles.read()
        if not (name or known.default):
            raise WrongUse(_NO_URL)
        profile = known.get(name or known.default)
        if not url or url.rstrip("/") == profile.url.rstrip("/"):
            token = token or profile.bearer()
        return url or profile.url, token
