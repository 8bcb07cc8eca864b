"""Check that the dictionary of an SPSS file is sound enough to be read.

The C reader trusts some numbers in the file, such as the position of the variable that a set of value
labels belongs to; a damaged one ends the whole program without a word. So the records before the data are
walked once, and every number that points somewhere is compared with what is there. The layout is the one
that the documentation of PSPP describes ("System File Format").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = 176
_VARIABLE, _LABELS, _LABELLED, _DOCUMENTS, _EXTENSION, _END = 2, 3, 4, 6, 7, 999
_DOCUMENT_LINE = 80
_LONGEST_TEXT = 255


@dataclass(frozen=True, slots=True)
class _Walk:
    """Where the walk stands: position in the bytes, 8-byte pieces of variables so far, pieces still owed.

    A text variable of width 20 takes three pieces: its own record and two that continue it.
    """

    at: int
    pieces: int = 0
    owed: int = 0


class _DamageError(Exception):
    """A number in the dictionary points nowhere."""


def is_sound(data: bytes) -> bool:
    """True if all records up to the data are consistent with each other and with the file's length."""
    try:
        order = _byte_order(data)
        here = _Walk(_HEADER)
        while True:
            kind = _integer(data, here.at, order)
            if kind == _END:
                return here.pieces > 0
            here = _next_record(data, here, order, kind)
    except (_DamageError, struct.error, IndexError):
        return False


def _byte_order(data: bytes) -> str:
    for order in ("<", ">"):
        if struct.unpack_from(order + "i", data, 64)[0] in {2, 3}:
            return order
    raise _DamageError


def _integer(data: bytes, at: int, order: str) -> int:
    return int(struct.unpack_from(order + "i", data, at)[0])


def _next_record(data: bytes, here: _Walk, order: str, kind: int) -> _Walk:
    if kind == _VARIABLE:
        return _Walk(_after_variable(data, here.at, order), here.pieces + 1, _still_owed(data, here, order))
    if here.owed:
        raise _DamageError
    if kind == _LABELS:
        return _Walk(_after_labels(data, here.at, order), here.pieces)
    if kind == _LABELLED:
        return _Walk(_after_labelled(data, here, order), here.pieces)
    if kind == _DOCUMENTS:
        lines = _within(_integer(data, here.at + 4, order), 0, len(data) // _DOCUMENT_LINE)
        return _Walk(here.at + 8 + lines * _DOCUMENT_LINE, here.pieces)
    if kind == _EXTENSION:
        size = _within(_integer(data, here.at + 8, order), 0, len(data))
        count = _within(_integer(data, here.at + 12, order), 0, len(data))
        return _Walk(_inside(data, here.at + 16 + size * count), here.pieces)
    raise _DamageError


def _still_owed(data: bytes, here: _Walk, order: str) -> int:
    width = _within(_integer(data, here.at + 4, order), -1, _LONGEST_TEXT)
    if (width < 0) != (here.owed > 0):
        raise _DamageError
    return here.owed - 1 if width < 0 else max(0, (width + 7) // 8 - 1)


def _after_variable(data: bytes, at: int, order: str) -> int:
    labelled, missing = struct.unpack_from(order + "ii", data, at + 8)
    _within(labelled, 0, 1)
    _within(missing, -3, 3)
    at += 32
    if labelled:
        length = _within(_integer(data, at, order), 0, len(data))
        at += 4 + (length + 3) // 4 * 4
    return _inside(data, at + 8 * abs(missing))


def _after_labels(data: bytes, at: int, order: str) -> int:
    count = _within(_integer(data, at + 4, order), 0, len(data) // 16)
    at += 8
    for _ in range(count):
        length = data[at + 8]
        at += 8 + (length + 1 + 7) // 8 * 8
    # A set of labels is always followed by the list of its variables.
    if _integer(data, at, order) != _LABELLED:
        raise _DamageError
    return at


def _after_labelled(data: bytes, here: _Walk, order: str) -> int:
    count = _within(_integer(data, here.at + 4, order), 1, here.pieces)
    for position in range(count):
        _within(_integer(data, here.at + 8 + 4 * position, order), 1, here.pieces)
    return here.at + 8 + 4 * count


def _within(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise _DamageError
    return number


def _inside(data: bytes, at: int) -> int:
    if at > len(data):
        raise _DamageError
    return at
