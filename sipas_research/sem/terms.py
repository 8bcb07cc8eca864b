"""What a model's text says, piece by piece, before any data are seen."""

from __future__ import annotations

from dataclasses import dataclass

from sipas_research.sem.expressions import Expression


@dataclass(frozen=True, slots=True)
class Term:
    """One relation between two variables, in the order written; ``f1 + f2 =~ x + y`` gives four.

    ``op``: "=~" measured by, "~" regressed on, "~~" covaries with, "~1" intercept (``rhs`` is ""), "|" threshold,
    "~*~" scale of an ordinal item. ``line`` and ``column`` (from one) are the place of ``rhs``; ``block`` is an index
    into the model's blocks. Modifiers are () where none was given, one value for all groups, or one value a group:
    ``fixed`` numbers, NaN for a parameter set free, None where that group has none; ``start`` starting values;
    ``labels`` ("" for none); ``equal`` the relations it equals, as "f=~x2".
    """

    lhs: str
    op: str
    rhs: str
    line: int
    column: int
    block: int = 0
    fixed: tuple[float | None, ...] = ()
    start: tuple[float | None, ...] = ()
    labels: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """A relation between parameters: "==", "<", ">", or a parameter defined by others, ":=".

    ``name`` is what ":=" defines, else "". ``text`` has no spaces: the definition for ":=", else the whole relation.
    ``line`` and ``column`` are where it begins.
    """

    name: str
    op: str
    left: Expression
    right: Expression
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the model: of one group ("" is all groups) and one level (0 without levels, 1 within, 2 between)."""

    group: str = ""
    level: int = 0


@dataclass(frozen=True, slots=True)
class ModelSyntax:
    """A model as written: relations, constraints and blocks, in order. ``text`` is the (normalised) source."""

    text: str
    terms: tuple[Term, ...]
    constraints: tuple[Constraint, ...]
    blocks: tuple[Block, ...]

    @property
    def latents(self) -> tuple[str, ...]:
        """Names that some variable measures, in order of appearance."""
        return tuple(dict.fromkeys([term.lhs for term in self.terms if term.op == "=~"]))

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable of the model, latent or observed, in order of appearance."""
        found: dict[str, None] = {}
        for term in self.terms:
            found[term.lhs] = None
            if term.op not in ("~1", "|"):
                found[term.rhs] = None
        return tuple(found)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a relation carries, in order of appearance; defined names are not among them."""
        return tuple(dict.fromkeys([label for term in self.terms for label in term.labels if label]))
