"""Takes a condition, a fence or a guard out of the product, so that the sweep can show that it would notice.

They are found by reading the source: what is added to it later is found, too.

- a condition of a write, whole, and each clause of one (`a & b`)
- a guard: an `if` that ends in a return, a raise or a continue; and each way into it (`a or b`, `a and b`)
- a fence: a field that commits and commands set so that others see it (`step`, `committed_by`, `request`, `sweeps`)
- a check of another item, in a transaction
- a choice of what to return (`a if b else c`), either way
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

_WRITES = frozenset({"save", "update", "delete", "update_if", "_update"})
_CONDITION_AT = {"update": 2, "save": 1, "delete": 1, "update_if": 2, "_update": 2}
_FENCES = frozenset({"step", "committed_by", "request", "sweeps"})
_CHECKS = frozenset({"require_open", "condition_check"})
# What refuses an input that has no meaning is not what this is about.
_VALIDATES = ("Unreadable", "Invalid", "NotFound", "Misconfigured")

type Change = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """One thing that can be taken out. `what` says which, in the source's own words."""

    module: str
    function: str
    what: str
    place: tuple[int, ...]
    """Of the function in its module's tree."""
    number: int
    """Of the node in the function, as `ast.walk` comes to it."""
    change: Change

    @property
    def name(self) -> str:
        return f"{self.module}.{self.function}: {self.what}"


def find(modules: Iterable[str]) -> list[Mutant]:
    """Everything in these modules that can be taken out."""
    return [mutant for module in modules for mutant in _mutants(module)]


@contextmanager
def without(*mutants: Mutant) -> Iterator[None]:
    """The product, with these taken out."""
    together: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants:
        together.setdefault((mutant.module, mutant.function), []).append(mutant)
    with ExitStack() as stack:
        for (module, function), group in together.items():
            stack.enter_context(_replaced(_function(import_module(module), function), _mutated(group)))
        yield


@contextmanager
def _replaced(function: FunctionType, code: CodeType) -> Iterator[None]:
    kept = function.__code__
    function.__code__ = code
    try:
        yield
    finally:
        function.__code__ = kept


def _mutated(group: list[Mutant]) -> CodeType:
    tree = ast.parse(_path(group[0].module).read_text())
    nodes = list(ast.walk(_at(tree, group[0].place)))
    for number in {mutant.number for mutant in group}:
        same = [mutant for mutant in group if mutant.number == number]
        if len(same) > 1 and isinstance(nodes[number], ast.BinOp):  # both clauses of a condition
            _become(nodes[number], ast.Constant(None))
            continue
        for each in same:
            each.change(nodes[number])
    code = compile(ast.fix_missing_locations(tree), _path(group[0].module), "exec")
    return _code(code, group[0].function)


def _path(module: str) -> Path:
    return Path(str(import_module(module).__file__))


@cache
def _mutants(module: str) -> list[Mutant]:
    tree = ast.parse(_path(module).read_text())
    found: dict[str, Mutant] = {}
    for function, place in _functions(tree):
        for number, node in enumerate(ast.walk(_at(tree, place))):
            for what, change in _changes(node):
                name, again = what, 2
                while f"{function}: {name}" in found:
                    name, again = f"{what} ({again})", again + 1
                found[f"{function}: {name}"] = Mutant(module, function, name, place, number, change)
    return list(found.values())


def _functions(tree: ast.Module) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Functions and methods, with the places of their nodes."""
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef):
            yield node.name, (number,)
        if isinstance(node, ast.ClassDef):
            for inner, method in enumerate(node.body):
                if isinstance(method, ast.FunctionDef):
                    yield f"{node.name}.{method.name}", (number, inner)


def _at(tree: ast.Module, place: tuple[int, ...]) -> ast.AST:
    node: Any = tree
    for number in place:
        node = node.body[number]
    found: ast.AST = node
    return found


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What can be taken out of one node, and how."""
    match node:
        case ast.Call(func=ast.Attribute(attr=verb) | ast.Name(id=verb)) if verb in _WRITES:
            yield from _conditions(node, verb)
        case ast.BinOp(op=ast.BitAnd()) if _compares(node.left) and _compares(node.right):
            yield f"clause {_text(node.right)}", lambda each: _become(each, each.left)  # type: ignore[attr-defined]
            yield f"clause {_text(node.left)}", lambda each: _become(each, each.right)  # type: ignore[attr-defined]
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=check))) if check in _CHECKS:
            yield f"{check}()", lambda each: setattr(each, "value", ast.Constant(None))
        case ast.Dict():
            yield from _written_out(node)
        case ast.If() | ast.ExceptHandler() | ast.Return():
            yield from _guards(node)
    if isinstance(node, ast.Call) and _text(node.func) in ("replace", "_commanded"):
        for number, keyword in enumerate(node.keywords):
            if keyword.arg in _FENCES:
                yield f"fence {keyword.arg}={_text(keyword.value)}", lambda each, n=number: each.keywords.pop(n)  # type: ignore[misc]


