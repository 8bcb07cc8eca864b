"""What the data do not determine is not given as a number."""

from __future__ import annotations

import lavaan_cases as cases
import pytest

import sipas_research as sr
from sipas_research.errors import NotIdentifiedWarning


def test_nothing_about_an_undetermined_latent_variable_is_a_number() -> None:
    frame = cases.data("holzinger39")
    with pytest.warns(NotIdentifiedWarning, match="a=~x2"):
        fit = sr.cfa("a =~ x1 + x2\nb =~ x4 + x5 + x6\na ~~ 0*b", frame)
    table = fit.tidy().set_index(["lhs", "op", "rhs"])
    assert table.loc[("a", "=~", "x1"), ["std_lv", "std_all"]].isna().all()
    assert table.loc[("a", "=~", "x2"), "note"] == "not_identified"
    sound = table.loc[[("b", "=~", "x4"), ("b", "=~", "x5"), ("b", "~~", "b")]]
    assert sound[["estimate", "std_all"]].notna().all(axis=None)


def test_the_determined_part_is_as_without_the_other_part() -> None:
    frame = cases.data("holzinger39")
    with pytest.warns(NotIdentifiedWarning):
        both = sr.cfa("a =~ x1 + x2\nb =~ x4 + x5 + x6\na ~~ 0*b", frame).tidy().set_index(["lhs", "op", "rhs"])
    alone = sr.cfa("b =~ x4 + x5 + x6", frame).tidy().set_index(["lhs", "op", "rhs"])
    for column in ("estimate", "std_error", "std_all"):
        difference = both.loc[alone.index, column] - alone[column]
        assert difference.abs().max() < 1e-6
