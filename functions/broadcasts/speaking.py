"""Errors in the reader's language: chosen when an answer is written, so stored answers keep their first one. Pure."""

import json
from collections.abc import Callable
from typing import Any

from broadcasts.languages import preferred, translated
from sluice.envelope import headers_of

IMPORT = "import a longer list as a CSV file, by POST /api/campaigns/{id}/recipients/import"

type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def in_the_readers_language(handler: Handler) -> Handler:
    """The handler, whose errors are in Portuguese where `Accept-Language` prefers it (amendment 25a).

    A list that is too long for a request is told where longer lists go (amendment 18).
    """

    def speaking(event: dict[str, Any], context: Any) -> dict[str, Any]:
        answer = handler(event, context)
        if answer["statusCode"] < 400:
            return answer
        language = preferred(headers_of(event).get("accept-language"))
        problem = json.loads(answer["body"])
        said = problem["message"]
        english = f"{said}: {IMPORT}" if problem["code"] == "too_large" else said
        problem["message"] = translated(problem["code"], language, english)
        for error in problem["errors"]:
            error["message"] = problem["message"] if error["message"] == said else error["message"]
        return answer | {"body": json.dumps(problem, ensure_ascii=False, separators=(",", ":"))}

    return speaking