def _guards(node: ast.stmt | ast.ExceptHandler) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.If(body=[*_, ast.Raise(exc=ast.Call(func=func))]) if _text(func).startswith(_VALIDATES):
            return
        case (
            ast.If(body=[*_, ast.Return() | ast.Raise() | ast.Continue()])
            | ast.If(test=ast.BoolOp(op=ast.And()), orelse=[_, *_])
        ):
            yield f"if {_text(node.test)}", lambda each: setattr(each, "test", ast.Constant(False))
            yield from _parts(node.test)
        case ast.ExceptHandler(body=[ast.Return(value=None)], type=ast.AST()):
            yield f"except {_text(node.type)}", lambda each: setattr(each, "body", [ast.Raise()])
        case ast.Return(value=ast.IfExp(test=test)):
            yield f"return if {_text(test)}, always", lambda each: setattr(each, "value", each.value.body)
            yield f"return if {_text(test)}, never", lambda each: setattr(each, "value", each.value.orelse)


def _written_out(node: ast.Dict) -> Iterator[tuple[str, Change]]:
    """A condition of a call to botocore's client, which has it as text."""
    for number, key in enumerate(node.keys):
        if isinstance(key, ast.Constant) and key.value == "ConditionExpression" and len(node.keys) > 1:

            def drop(each: Any, number: int = number) -> None:
                del each.keys[number], each.values[number]

            yield f"condition {_text(node.values[number])} of a call", drop


def _conditions(node: ast.Call, verb: str) -> Iterator[tuple[str, Change]]:
    for number, keyword in enumerate(node.keywords):
        if keyword.arg == "condition":

            def drop(each: Any, number: int = number) -> None:
                each.keywords[number].value = ast.Constant(None)

            yield f"condition {_text(keyword.value)} of {verb}", drop
    place = _CONDITION_AT[verb]
    if len(node.args) > place and _text(node.args[place]) != "''":

        def drop_positional(each: Any) -> None:
            each.args[place] = ast.Constant(None)

        yield f"condition {_text(node.args[place])} of {verb}", drop_positional


def _parts(test: ast.expr) -> Iterator[tuple[str, Change]]:
    if isinstance(test, ast.BoolOp):
        neutral = isinstance(test.op, ast.And)
        for number, part in enumerate(test.values):
            if _is_none(part) or any(_text(part) == _text(each) for each in _compared(test)):
                continue  # said for the type checker's sake as well

            def drop(each: Any, number: int = number) -> None:
                each.test.values[number] = ast.Constant(neutral)

            yield f"{'clause' if neutral else 'way'} {_text(part)} of an if", drop


def _compares(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or any(isinstance(each, ast.Compare) for each in ast.walk(node))


def _is_none(part: ast.expr) -> bool:
    match part:
        case ast.Compare(ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
    return False


def _compared(test: ast.BoolOp) -> list[ast.expr]:
    """What a clause compares with something: another that names it alone asks whether it is there."""
    return [each for part in test.values if isinstance(part, ast.Compare) for each in (part.left, *part.comparators)]


def _text(node: ast.AST | None) -> str:
    assert node is not None
    text = ast.unparse(node)
    return text if len(text) <= 90 else f"{text[:87]}..."


def _become(node: Any, other: ast.AST) -> None:
    """Turn a node into another, in place."""
    fields = dict(vars(other))
    node.__class__ = other.__class__
    vars(node).clear()
    vars(node).update(fields)


def _code(code: CodeType, function: str) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_qualname == function:
                return constant
            try:
                return _code(constant, function)
            except LookupError:
                continue
    raise LookupError(function)


def _function(module: ModuleType, path: str) -> FunctionType:
    found: Any = module
    for name in path.split("."):
        found = vars(found)[name]
    found = found.fget if isinstance(found, property) else found
    found = getattr(found, "__func__", found)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    # A route is a function that Powertools has put in its table and left as it is.
    assert isinstance(found, FunctionType), (sys.modules[module.__name__], path)
    return found
