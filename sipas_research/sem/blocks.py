"""Headings of blocks: ``group: name`` and ``level: 1``, alone or levels inside groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sipas_research.sem.modifiers import error
from sipas_research.sem.terms import Block, Term
from sipas_research.sem.tokens import Statement, Token, model_error

#: Where a model without headings stands.
WHOLE = Block()

_LEVELS = {"1": 1, "within": 1, "2": 2, "between": 2}


class Heading(NamedTuple):
    """A heading, its place, and the block that begins with it."""

    token: Token
    block: Block
    is_group: bool


def read_heading(statement: Statement, current: Block, text: str) -> Heading:
    """Return the block that a heading begins; ``current`` is the block above it."""
    token = statement.tokens[0]
    if len(statement.tokens) > 1:
        raise error("no_operator", statement.tokens[1], text)
    word, _, label = token.text.partition(":")
    word, label = word.strip().lower(), " ".join(label.split()).strip("\"'").strip()
    if not label:
        raise error("heading_empty", token, text)
    if "~" in label or "=" in label:
        raise error("heading_formula", token, text)
    if word == "group":
        if current.level and not current.group:
            raise error("group_in_level", token, text)
        return Heading(token, Block(label, 0), True)
    if word != "level":
        raise error("heading_unknown", token, text)
    level = _LEVELS.get(label.lower())
    if level is None:
        raise error("level_unknown", token, text, label=label)
    return Heading(token, Block(current.group, level), False)


def check_blocks(headings: Sequence[Heading], blocks: Sequence[Block], terms: Sequence[Term], text: str) -> None:
    """Refuse empty blocks, formulas outside all blocks, a level without the other."""
    if not headings:
        return
    outside = next((i for i, block in enumerate(blocks) if block == WHOLE), None)
    if outside is not None:
        term = next(term for term in terms if term.block == outside)
        raise model_error("model_syntax.outside_block", text, term.line, term.column, found=term.lhs)
    for heading in headings:
        filled = any(b.group == heading.block.group for b in blocks) if heading.is_group else heading.block in blocks
        if not filled:
            raise error("heading_without", heading.token, text)
    for heading in headings:
        levels = {block.level: index for index, block in enumerate(blocks) if block.group == heading.block.group}
        if 0 in levels and len(levels) > 1:
            term = next(term for term in terms if term.block == levels[0])
            raise model_error("model_syntax.level_mixed", text, term.line, term.column, found=term.lhs)
        if set(levels) in ({1}, {2}):
            raise error("level_alone", heading.token, text)
