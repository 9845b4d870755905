"""A fake identity provider over real HTTP (OpenID Connect, PKCE). It signs in whoever comes, unasked."""

import json
import secrets
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local.fakes.http import Answer, Request, Served, request_of, send

CLIENT = "sluice-console"
"""The id of the client that it has for the console."""
PERSON = {"sub": "248289761001", "groups": ["everybody", "sluice-admins"]}
"""Who is signed in, unless another is given: `PUT /_fake/person` takes the claims of the ID token."""
_KID = "of-the-fake"
_SECONDS = 3600
_FOR_PAGES = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


class FakeIssuer(Served):
    """Discovery, keys, an authorization endpoint, and a token endpoint that checks PKCE. Each code is good once."""

    def __init__(self) -> None:
        super().__init__()
        self.person: dict[str, Any] = dict(PERSON)
        self.error = ""
        """What the authorization endpoint answers instead of a code, such as `access_denied`."""
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._begun: dict[str, dict[str, str]] = {}

    @property
    def url(self) -> str:
        """The issuer."""
        return f"http://{self.host}"

    def id_token(self, key: rsa.RSAPrivateKey | None = None, algorithm: str | None = "RS256", **claims: Any) -> str:
        """An ID token of `person`, signed by its own key or by `key`. What is None of `claims` is left out."""
        now = int(time.time())
        times = {"iat": now, "exp": now + _SECONDS}
        all_claims = {"iss": self.url, "aud": CLIENT, **times, **self.person, **claims}
        kept = {name: value for name, value in all_claims.items() if value is not None}
        signing = (key or self._key) if algorithm == "RS256" else None
        return jwt.encode(kept, signing, algorithm, headers={"kid": _KID})  # type: ignore[arg-type]

    def begun_elsewhere(self, redirect_uri: str) -> str:
        """A code of somebody else's sign-in, whose verifier nobody here knows."""
        code = secrets.token_urlsafe(16)
        self._begun[code] = {
            "client_id": CLIENT,
            "redirect_uri": redirect_uri,
            "nonce": "theirs",
            "code_challenge": "theirs",
        }
        return code

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        request = request_of(handler)
        match request.method, request.path:
            case "GET", "/.well-known/openid-configuration":
                answer = Answer(200, self._configuration(), _FOR_PAGES)
            case "GET", "/keys":
                answer = Answer(200, {"keys": [self._public_key()]}, _FOR_PAGES)
            case "GET", "/authorize":
                answer = self._authorize(request)
            case "POST", "/token":
                answer = self._exchange(request)
            case "PUT", "/_fake/person":
                self.person = dict(request.form)
                answer = Answer(200, self.person)
            case _:
                answer = Answer(404, {"error": "not_found"})
        send(handler, answer)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "subject_types_supported": ["public"],
        }

    def _public_key(self) -> dict[str, Any]:
        key: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return key | {"kid": _KID, "use": "sig", "alg": "RS256"}

    def _authorize(self, request: Request) -> Answer:
        names = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method")
        asked = {name: request.one(name) for name in (*names, "response_type", "scope")}
        fixed = (asked["client_id"], asked["response_type"], asked["code_challenge_method"])
        if fixed != (CLIENT, "code", "S256") or "openid" not in asked["scope"].split() or not all(asked.values()):
            return Answer(400, "The request is none of the authorization code flow with PKCE for this client.")
        back = {"state": asked["state"]}
        if self.error:
            back["error"] = self.error
        else:
            back["code"] = secrets.token_urlsafe(16)
            self._begun[back["code"]] = asked
        return Answer(302, "", {"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    def _exchange(self, request: Request) -> Answer:
        form = request.form
        begun = self._begun.pop(str(form.get("code")), None)
        digest = sha256(str(form.get("code_verifier", "")).encode()).digest()
        if (
            begun is None
            or form.get("grant_type") != "authorization_code"
            or (form.get("client_id"), form.get("redirect_uri")) != (begun["client_id"], begun["redirect_uri"])
            or urlsafe_b64encode(digest).decode().rstrip("=") != begun["code_challenge"]
        ):
            return Answer(400, {"error": "invalid_grant"}, _FOR_PAGES)
        token = self.id_token(**{"nonce": begun["nonce"], **self.person})
        return Answer(200, {"id_token": token, "access_token": "of-no-use-here", "token_type": "Bearer"}, _FOR_PAGES)
