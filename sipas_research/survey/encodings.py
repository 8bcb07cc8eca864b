"""From the bytes of a text file to Unicode text, or to a refusal that says how to convert the file."""

from __future__ import annotations

import codecs
import re
import unicodedata

from sipas_research.errors import DataFileError
from sipas_research.survey.legacy_vietnamese import LEGACY_NAMES, marked_words, share_of_syllables, suspect
from sipas_research.survey.raw_table import Note

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 (BOM)"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SAMPLE = 400_000
# "H?i lòng": Excel's plain "CSV" puts a question mark for every letter that the code page lacks.
_LOST = re.compile(r"(?<![\w/?&=.])[^\W\d_]+\?[^\W\d_]+(?![\w/?&=])")
_FEWEST_LOST = 3


def decode_text(data: bytes, file: str) -> tuple[str, tuple[Note, ...]]:
    """Return the text of a delimited file and a note about its encoding.

    Raises
    ------
    DataFileError
        If the bytes are no text, or are written in an encoding from before Unicode.
    """
    text, encoding = _decode(data, file)
    if "\x00" in text:
        raise DataFileError("reading.encoding.not_text", file=file)
    if text.isascii() or encoding == "Windows-1258":
        lost = len(set(_LOST.findall(text[:_SAMPLE])))
        if lost >= _FEWEST_LOST:
            raise DataFileError("reading.encoding.lost", file=file, n=lost)
    return text, (("reading.note.encoding", (("encoding", encoding),)),)


def _decode(data: bytes, file: str) -> tuple[str, str]:
    try:
        for mark, codec, name in _MARKS:
            if data.startswith(mark):
                return data.decode(codec), name
        guessed = _without_mark(data)
        if guessed:
            return data.decode(guessed), "UTF-16"
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        if b"\x00" in data[:_SAMPLE] or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataFileError("reading.encoding.not_text", file=file) from error
        return _decode_legacy(data, file, error)


def _without_mark(data: bytes) -> str:
    """Return a UTF-16 codec where every second byte is zero, as in ASCII text without a mark."""
    head = data[:2000]
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.6 * half and head[0::2].count(0) == 0:
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.6 * half and head[1::2].count(0) == 0:
        return "utf-16-be"
    return ""


def _decode_legacy(data: bytes, file: str, error: UnicodeDecodeError) -> tuple[str, str]:
    letters = data[:_SAMPLE].decode("latin-1")
    refuse_legacy([letters], file)
    windows = data.decode("cp1258", errors="replace")
    words = marked_words([_composed(windows[:_SAMPLE])])
    if "\ufffd" not in windows and words and share_of_syllables(words) >= 0.7:
        return _composed(windows), "Windows-1258"
    if len(set(_LOST.findall(letters))) >= _FEWEST_LOST:
        raise DataFileError("reading.encoding.lost", file=file, n=len(set(_LOST.findall(letters)))) from error
    line = data.count(b"\n", 0, error.start) + 1
    raise DataFileError("reading.encoding.unknown", file=file, line=str(line)) from error


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def refuse_legacy(texts: list[str], file: str, *, place: str = "") -> None:
    """Raise where texts look like TCVN3, VNI, VPS or UTF-8 read twice; ``place`` names a column.

    Raises
    ------
    DataFileError
        Says which encoding is suspected and how to convert the file.
    """
    name = suspect(texts)
    if not name:
        return
    if name == "utf8_twice":
        raise DataFileError("reading.encoding.utf8_twice", file=file)
    if place:
        raise DataFileError("reading.encoding.legacy_column", file=file, encoding=LEGACY_NAMES[name], column=place)
    raise DataFileError("reading.encoding.legacy", file=file, encoding=LEGACY_NAMES[name])
