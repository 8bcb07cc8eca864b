"""The two sides of a formula about variables: names on the left, variables with modifiers on the right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sipas_research.sem.modifiers import (
    NO_MODIFIERS,
    UNSUPPORTED,
    Modifiers,
    check_counts,
    error,
    merge,
    read_modifier,
    refuse_second_operator,
)
from sipas_research.sem.terms import Term
from sipas_research.sem.tokens import NAME, NUMBER, STRING, Statement, Token, model_error

_THRESHOLD = re.compile(r"t[1-9][0-9]*")


class Variable(NamedTuple):
    """A variable on the right of a formula ("" for the intercept), its place and its modifiers."""

    name: str
    token: Token
    modifiers: Modifiers


def read_formula(statement: Statement, block: int, text: str) -> list[Term]:
    """Return the terms of one formula, left side by left side."""
    tokens, at = statement.tokens, statement.at
    operator = tokens[at]
    op = operator.text
    refuse_second_operator(statement, text)
    left = _left(tokens[:at], operator, text)
    right = _merged([_variable(part, op, text) for part in _parts(tokens[at + 1 :], operator, text)], text)
    terms = []
    for lhs in left:
        for name, token, modifiers in right:
            if op == "=~" and not name:
                terms.append(Term(lhs.text, op, lhs.text, token.line, token.column, block, (0.0,)))
                continue
            if name:
                _check_pair(lhs, op, name, token, text)
                place, kind = token, op
            else:
                place, kind = lhs, "~1"
            terms.append(Term(lhs.text, kind, name, place.line, place.column, block, *modifiers))
    return terms


def _check_pair(lhs: Token, op: str, name: str, token: Token, text: str) -> None:
    """Refuse a variable that measures or predicts itself, a scale of another variable, a threshold's odd name."""
    if op in ("=~", "~") and lhs.text == name:
        raise error("measures_itself" if op == "=~" else "predicts_itself", token, text)
    if op == "~*~" and lhs.text != name:
        raise error("scale_of_other", token, text, lhs=lhs.text)
    if op == "|" and not _THRESHOLD.fullmatch(name):
        raise error("threshold_name", token, text)


def _parts(tokens: Sequence[Token], operator: Token, text: str) -> list[Sequence[Token]]:
    """Return one side's tokens split at every + outside brackets; no part is empty."""
    parts: list[Sequence[Token]] = []
    opened: list[Token] = []
    begin = 0
    for at, token in enumerate(tokens):
        if token.kind == NAME:
            continue
        sign = token.text
        if sign == "+" and not opened:
            if at > begin:
                parts.append(tokens[begin:at])
            elif at:
                raise error("plus_twice", token, text)
            begin = at + 1
        elif sign == "(":
            opened.append(token)
        elif sign == ")":
            if not opened:
                raise error("bracket_closed", token, text)
            opened.pop()
    if opened:
        raise error("bracket_open", opened[-1], text)
    if begin < len(tokens):
        parts.append(tokens[begin:])
        return parts
    if not tokens:
        raise model_error(
            "model_syntax.right_missing", text, operator.line, operator.column + len(operator.text), found=operator.text
        )
    raise error("plus_last", tokens[-1], text)


def _left(tokens: Sequence[Token], operator: Token, text: str) -> list[Token]:
    """Return the names on the left; modifiers have no place there."""
    if not tokens:
        raise error("left_missing", operator, text)
    names = []
    for part in _parts(tokens, operator, text):
        if len(part) > 1 and part[0].text in UNSUPPORTED and part[1].text == "(":
            raise error(f"modifier_{part[0].text}", part[0], text)
        if len(part) > 1 and any(token.text in ("*", "?") for token in part):
            raise error("left_modifier", part[0], text, name=part[-1].text, operator=operator.text)
        names.append(_name(part, operator.text, text))
    return names


