"""Lets a handler run in the middle of another, as in Lambda each has a process of its own."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

_OF_REQUEST = ("current_event", "lambda_context")


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """The environment variables of a function, and no others: a plain dict, for `os.environ` itself is slow."""
    with patch.object(os, "environ", variables):
        yield


@contextmanager
def kept_apart(handlers: Sequence[ModuleType]) -> Iterator[None]:
    """What is interrupted finds everything as it was: Powertools keeps what it works on in globals."""
    processors = [(each.processor, dict(vars(each.processor))) for each in handlers if hasattr(each, "processor")]
    contexts = [(each.app.context, dict(each.app.context)) for each in handlers if hasattr(each, "app")]
    request: dict[str, Any] = {name: getattr(BaseRouter, name, None) for name in _OF_REQUEST}
    for context, _ in contexts:
        context.clear()
    try:
        yield
    finally:
        for name, value in request.items():
            setattr(BaseRouter, name, value)
        for context, content in contexts:
            context.clear()
            context.update(content)
        for processor, attributes in processors:
            vars(processor).clear()
            vars(processor).update(attributes)
