"""Both languages hold the same sentences with the same placeholders, and code asks only for keys that exist."""

import ast
import string
from pathlib import Path

import pytest

from sipas_research import wording
from sipas_research.wording import Bilingual

PACKAGE = Path(wording.__file__).resolve().parents[1]


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_same_keys():
    vi, en = wording.keys("vi"), wording.keys("en")
    assert len(vi) > 50
    assert sorted(set(vi) ^ set(en)) == []


def test_same_placeholders():
    vi, en = wording.keys("vi"), wording.keys("en")
    assert {k for k in vi if placeholders(vi[k]) != placeholders(en[k])} == set()


def test_nothing_is_empty():
    for language in wording.LANGUAGES:
        assert [k for k, v in wording.keys(language).items() if not v.strip()] == []


def test_keys_used_in_code_exist():
    known = wording.keys("vi")
    topics = {k.split(".")[0] for k in known}
    asked = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                value = node.args[0].value
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                is_message = name in {"text", "both", "of"} or name.endswith(("Error", "Warning"))
                if is_message and isinstance(value, str) and value.count(".") and value.split(".")[0] in topics:
                    asked.add((value, path.name))
    assert len(asked) > 20
    assert sorted(a for a in asked if a[0] not in known) == []


def test_text_formats_whole_numbers_and_refuses_floats():
    assert "3.366" in wording.text("survey.responses.summary", "vi", read=3366, rejected=0, used=0)
    assert "3,366" in wording.text("survey.responses.summary", "en", read=3366, rejected=0, used=0)
    with pytest.raises(TypeError, match="bare float"):
        wording.text("survey.responses.summary", "vi", read=1.5, rejected=0, used=0)


def test_bilingual_falls_back_to_vietnamese():
    assert Bilingual("Sở mô phỏng 01")("en") == "Sở mô phỏng 01"
    assert Bilingual("một", "one")("en") == "one"