def _name(tokens: Sequence[Token], op: str, text: str) -> Token:
    """Return the one name that ``tokens`` must be, or say what stands there instead."""
    first = tokens[0]
    if len(tokens) == 1 and first.kind == NAME:
        if first.text == "NA":
            raise error("name_reserved", first, text)
        return first
    if len(tokens) == 1 and first.kind == STRING:
        raise error("name_quoted", first, text)
    if len(tokens) == 1 and first.kind == NUMBER:
        raise error("number_alone", first, text, operator=op)
    second = tokens[1] if len(tokens) > 1 else first
    if first.kind == NUMBER and second.kind == NAME:
        touching = second.column == first.column + len(first.text) and second.line == first.line
        key = "name_digit" if touching else "star_missing"
        raise error(key, first if touching else second, text, name=f"{first.text}{second.text}")
    if second.text == ":" and len(tokens) > 1:
        raise error("interaction", first, text)
    if second.text == "(" and first.kind == NAME:
        raise error("name_function", first, text)
    if first.kind in (NAME, NUMBER, STRING) and second.kind in (NAME, NUMBER, STRING):
        raise error("plus_missing", second, text, first=first.text)
    raise error("sign_unexpected", second if first.kind == NAME else first, text)


def _variable(tokens: Sequence[Token], op: str, text: str) -> Variable:
    """Return one variable of a right side with its modifiers."""
    first = tokens[0]
    if len(tokens) == 1:
        if first.kind == NAME and first.text != "NA":
            return Variable(first.text, first, NO_MODIFIERS)
        if first.text == "1" and op == "~":
            return Variable("", first, NO_MODIFIERS)
        if first.text == "0" and op in ("~", "=~"):
            return Variable("", first, Modifiers(fixed=(0.0,)))
    factors = _factors(tokens, text)
    last, _ = factors.pop()
    if len(last) == 1 and last[0].text == "1" and op == "~" and factors:
        name, token = "", last[0]
    else:
        if factors and last[0].kind == NUMBER and len(last) == 1:
            raise error("modifier_after", last[0], text, name=factors[-1][0][0].text)
        token = _name(last, op, text)
        name = token.text
    return Variable(name, token, _chain(factors, token, text))


def _factors(tokens: Sequence[Token], text: str) -> list[tuple[Sequence[Token], bool]]:
    """Return the tokens between ``*`` and ``?`` outside brackets, and whether a ``?`` follows."""
    factors: list[tuple[Sequence[Token], bool]] = []
    begin, depth = 0, 0
    for at, token in enumerate(tokens):
        if token.kind != "punctuation":
            continue
        sign = token.text
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and sign in ("*", "?"):
            if at == begin:
                raise error("modifier_missing", token, text)
            factors.append((tokens[begin:at], sign == "?"))
            begin = at + 1
        elif depth == 0 and sign == "-" and at > begin and tokens[at - 1].text not in ("^", "/", "-"):
            raise error("minus", token, text)
        elif depth == 0 and sign == ",":
            raise error("comma", token, text)
    if begin == len(tokens):
        raise error("variable_missing", tokens[-1], text)
    factors.append((tokens[begin:], False))
    return factors


def _chain(factors: Sequence[tuple[Sequence[Token], bool]], place: Token, text: str) -> Modifiers:
    """Return the modifiers of one variable; numbers in a row multiply, a number never multiplies a label."""
    total = NO_MODIFIERS
    product: float | None = None
    for tokens, question in factors:
        one = read_modifier(tokens, question, text)
        number = one.fixed[0] if len(one.fixed) == 1 and not one.labels else None
        if number is not None and number == number:  # noqa: PLR0124 - NA is NaN
            product = number if product is None else product * number
            one = NO_MODIFIERS
        elif product is not None and (one.labels or one.fixed):
            raise error("number_times_label", tokens[0], text)
        if product is not None and total.labels:
            raise error("number_times_label", tokens[0], text)
        total = merge(total, one, tokens[0], text) if total != NO_MODIFIERS else one
    if product is not None:
        total = merge(total, Modifiers(fixed=(product,)), place, text)
    return check_counts(total, place, text)


def _merged(variables: list[Variable], text: str) -> list[Variable]:
    """Return the variables with repeated ones made one, their modifiers together."""
    if len({variable.name for variable in variables}) == len(variables):
        return variables
    found: dict[str, Variable] = {}
    for variable in variables:
        earlier = found.get(variable.name)
        if earlier is None:
            found[variable.name] = variable
        else:
            together = merge(earlier.modifiers, variable.modifiers, variable.token, text)
            found[variable.name] = Variable(earlier.name, earlier.token, together)
    return list(found.values())
