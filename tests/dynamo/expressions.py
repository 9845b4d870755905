"""DynamoDB's expressions, for the tables of the world: each is parsed once and is a function from then on."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

type Value = dict[str, Any]
"""A value as it goes over the wire: `{"S": "text"}`."""
type Item = dict[str, Value]


class Binding:
    """What an expression is about: an item, and the names and values that it uses."""

    def __init__(self, item: Item, names: dict[str, str] | None, values: Item | None) -> None:
        self.item = item
        self.names = names or {}
        self.values = values or {}


type Operand = Callable[[Binding], Value | None]
type Test = Callable[[Binding], bool]
type Change = Callable[[Binding, Item], None]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[=<>(),.+\-]|[#:]?\w+|\[\d+\])")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def plain(value: Value) -> Any:
    """A scalar as Python compares it."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def number(value: Decimal) -> Value:
    return {"N": format(value, "f")}


def _same(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None or one.keys() != other.keys():
        return False
    return bool(plain(one) == plain(other))


def _kind(value: Value) -> str:
    return next(iter(value))


@lru_cache(4096)
def condition(text: str) -> Test:
    """A condition, a filter, or a key condition. A comparison with a missing attribute is false."""
    parser = _Parser(text)
    test = parser.either()
    parser.end()
    return test


@lru_cache(4096)
def update(text: str) -> Change:
    """An update. It changes the second item, and computes with the first."""
    parser = _Parser(text)
    changes: list[Change] = []
    while parser.peek():
        clause = parser.take().upper()
        changes.append(parser.change(clause))
        while parser.peek() == ",":
            parser.take()
            changes.append(parser.change(clause))

    def apply(binding: Binding, item: Item) -> None:
        for change in changes:
            change(binding, item)

    return apply


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        assert "".join(self._tokens) == re.sub(r"\s", "", text), text
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, expected: str | None = None) -> str:
        token = self.peek()
        assert token
        assert expected in (None, token.upper()), (expected, self._tokens, self._at)
        self._at += 1
        return token

    def end(self) -> None:
        assert not self.peek(), self._tokens

    def _takes(self, word: str) -> bool:
        if self.peek().upper() != word:
            return False
        self._at += 1
        return True

    def either(self) -> Test:
        tests = [self._all()]
        while self._takes("OR"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda binding: any(test(binding) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._takes("AND"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda binding: all(test(binding) for test in tests)

    def _one(self) -> Test:
        if self._takes("NOT"):
            test = self._one()
            return lambda binding: not test(binding)
        if self._takes("("):
            test = self.either()
            self.take(")")
            return test
        if self.peek() in ("attribute_exists", "attribute_not_exists", "begins_with", "contains"):
            return self._function(self.take())
        return self._comparison()

    def _function(self, name: str) -> Test:
        self.take("(")
        subject = self.operand()
        if name == "attribute_exists":
            self.take(")")
            return lambda binding: subject(binding) is not None
        if name == "attribute_not_exists":
            self.take(")")
            return lambda binding: subject(binding) is None
        self.take(",")
        other = self.operand()
        self.take(")")

        def holds(binding: Binding) -> bool:
            whole, part = subject(binding), other(binding)
            if whole is None or part is None:
                return False
            return plain(whole).startswith(plain(part)) if name == "begins_with" else plain(part) in plain(whole)

        return holds

    def _comparison(self) -> Test:
        left = self.operand()
        operator = self.take().upper()
        if operator == "BETWEEN":
            low = self.operand()
            self.take("AND")
            high = self.operand()
            return lambda binding: (
                _ordered(">=", left(binding), low(binding)) and _ordered("<=", left(binding), high(binding))
            )
        if operator == "IN":
            self.take("(")
            options = [self.operand()]
            while self._takes(","):
                options.append(self.operand())
            self.take(")")
            return lambda binding: any(_same(left(binding), option(binding)) for option in options)
        right = self.operand()
        if operator == "=":
            return lambda binding: _same(left(binding), right(binding))
        if operator == "<>":
            return lambda binding: not _same(left(binding), right(binding))
        return lambda binding: _ordered(operator, left(binding), right(binding))

    def operand(self) -> Operand:
        if self._takes("IF_NOT_EXISTS"):
            self.take("(")
            path = self.operand()
            self.take(",")
            default = self.operand()
            self.take(")")
            return lambda binding: path(binding) or default(binding)
        token = self.take()
        if token.startswith(":"):
            return lambda binding: binding.values[token]
        assert self.peek() != ".", "no product code reads into maps"
        return lambda binding: binding.item.get(binding.names.get(token, token))

    def change(self, clause: str) -> Change:
        name = self.take()

        def called(binding: Binding) -> str:
            return binding.names.get(name, name)

        if clause == "REMOVE":
            return lambda binding, item: _remove(item, called(binding))
        if clause == "ADD":
            added = self.operand()
            return lambda binding, item: _add(item, called(binding), binding.item, added(binding))
        assert clause == "SET", clause
        self.take("=")
        value = self._sum()
        return lambda binding, item: _set(item, called(binding), value(binding))

    def _sum(self) -> Operand:
        left = self.operand()
        if self.peek() not in ("+", "-"):
            return left
        sign = 1 if self.take() == "+" else -1
        right = self.operand()

        def total(binding: Binding) -> Value:
            one, other = left(binding), right(binding)
            assert one is not None, "SET a = a + 1 of a missing attribute is an error"
            assert other is not None
            return number(plain(one) + sign * plain(other))

        return total


def _ordered(operator: str, one: Value | None, other: Value | None) -> bool:
    if one is None or other is None or _kind(one) != _kind(other):
        return False
    return _COMPARISONS[operator](plain(one), plain(other))


def _remove(item: Item, name: str) -> None:
    item.pop(name, None)


def _add(item: Item, name: str, before: Item, added: Value | None) -> None:
    assert added is not None
    if "SS" in added:
        item[name] = {"SS": sorted({*plain(before.get(name, {"SS": []})), *plain(added)})}
    else:
        item[name] = number(plain(before[name]) + plain(added)) if name in before else added


def _set(item: Item, name: str, value: Value | None) -> None:
    assert value is not None
    item[name] = value
