"""Formulas about parameters: defined parameters, equalities and inequalities."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from sipas_research.sem.expression_parser import CONSTANTS, parse_expression
from sipas_research.sem.modifiers import error, refuse_second_operator
from sipas_research.sem.near_names import near_names
from sipas_research.sem.terms import Constraint
from sipas_research.sem.tokens import NAME, STRING, Statement, Token, model_error

#: A weak inequality is meant where a strict one is written: an optimum may lie on the border.
_SAME = {">=": ">", "<=": "<"}


def read_constraints(relations: Sequence[Statement], labels: Collection[str], text: str) -> tuple[Constraint, ...]:
    """Return the constraints in the order written; every name in them is a label or a defined parameter.

    Parameters
    ----------
    relations : sequence of Statement
        Formulas whose operator is ``:=``, ``==``, ``<`` or ``>``.
    labels : collection of str
        The labels that the model's terms carry.
    text : str
        The whole model, for the error's excerpt.

    Raises
    ------
    ModelSyntaxError
        If a side is no expression, a name is unknown, defined twice, or used in a definition above its own.
    """
    if not relations:
        return ()
    known = set(labels)
    every = known | {r.tokens[0].text for r in relations if r.at == 1 and r.tokens[1].text == ":="}
    defined: set[str] = set()
    found = []
    for relation in relations:
        constraint = _read(relation, every, text)
        if constraint.op == ":=":
            if constraint.name in defined or constraint.name in known:
                key = "defined_twice" if constraint.name in defined else "defined_is_label"
                raise error(key, relation.tokens[0], text)
            _check_names(relation.tokens[2:], known | defined, every, text)
            defined.add(constraint.name)
        else:
            _check_names(relation.tokens, every, every, text)
            if not constraint.left.names and not constraint.right.names:
                raise error("no_parameter", relation.tokens[0], text)
        found.append(constraint)
    return tuple(found)


def _read(relation: Statement, every: Collection[str], text: str) -> Constraint:
    tokens, at = relation.tokens, relation.at
    operator, first = tokens[at], tokens[0]
    left, right = tokens[:at], tokens[at + 1 :]
    if not left:
        raise error("left_missing", operator, text)
    if not right:
        column = operator.column + len(operator.text)
        raise model_error("model_syntax.right_missing", text, operator.line, column, found=operator.text)
    refuse_second_operator(relation, text)
    op = _SAME.get(operator.text, operator.text)
    if op == ":=" and (len(left) > 1 or first.kind != NAME):
        raise error("defined_name", first, text)
    constants = {name: number for name, number in CONSTANTS.items() if name not in every}
    one, other = (parse_expression(side, text, constants=constants) for side in (left, right))
    for side, expression in ((left, one), (right, other)):
        if not all(map(math.isfinite, (expression.linear() or {}).values())):
            raise error("not_finite", side[0], text, expression=expression.text)
    name = first.text if op == ":=" else ""
    whole = other.text if op == ":=" else f"{one.text}{op}{other.text}"
    return Constraint(name, op, one, other, whole, first.line, first.column)


def _check_names(tokens: Sequence[Token], allowed: Collection[str], every: Collection[str], text: str) -> None:
    """Refuse names that no parameter has, with the names that may have been meant."""
    for at, token in enumerate(tokens):
        called = at + 1 < len(tokens) and tokens[at + 1].text == "("
        if token.kind not in (NAME, STRING) or called:
            continue
        name = token.text if token.kind == NAME else token.text[1:-1].strip()
        if name in allowed or (name in CONSTANTS and name not in every):
            continue
        if name in every:
            raise error("defined_later", token, text, name=name)
        near = ", ".join(near_names(name, every))
        known = ", ".join(sorted(every))
        key = "label_near" if near else "label_unknown" if known else "label_none"
        raise error(key, token, text, name=name, near=near, known=known)
