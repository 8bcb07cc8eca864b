"""The language of models (lavaan's), read into plain values; no data are needed.

::

    quality =~ x1 + x2 + x3            # a latent variable and its indicators
    trust   ~  a*quality + b*income    # a regression with labels
    x1      ~~ x2                      # a residual covariance
    trust   ~  1                       # an intercept
    x1      |  t1 + t2                 # thresholds of an ordinal item
    indirect := a*b                    # a defined parameter
    a == b;  b > 0                     # constraints

Before a variable may stand ``0.5*``, ``NA*``, ``label*``, ``c(a, b)*`` (one a group), ``start(0.5)*``, ``0.5?``,
``label("a")*``, ``equal("f=~x2")*``. ``#`` and ``!`` begin a comment, ``;`` ends a formula, a line without an operator
continues the formula above it. ``group: name`` and ``level: 1`` begin a block. Rosseel (2012), Journal of Statistical
Software 48(2), describes the language.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sipas_research.sem.blocks import WHOLE, Heading, check_blocks, read_heading
from sipas_research.sem.constraints import read_constraints
from sipas_research.sem.formulas import read_formula
from sipas_research.sem.modifiers import error
from sipas_research.sem.near_names import near_names
from sipas_research.sem.terms import Block, Constraint, ModelSyntax, Term
from sipas_research.sem.tokens import (
    BLOCK,
    CONSTRAINT_OPERATORS,
    FORMULA_OPERATORS,
    Statement,
    model_error,
    normalise,
    statements,
)

__all__ = [
    "Block",
    "Constraint",
    "ModelSyntax",
    "Term",
    "model_error",
    "near_names",
    "parse_constraints",
    "parse_model",
]


def parse_model(text: str) -> ModelSyntax:
    """Return what a model's text says.

    Parameters
    ----------
    text : str
        A model in lavaan's language; names may be Vietnamese and are compared in NFC.

    Raises
    ------
    ModelSyntaxError
        If the text is no model; the error names line and column and shows the place.
    """
    if not isinstance(text, str):
        raise model_error("model_syntax.not_text", "", 0, 0, found=type(text).__name__)
    text = normalise(text)
    terms: list[Term] = []
    relations: list[Statement] = []
    headings: list[Heading] = []
    block = WHOLE
    blocks: dict[Block, int] = {}
    for statement in statements(text):
        operator = statement.tokens[statement.at]
        if operator.kind == BLOCK:
            headings.append(read_heading(statement, block, text))
            block = headings[-1].block
        elif operator.text in FORMULA_OPERATORS:
            terms.extend(read_formula(statement, blocks.setdefault(block, len(blocks)), text))
        elif operator.text in CONSTRAINT_OPERATORS:
            relations.append(statement)
        else:
            raise error("composite", operator, text)
    if not terms:
        raise model_error("model_syntax.empty", text, 0, 0)
    check_blocks(headings, tuple(blocks), terms, text)
    _check_repeats(terms, text)
    model = ModelSyntax(text, tuple(terms), (), tuple(blocks))
    if not relations:
        return model
    return ModelSyntax(text, model.terms, read_constraints(relations, model.labels, text), model.blocks)


def parse_constraints(text: str, labels: Collection[str]) -> tuple[Constraint, ...]:
    """Return what a text says about the parameters of a model that is already there, such as ``a == b; b == 2*d``.

    Parameters
    ----------
    text : str
        Formulas with ``==``, ``<``, ``>`` or ``:=`` only.
    labels : collection of str
        Labels and defined names of the model.

    Raises
    ------
    ModelSyntaxError
        If the text holds anything else, or a name that is not among ``labels``.
    """
    if not isinstance(text, str):
        raise model_error("model_syntax.not_text", "", 0, 0, found=type(text).__name__)
    text = normalise(text)
    relations = statements(text)
    for relation in relations:
        operator = relation.tokens[relation.at]
        if operator.text not in CONSTRAINT_OPERATORS:
            raise error("constraints_only", operator, text)
    if not relations:
        raise model_error("model_syntax.no_constraint", text, 0, 0)
    return read_constraints(relations, labels, text)


def _check_repeats(terms: Sequence[Term], text: str) -> None:
    """Refuse a relation that two formulas of a block name; covariances are the same in either order."""
    seen: dict[tuple[int, str, str, str], Term] = {}
    for term in terms:
        swapped = term.op == "~~" and term.rhs < term.lhs
        pair = (term.rhs, term.lhs) if swapped else (term.lhs, term.rhs)
        earlier = seen.setdefault((term.block, term.op, *pair), term)
        if earlier is not term:
            relation = f"{term.lhs} {term.op} {term.rhs}".strip()
            raise model_error(
                "model_syntax.repeated", text, term.line, term.column, relation=relation, first=earlier.line
            )
