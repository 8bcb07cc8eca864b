"""Recognising Vietnamese text in the encodings that came before Unicode: TCVN3 (ABC), VNI, VPS, Windows-1258.

Such text is still about: a sheet typed in .VnTime holds "Th¸ng" where the font shows "Tháng". A word is
tried in each encoding, and the encoding in which the words become Vietnamese syllables is the suspect.
Vietnamese has about 160 rhymes, so text in another language, or bytes at random, rarely pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

#: Names of the encodings as their users know them.
LEGACY_NAMES = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI Windows", "vps": "VPS", "utf8_twice": "UTF-8"}

_MOST_WORDS = 3000
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
# Letters from U+0080 on belong to words even where they are signs: TCVN3 writes "á" as the cedilla.
_WORD = re.compile("[A-Za-z\u0080-\u009f\u00a1-\u200f\u2020\u2021\u2030-\uffff]+")

_RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu "
    "o oc oi om on ong op ot oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet "
    "ooc oong ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uôc uôi uôm uôn uông uôt uơ "
    "uê uêch uênh uy uya uych uyên uyêt uyn uynh uyp uyt uyu uân uâng uât uây "
    "ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu y yêm yên yêng yêt yêu"
).split()
_ONSETS = "ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnprstvx]"
_SYLLABLE = re.compile(f"(?:{_ONSETS})?(?:{'|'.join(sorted(_RHYMES, key=len, reverse=True))})")

_TCVN3 = {
    **dict(zip("\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7", "ĂÂÊÔƠƯĐ", strict=True)),
    **dict(zip("\u00a8\u00a9\u00aa\u00ab\u00ac\u00ad\u00ae", "ăâêôơưđ", strict=True)),
    **dict(zip("\u00b5\u00b6\u00b7\u00b8\u00b9\u00bb\u00bc\u00bd\u00be\u00c6", "àảãáạằẳẵắặ", strict=True)),
    **dict(zip("\u00c7\u00c8\u00c9\u00ca\u00cb\u00cc\u00ce\u00cf\u00d0\u00d1", "ầẩẫấậèẻẽéẹ", strict=True)),
    **dict(zip("\u00d2\u00d3\u00d4\u00d5\u00d6\u00d7\u00d8\u00dc\u00dd\u00de", "ềểễếệìỉĩíị", strict=True)),
    **dict(zip("\u00df\u00e1\u00e2\u00e3\u00e4\u00e5\u00e6\u00e7\u00e8\u00e9", "òỏõóọồổỗốộ", strict=True)),
    **dict(zip("\u00ea\u00eb\u00ec\u00ed\u00ee\u00ef\u00f1\u00f2\u00f3\u00f4", "ờởỡớợùủũúụ", strict=True)),
    **dict(zip("\u00f5\u00f6\u00f7\u00f8\u00f9\u00fa\u00fb\u00fc\u00fd\u00fe", "ừửữứựỳỷỹýỵ", strict=True)),
}
_VPS = {
    **dict(zip("\u00e4\u00e5\u00e6\u00a1\u00a2\u00a3\u00a4\u00a5\u00c3\u00c0", "ảạăắằẳẵặấầ", strict=True)),
    **dict(zip("\u00c4\u00c5\u00c6\u00c8\u00eb\u00cb\u0089\u008a\u008b\u00cd", "ẩẫậẻẽẹếềểễ", strict=True)),
    **dict(zip("\u008c\u00cc\u00ef\u00ce\u00d5\u0086\u00d3\u00d2\u00b0\u0087", "ệỉĩịỏọốồổỗ", strict=True)),
    **dict(zip("\u00b6\u00d6\u00a7\u00a9\u00aa\u00ab\u00ae\u00fb\u00db\u00f8", "ộơớờởỡợủũụ", strict=True)),
    **dict(zip("\u00dc\u00d9\u00d8\u00ba\u00bb\u00bf\u009a\u00ff\u009b\u00cf", "ưứừửữựýỳỷỹ", strict=True)),
    **dict(zip("\u009c\u00c7\u00f1", "ỵđĐ", strict=True)),
}
_CIRCUMFLEX, _BREVE = "\u0302", "\u0306"
_VNI_TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_VNI_MARKS = {
    **dict(zip("øùõûï", _VNI_TONES[1:], strict=True)),
    **dict(zip("âàáãåä", (_CIRCUMFLEX + tone for tone in _VNI_TONES), strict=True)),
    **dict(zip("êèéüúë", (_BREVE + tone for tone in _VNI_TONES), strict=True)),
}
_VNI_LETTERS = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI_MARKED = re.compile("([aeouyôö])([" + "".join(_VNI_MARKS) + "])")


@lru_cache(maxsize=20_000)
def is_syllable(word: str) -> bool:
    """True if the word, in Unicode, could be a Vietnamese syllable with at most one tone."""
    spread = unicodedata.normalize("NFD", word.lower())
    bare, tones = _TONES.subn("", spread)
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", bare)) is not None


def _as_byte(letter: str) -> str:
    try:
        return letter.encode("cp1252").decode("latin-1")
    except UnicodeEncodeError:
        return letter


def _from_tcvn3(word: str) -> str:
    return "".join(_TCVN3.get(letter, letter) for letter in word)


def _from_vps(word: str) -> str:
    return "".join(_VPS.get(_as_byte(letter), letter) for letter in word)


def _from_vni(word: str) -> str:
    # A split by two groups gives: plain, base, mark, plain, base, mark, ..., plain.
    pieces = _VNI_MARKED.split(word.lower())
    plain = ["".join(_VNI_LETTERS.get(letter, letter) for letter in piece) for piece in pieces[0::3]]
    marked = [
        unicodedata.normalize("NFC", _VNI_LETTERS.get(base, base) + _VNI_MARKS[mark])
        for base, mark in zip(pieces[1::3], pieces[2::3], strict=True)
    ]
    return "".join(a + b for a, b in zip(plain, [*marked, ""], strict=True))


_DECODERS: dict[str, Callable[[str], str]] = {"tcvn3": _from_tcvn3, "vni": _from_vni, "vps": _from_vps}


def marked_words(texts: Iterable[str]) -> list[str]:
    """Return distinct words with a letter outside ASCII, in order, at most a few thousand."""
    found: dict[str, None] = {}
    for cell in texts:
        if cell.isascii():
            continue
        for word in _WORD.findall(cell):
            if not word.isascii():
                found[word] = None
        if len(found) > _MOST_WORDS:
            break
    return list(found)


def share_of_syllables(words: list[str]) -> float:
    """Return the share of words that are Vietnamese syllables as they stand; 1.0 for no words."""
    return sum(map(is_syllable, words)) / len(words) if words else 1.0


def suspect(texts: Iterable[str]) -> str:
    """Return the key of :data:`LEGACY_NAMES` that the texts are written in, or "" where they look like Unicode.

    Parameters
    ----------
    texts : iterable of str
        Cells, names or labels; bytes that are not UTF-8 may be passed decoded as Latin-1.
    """
    cells = [cell for cell in texts if not cell.isascii()]
    words = marked_words(cells)
    as_it_stands = share_of_syllables(words)
    if as_it_stands > 0.6:
        return ""
    best, share = "", 0.0
    for name, decode in _DECODERS.items():
        passed = [word for word in words if is_syllable(decode(word))]
        if len(passed) / len(words) > share and _enough(passed):
            best, share = name, len(passed) / len(words)
    if share >= 0.7 and share >= as_it_stands + 0.3:
        return best
    return "utf8_twice" if _was_utf8(cells) else ""


def _enough(passed: list[str]) -> bool:
    # One odd word may be a foreign name; a sign inside a word ("Th¸ng") is never one.
    return len(passed) >= 2 or any(not letter.isalpha() for word in passed for letter in word)


def _was_utf8(cells: list[str]) -> bool:
    """True if the cells are UTF-8 that was once read as Windows-1252 ("ThÃ¡ng")."""
    restored = []
    for cell in cells[:_MOST_WORDS]:
        try:
            restored.append("".join(map(_as_byte, cell)).encode("latin-1").decode("utf-8"))
        except UnicodeError:
            continue
    return len(restored) >= 0.7 * min(len(cells), _MOST_WORDS) and share_of_syllables(marked_words(restored)) >= 0.7
