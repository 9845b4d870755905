"""Events as API Gateway's HTTP APIs send them (payload 2.0), and what a function is called with beside them."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

REQUEST_ID = "JKJaXmPLvHcESHA="


@dataclass
class Context:
    """What Powertools reads of a Lambda context."""

    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 15_000


def a_request(
    method: str = "GET",
    path: str = "/",
    *,
    body: object = None,
    text: str | None = None,
    query: dict[str, Any] | str = "",
    role: str | None = "admin",
    subject: str = "ada",
    headers: dict[str, str] | None = None,
    base64: bool = False,
) -> dict[str, Any]:
    """A request to a function. `body` is sent as JSON, `text` as it stands; `role=None`: no token."""
    raw_query = query if isinstance(query, str) else urlencode(query, doseq=True)
    parameters: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        parameters.setdefault(name, []).append(value)
    content = text if text is not None or body is None else json.dumps(body)
    all_headers = {"host": "api.example.com", **({"content-type": "application/json"} if content else {})}
    all_headers |= {name.lower(): value for name, value in (headers or {}).items()}
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "a1b2c3",
        "domainName": "api.example.com",
        "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
        "requestId": REQUEST_ID,
        "routeKey": f"{method} {path}",
        "stage": "$default",
        "time": "20/Nov/2026:08:30:00 +0000",
        "timeEpoch": 1795163400000,
    }
    if role is not None:
        context["authorizer"] = {"lambda": {"subject": subject, "role": role}}
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": all_headers,
        "requestContext": context,
        "isBase64Encoded": base64,
        **({"body": content} if content is not None else {}),
        **({"queryStringParameters": {k: ",".join(v) for k, v in parameters.items()}} if parameters else {}),
    }


def an_authorization(header: str | None) -> dict[str, Any]:
    """What the authorizer is asked about a request with this `Authorization` header."""
    request = a_request("GET", "/api/admin/fake-views", role=None)
    headers = request["headers"] | ({"authorization": header} if header is not None else {})
    return {
        **request,
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/$default/GET/api/admin/fake-views",
        "identitySource": [header] if header is not None else [],
        "headers": headers,
    }
