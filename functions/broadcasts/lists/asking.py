"""Asks the providers' own APIs, through the guard against private hosts.

Evolution: doc.evolution-api.com/v2/api-reference/instance-controller/connection-state. Meta: developers.facebook.com/
docs/whatsapp/business-management-api/manage-phone-numbers and .../message-templates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from broadcasts.instance import ProviderName
from broadcasts.lists.ports import Approved, Checked, Line, Rejected
from sluice.egress import Hosts, NotAllowed, session

SECONDS = 15.0
META = "https://graph.facebook.com"
VERSION = "v23.0"
_LONGEST = 200


@dataclass(frozen=True)
class ProviderAsker:
    """As `Asker`. `private`: networks where a host with a port may be, for a stack on one machine."""

    private: tuple[str, ...]

    def allows(self, base_url: str) -> bool:
        try:
            parts = urlsplit(base_url)
        except ValueError:
            return False
        if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
            return False
        try:
            self._hosts(base_url).check(base_url)
        except NotAllowed:
            return False
        return True

    def check(self, line: Line) -> Checked:
        match line.provider:
            case ProviderName.SANDBOX:
                return Checked(True, "The sandbox needs no credentials")
            case ProviderName.EVOLUTION:
                return self._evolution(line)
            case ProviderName.META:
                return self._meta(line)
        return Checked(None, "This provider is asked with the stack's own role, and only by a message")

    def template(self, line: Line, account: str, name: str, language: str) -> Approved | Rejected | None:
        if line.provider is not ProviderName.META:
            return Rejected("Templates are read from the Cloud API alone")
        query = f"?name={quote(name)}&language={quote(language)}&fields=name,language,status,category"
        path = f"/{VERSION}/{quote(account, safe='')}/message_templates{query}"
        found = self._get(line.base_url or META, path, _bearer(line))
        if isinstance(found, str):
            return Rejected(found)
        for each in found.get("data") or ():
            if isinstance(each, Mapping) and (each.get("name"), each.get("language")) == (name, language):
                return Approved(str(each.get("status")), str(each.get("category")).lower(), language)
        return None

    def _evolution(self, line: Line) -> Checked:
        path = f"/instance/connectionState/{quote(line.address, safe='')}"
        found = self._get(line.base_url or "", path, {"apikey": line.secrets.get("api_key", "")})
        if isinstance(found, str):
            return Checked(False, found)
        instance = found.get("instance")
        state = str(instance.get("state")) if isinstance(instance, Mapping) else "unknown"
        return Checked(state == "open", f"The instance is {state[:_LONGEST]}")

    def _meta(self, line: Line) -> Checked:
        path = f"/{VERSION}/{quote(line.address, safe='')}?fields=id,quality_rating"
        found = self._get(line.base_url or META, path, _bearer(line))
        if isinstance(found, str):
            return Checked(False, found)
        return Checked(True, f"The quality of the number is {str(found.get('quality_rating'))[:_LONGEST]}")

    def _get(self, base_url: str, path: str, headers: Mapping[str, str]) -> dict[str, Any] | str:
        """The JSON of an answer, or why there is none, for people and without a secret."""
        try:
            with session(self._hosts(base_url), SECONDS) as asked:
                answer = asked.get(base_url.rstrip("/") + path, headers=dict(headers))
        except NotAllowed as error:
            return f"The provider's host is not allowed: {error}"
        except requests.RequestException as error:
            return f"The provider does not answer ({type(error).__name__})"
        if answer.status_code in (401, 403):
            return f"The provider rejects the credentials ({answer.status_code})"
        if answer.status_code != 200:
            return f"The provider answered {answer.status_code}{_code(answer)}"
        found = _json(answer)
        return found if found is not None else "The provider's answer cannot be read"

    def _hosts(self, url: str) -> Hosts:
        return Hosts.of([urlsplit(url).netloc], self.private)


def _bearer(line: Line) -> dict[str, str]:
    return {"Authorization": f"Bearer {line.secrets.get('access_token', '')}"}


def _json(answer: requests.Response) -> dict[str, Any] | None:
    try:
        found = answer.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _code(answer: requests.Response) -> str:
    """The Cloud API's own code of an error: its message may repeat what was sent."""
    error = (_json(answer) or {}).get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    return f" (code {code})" if isinstance(code, int) else ""
