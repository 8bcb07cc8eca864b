"""From tokens to an :class:`Expression`: recursive descent with R's precedence, each error at its place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sipas_research.sem.expressions import (
    FUNCTIONS,
    ONE_ARGUMENT,
    Expression,
    Step,
)
from sipas_research.sem.near_names import near_names
from sipas_research.sem.tokens import NAME, NUMBER, STRING, Token, model_error

#: How many brackets or powers may stand inside one another.
DEEPEST = 40
#: Names with a value of their own where no parameter has that name.
CONSTANTS: Mapping[str, float] = {"pi": math.pi}


def parse_expression(tokens: Sequence[Token], text: str, *, constants: Mapping[str, float] = CONSTANTS) -> Expression:
    """Return the expression that ``tokens`` (at least one, all on the same side) spell.

    Parameters
    ----------
    tokens : sequence of Token
    text : str
        The whole model, for the error's excerpt.
    constants : mapping, keyword only
        Names that stand for a number.

    Raises
    ------
    ModelSyntaxError
        If the tokens are no arithmetic expression, or divide by a literal zero.
    """
    steps: list[Step] = []
    end = _sum(tokens, 0, steps, (text, constants, 0))
    if end < len(tokens):
        raise _error("expression_extra", tokens[end], text)
    names = tuple(dict.fromkeys(str(argument) for step, argument in steps if step == "name"))
    return Expression("".join(token.text for token in tokens), names, tuple(steps))


#: What every part of the parser needs: the model's text, the constants, the depth of brackets.
_Context = tuple[str, Mapping[str, float], int]


def _error(key: str, token: Token, text: str, **fields: object) -> Exception:
    return model_error(f"model_syntax.{key}", text, token.line, token.column, found=token.text, **fields)


def _is(tokens: Sequence[Token], at: int, signs: str) -> bool:
    return at < len(tokens) and tokens[at].kind == "punctuation" and tokens[at].text in signs


def _sum(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    at = _product(tokens, at, steps, context)
    while _is(tokens, at, "+-"):
        sign = tokens[at].text
        at = _product(tokens, at + 1, steps, context)
        steps.append((sign, 2))
    return at


def _product(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    at = _signed(tokens, at, steps, context)
    while _is(tokens, at, "*/"):
        sign, divisor = tokens[at].text, len(steps)
        first = at + 1
        at = _signed(tokens, first, steps, context)
        if sign == "/" and steps[divisor:] in ([("number", 0.0)], [("number", 0.0), ("negative", 1)]):
            raise _error("division_by_zero", tokens[first], context[0])
        steps.append((sign, 2))
    return at


def _signed(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    negative = False
    while _is(tokens, at, "+-"):
        negative ^= tokens[at].text == "-"
        at += 1
    at = _power(tokens, at, steps, context)
    if negative:
        steps.append(("negative", 1))
    return at


def _power(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    text, constants, depth = context
    at = _operand(tokens, at, steps, context)
    if _is(tokens, at, "^"):
        if depth >= DEEPEST:
            raise _error("too_deep", tokens[at], text)
        at = _signed(tokens, at + 1, steps, (text, constants, depth + 1))
        steps.append(("^", 2))
    return at


def _operand(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    """Read a number, a name, a function's call or an expression in brackets."""
    text, constants, depth = context
    if at >= len(tokens):
        last = tokens[-1]
        raise model_error(
            "model_syntax.expression_ends", text, last.line, last.column + len(last.text), found=last.text
        )
    token = tokens[at]
    if depth >= DEEPEST:
        raise _error("too_deep", token, text)
    inner = (text, constants, depth + 1)
    if token.kind == NUMBER:
        number = float(token.text)
        if not math.isfinite(number):
            raise _error("not_finite", token, text, expression=token.text)
        steps.append(("number", number))
        return at + 1
    if token.kind == NAME and _is(tokens, at + 1, "("):
        return _call(tokens, at, steps, inner)
    if token.kind in (NAME, STRING):
        name = token.text.strip("\"'").strip() if token.kind == STRING else token.text
        steps.append(("number", constants[name]) if name in constants else ("name", name))
        return at + 1
    if _is(tokens, at, "("):
        return _closed(tokens, _sum(tokens, at + 1, steps, inner), token, text)
    raise _error("expression_operand", token, text)


def _closed(tokens: Sequence[Token], at: int, opened: Token, text: str) -> int:
    if not _is(tokens, at, ")"):
        raise _error("bracket_open", opened, text)
    return at + 1


def _call(tokens: Sequence[Token], at: int, steps: list[Step], context: _Context) -> int:
    """Read a function's call; ``at`` is the function's name."""
    text = context[0]
    function, opened = tokens[at], tokens[at + 1]
    if function.text not in FUNCTIONS:
        near = ", ".join(near_names(function.text, FUNCTIONS))
        key = "function_near" if near else "function"
        raise _error(key, function, text, near=near, allowed=", ".join(FUNCTIONS))
    count, at = 1, _sum(tokens, at + 2, steps, context)
    while _is(tokens, at, ","):
        count, at = count + 1, _sum(tokens, at + 1, steps, context)
    at = _closed(tokens, at, opened, text)
    if function.text == "log" and count == 2:
        # log(x, base) = log(x) / log(base); the base's steps stand last
        steps.append(("log_base", 2))
    elif function.text not in ONE_ARGUMENT:
        steps.append((function.text, count))
    elif count == 1:
        steps.append(("call", function.text))
    else:
        raise _error("function_arguments", function, text, count=count)
    return at
