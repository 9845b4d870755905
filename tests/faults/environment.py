"""Lets a handler run in the middle of another, as in Lambda each has a process of its own."""

import inspect
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any
from unittest.mock import patch

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from aws_lambda_powertools.utilities.batch import BatchProcessor

_OF_REQUEST = ("current_event", "lambda_context")


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """The environment variables of a function, and no others: a plain dict, for `os.environ` itself is slow."""
    with patch.object(os, "environ", variables):
        yield


@cache
def _processors(module: ModuleType) -> list[BatchProcessor]:
    """Those of a module, and of the handler that the kernel has made for it."""
    closure = inspect.unwrap(module.handler).__closure__ or ()
    every = [*vars(module).values(), *(cell.cell_contents for cell in closure)]
    return [each for each in every if isinstance(each, BatchProcessor)]


@contextmanager
def kept_apart(handlers: Sequence[ModuleType]) -> Iterator[None]:
    """What is interrupted finds everything as it was: Powertools keeps what it works on in globals."""
    processors = [(each, dict(vars(each))) for module in handlers for each in _processors(module)]
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
