"""``sipas claim``: options in, two languages out."""

import argparse

import pytest

from sipas_research.errors import OptionError
from sipas_research.study.claim_command import add_options, run


def answer(*arguments, language=None):
    parser = argparse.ArgumentParser()
    add_options(parser)
    options = parser.parse_args(arguments)
    options.language = language
    return run(options)


def test_both_languages_in_order():
    text = answer(
        *["--value", "87,07", "--change", "3,1", "--components", "5", "--falling", "3", "--rising", "1", "--n", "400"]
    )
    assert text.index("83,97%") < text.index("83.97%")
    assert "phụ thuộc cách hiểu" in text
    assert "depends on the reading" in text


def test_one_language_when_asked():
    text = answer("--value", "87,07", "--change", "3,1", language="en")
    assert "84.45%" in text
    assert "kỳ trước" not in text


def test_weights_falls_and_thousands():
    text = answer("--value", "87,07", "--change=-1,5", "--components", "2", "--weights", "1;3")
    assert "88,57%" in text
    assert "357,5" in answer("--value", "87,07", "--n", "400", "--frame", "3.366")


@pytest.mark.parametrize("wrong", [["--value", "120"], ["--value", "x"], ["--value", "87", "--n", "0"]])
def test_refusals(wrong):
    with pytest.raises(OptionError):
        answer(*wrong)


def test_help_prints():
    parser = argparse.ArgumentParser(prog="sipas claim")
    add_options(parser)
    assert "87,07" in parser.format_help()
