"""What may stand before a variable: ``0.5*x``, ``NA*x``, ``a*x``, ``c(a, b)*x``, ``start(0.8)*x``, ``0.8?x`` ..."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sipas_research.errors import ModelSyntaxError
from sipas_research.sem.expression_parser import DEEPEST, parse_expression
from sipas_research.sem.expressions import FUNCTIONS
from sipas_research.sem.near_names import near_names
from sipas_research.sem.tokens import NAME, OPERATOR, STRING, Statement, Token, model_error

NAN = float("nan")
_CALLS = ("c", "start", "label", "equal")
UNSUPPORTED = ("lower", "upper", "rv", "prior", "efa")

#: A value inside ``c()``: a number, a label, or NA (None).
Value = float | str | None


class Modifiers(NamedTuple):
    """The modifiers of one variable, in the form that :class:`~sipas_research.sem.terms.Term` keeps."""

    fixed: tuple[float | None, ...] = ()
    start: tuple[float | None, ...] = ()
    labels: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


NO_MODIFIERS = Modifiers()


def error(key: str, token: Token, text: str, **fields: object) -> ModelSyntaxError:
    """Return the error ``key`` of the topic model_syntax at one token."""
    return model_error(f"model_syntax.{key}", text, token.line, token.column, found=token.text, **fields)


def refuse_second_operator(statement: Statement, text: str) -> None:
    """Refuse a formula with two operators, such as ``y ~ x ~ z`` or ``0 < a < 1``."""
    for token in statement.tokens[statement.at + 1 :]:
        if token.kind == OPERATOR:
            raise error("two_operators", token, text, first=statement.tokens[statement.at].text)


def read_modifier(tokens: Sequence[Token], question: bool, text: str) -> Modifiers:
    """Return what one factor says; ``question`` is true for ``0.8?x``, which gives a starting value."""
    first = tokens[0]
    if question:
        return Modifiers(start=_numbers(_values(tokens, text), first, text))
    if first.kind == NAME and len(tokens) > 1 and tokens[1].text == "(":
        if first.text in UNSUPPORTED:
            raise error(f"modifier_{first.text}", first, text)
        if first.text in ("start", "label", "equal"):
            values = _arguments(tokens, text)
            if first.text == "start":
                return Modifiers(start=_numbers(values, first, text))
            labels = _labels(values, first, text)
            if first.text == "label":
                return Modifiers(labels=labels if any(labels) else ())
            return Modifiers(equal=tuple("".join(label.split()) for label in labels))
        if first.text not in _CALLS and first.text not in FUNCTIONS:
            near = ", ".join(near_names(first.text, (*_CALLS, *FUNCTIONS)))
            raise error("modifier_near" if near else "modifier", first, text, near=near)
    return _mixed(_values(tokens, text))


def _mixed(values: Sequence[Value]) -> Modifiers:
    """Return numbers as fixed values and words as labels; NA frees a parameter unless it stands among labels only."""
    if all(value is None for value in values):
        return Modifiers(fixed=(NAN,) * len(values))
    labels = tuple(value if isinstance(value, str) else "" for value in values)
    if not any(isinstance(value, float) for value in values):
        return Modifiers(labels=labels if any(labels) else ())
    fixed = tuple(None if isinstance(value, str) else NAN if value is None else value for value in values)
    return Modifiers(fixed=fixed, labels=labels if any(labels) else ())


def _arguments(tokens: Sequence[Token], text: str, above: int = 0) -> list[Value]:
    """Return the values between a call's brackets; ``tokens`` is the whole call and nothing else."""
    if above >= DEEPEST:
        raise error("too_deep", tokens[0], text)
    depth, begin, found = 0, 2, []
    for at, token in enumerate(tokens[1:], 1):
        if token.kind != "punctuation":
            continue
        depth += (token.text == "(") - (token.text == ")")
        if (depth == 1 and token.text == ",") or depth == 0:
            if at == begin:
                raise error("argument_missing", token, text)
            found.extend(_values(tokens[begin:at], text, above + 1))
            begin = at + 1
        if depth == 0:
            if at + 1 < len(tokens):
                raise error("expression_extra", tokens[at + 1], text)
            break
    return found


def _values(tokens: Sequence[Token], text: str, above: int = 0) -> list[Value]:
    """Return the value of a number, a computed number, a label, NA, or of ``c(...)``."""
    first = tokens[0]
    if len(tokens) == 1 and first.kind == NAME:
        return [None if first.text == "NA" else first.text]
    if len(tokens) == 1 and first.kind == STRING:
        return [first.text[1:-1].strip()]
    if first.text == "c" and len(tokens) > 1 and tokens[1].text == "(":
        return _arguments(tokens, text, above)
    return [_number(tokens, text)]


def _number(tokens: Sequence[Token], text: str) -> float:
    expression = parse_expression(tokens, text)
    if expression.names:
        named = next(t for t in tokens if t.kind in (NAME, STRING) and t.text.strip("\"'").strip() in expression.names)
        raise error("modifier_arithmetic", named, text)
    number = expression.value({})
    if not math.isfinite(number):
        raise error("not_finite", tokens[0], text, expression=expression.text)
    return number


def _numbers(values: Sequence[Value], place: Token, text: str) -> tuple[float | None, ...]:
    for value in values:
        if isinstance(value, str):
            raise error("start_not_number", place, text, value=value)
    return tuple(value for value in values if not isinstance(value, str))


def _labels(values: Sequence[Value], place: Token, text: str) -> tuple[str, ...]:
    for value in values:
        if isinstance(value, float):
            raise error("label_is_number", place, text)
    return tuple(value if isinstance(value, str) else "" for value in values)


def merge(first: Modifiers, second: Modifiers, place: Token, text: str) -> Modifiers:
    """Return both together; two different values of a kind contradict each other.

    Raises
    ------
    ModelSyntaxError
        If they contradict each other, or speak of different numbers of groups.
    """
    for kind, one, other in zip(Modifiers._fields, first, second, strict=True):
        if one and other and repr(one) != repr(other):  # NA is NaN, which equals nothing
            raise error(f"twice_{kind}", place, text)
    together = Modifiers(
        first.fixed or second.fixed,
        first.start or second.start,
        first.labels or second.labels,
        first.equal or second.equal,
    )
    return check_counts(together, place, text)


def check_counts(modifiers: Modifiers, place: Token, text: str) -> Modifiers:
    """Refuse lists of different lengths, such as ``c(1, 2)*x + c(a, b, c)*x``."""
    counts = sorted({len(values) for values in modifiers if len(values) > 1})
    if len(counts) > 1:
        raise error("group_counts", place, text, first=counts[0], second=counts[-1])
    return modifiers
