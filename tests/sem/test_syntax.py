"""Models are read as lavaan reads them; names, comments, continued lines, modifiers, constraints, blocks."""

import json
import math
import time
import unicodedata
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from sipas_research.sem.syntax import Block, near_names, parse_model

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "model_syntax" / "lavaan.json").read_text(encoding="utf-8")
)


def plain(values):
    """NaN, "" and None are lavaan's NA."""
    return [None if v in ("", None) or str(v) == "nan" else v for v in values]


def relations(model):
    return [(t.lhs, t.op, t.rhs) for t in model.terms]


def only(text):
    (term,) = parse_model(text).terms
    return term


@pytest.mark.parametrize("name", REFERENCE)
def test_reads_as_lavaan_does(name):
    case = REFERENCE[name]
    model = parse_model(case["model"])
    found = [[t.lhs, t.op, t.rhs, t.block + 1, plain(t.fixed), plain(t.start), plain(t.labels)] for t in model.terms]
    expected = [[*row[:4], *(plain(values) for values in row[4:])] for row in case["terms"]]
    assert found == expected
    constraints = [[c.name or c.left.text, c.op, c.right.text] for c in model.constraints]
    assert constraints == case["constraints"]


def test_places_are_those_of_the_right_side():
    model = parse_model("# head\nf =~ x1 +\n   a*x2\ny ~ 1;  z ~~ 0*y\nb := a")
    assert [(t.rhs, t.line, t.column) for t in model.terms] == [
        ("x1", 2, 6),
        ("x2", 3, 6),
        ("", 4, 1),
        ("y", 4, 16),
    ]
    assert [(c.name, c.line, c.column) for c in model.constraints] == [("b", 5, 1)]


def test_summaries_of_a_model():
    model = parse_model("f =~ a*x1 + x2\ng =~ f + b*x3\ny ~ 1 + c(a, d)*f\nx1 | t1\ny ~~ y\ne := a*b")
    assert model.latents == ("f", "g")
    assert model.names == ("f", "x1", "x2", "g", "x3", "y")
    assert model.labels == ("a", "b", "d")
    assert model.blocks == (Block("", 0),)


def test_values_are_frozen_and_tuples():
    model = parse_model("f =~ c(1, NA)*x1 + start(0.5)*x2")
    assert all(isinstance(v, tuple) for t in model.terms for v in (t.fixed, t.start, t.labels, t.equal))
    with pytest.raises(FrozenInstanceError):
        model.terms[0].lhs = "g"
    assert parse_model("f =~ x") == parse_model("f =~ x")


@pytest.mark.parametrize(
    ("modifier", "fixed", "start", "labels"),
    [
        ("2*3*x", (6.0,), (), ()),
        ("-(1/4)*x", (-0.25,), (), ()),
        ("1/4*x", (0.25,), (), ()),
        ("-2^2*x", (-4.0,), (), ()),
        ("exp(0)*x", (1.0,), (), ()),
        ("+ 3*x", (3.0,), (), ()),
        ("-1e-3?x", (), (-0.001,), ()),
        ("c(0.1, 0.2)?x", (), (0.1, 0.2), ()),
        ("start(0.5, 0.6)*x", (), (0.5, 0.6), ()),
        ("start(c(NA, 0.6))*x", (), (None, 0.6), ()),
        ("start(0.5)*a*x", (), (0.5,), ("a",)),
        ("0.5?x + a*x", (), (0.5,), ("a",)),
        ("x + x", (), (), ()),
        ("x + 0.5*x", (0.5,), (), ()),
        ("a*x + a*x", (), (), ("a",)),
        ('c("a", NA)*x', (), (), ("a", "")),
        ('c("", "")*x', (), (), ()),
        ("c(a, 1)*x", (None, 1.0), (), ("a", "")),
        ("c(1, a)*x", (1.0, None), (), ("", "a")),
        ("label(a)*x", (), (), ("a",)),
        ("'a b'*x", (), (), ("a b",)),
        ("pi*x", (), (), ("pi",)),
        ("start*x", (), (), ("start",)),
    ],
)
def test_modifiers(modifier, fixed, start, labels):
    term = only(f"f =~ {modifier}")
    assert (term.rhs, term.fixed, term.start, term.labels) == ("x", fixed, start, labels)


@pytest.mark.parametrize("modifier", ["NA*x", "NA*x + NA*x", "c(NA)*x"])
def test_na_sets_free(modifier):
    (value,) = only(f"f =~ {modifier}").fixed
    assert math.isnan(value)


def test_na_with_label_and_with_list():
    term = only("f =~ NA*a*x")
    assert math.isnan(term.fixed[0])
    assert term.labels == ("a",)
    term = only("f =~ c(NA, 1, a)*x")
    assert math.isnan(term.fixed[0])
    assert term.fixed[1:] == (1.0, None)
    assert term.labels == ("", "", "a")


def test_equal_names_relations_without_spaces():
    first, second = parse_model('f =~ equal("f =~ x2")*x1 + equal("f=~x3", "")*x4').terms
    assert first.equal == ("f=~x2",)
    assert second.equal == ("f=~x3", "")


def test_names_of_any_script_in_composed_form():
    name = "hài_lòng.đợt_2"
    apart = unicodedata.normalize("NFD", f"{name} =~ x1 + ý_kiến\ny ~ {name}")
    model = parse_model(apart)
    assert model.names == (name, "x1", "ý_kiến", "y")
    assert model.terms[1].column == len(name) + 10
    assert parse_model("満足 =~ สำนักงาน + नाम1 + ёж").names == ("満足", "สำนักงาน", "नाम1", "ёж")


def test_text_pasted_from_a_word_processor():
    model = parse_model("f =~ x1 + “a”*x2 + −0.5*x3\u00a0+ ‘b’×x4\r\ny ˜ f\u2028z ~ f\ufeff")
    assert relations(model)[-2:] == [("y", "~", "f"), ("z", "~", "f")]
    assert [t.labels for t in model.terms[:4]] == [(), ("a",), (), ("b",)]
    assert model.terms[2].fixed == (-0.5,)


def test_comments_and_ends():
    model = parse_model('f =~ x1 # + x2\n  + x3 ! + x4\n;;\n;y~"#a"*f;')
    assert relations(model) == [("f", "=~", "x1"), ("f", "=~", "x3"), ("y", "~", "f")]
    assert model.terms[2].labels == ("#a",)


def test_operator_may_end_a_line():
    assert relations(parse_model("y ~\n\n x1 +\n c(a,\n b)*\n x2")) == [("y", "~", "x1"), ("y", "~", "x2")]


def test_words_of_blocks_are_names_elsewhere():
    model = parse_model("level ~ a*group\nclass := 2*a")
    assert relations(model) == [("level", "~", "group")]
    assert model.constraints[0].name == "class"


def test_constraints():
    model = parse_model(
        'y ~ a*x + b*z + "c d"*w\n a >= 0\n 1 <= 2 * b; a == (b +\n 1)/2\n k := pi * a\n m := k^2 ; "c d" == k'
    )
    texts = [(c.name, c.op, c.text) for c in model.constraints]
    assert texts == [
        ("", ">", "a>0"),
        ("", "<", "1<2*b"),
        ("", "==", "a==(b+1)/2"),
        ("k", ":=", "pi*a"),
        ("m", ":=", "k^2"),
        ("", "==", '"c d"==k'),
    ]
    defined = model.constraints[3]
    assert defined.left.names == ("k",)
    assert defined.right.linear() == {"": 0.0, "a": math.pi}
    assert model.constraints[5].left.names == ("c d",)


def test_pi_is_a_label_where_one_is_given():
    model = parse_model("y ~ pi*x\nk := 2*pi")
    assert model.constraints[0].right.names == ("pi",)


def test_blocks_of_groups_and_levels():
    model = parse_model(
        'Group: "Trung tâm  tỉnh" # a name\n LEVEL: within\n f =~ x\n level: between\n g =~ x\n'
        "group: 2; level: 1; f =~ x\nlevel: 2\ng =~ a*x; a > 0\n"
    )
    assert model.blocks == (Block("Trung tâm tỉnh", 1), Block("Trung tâm tỉnh", 2), Block("2", 1), Block("2", 2))
    assert [t.block for t in model.terms] == [0, 1, 2, 3]
    assert len(model.constraints) == 1


def test_near_names():
    known = ["chất_lượng", "quy.trình1", "Alpha", "beta", "access1", "access2", "access3", "access4"]
    assert near_names("chat_luong", known) == ("chất_lượng",)
    assert near_names("Quytrinh1", known) == ("quy.trình1",)
    assert near_names("đường", ["duong"]) == ("duong",)
    assert near_names("alpa", known) == ("Alpha",)
    assert len(near_names("acess", known)) == 3
    assert near_names("zzz", known) == ()
    assert near_names("", known) == ()


def test_reading_costs_little():
    text = "\n".join(f"f{i} =~ " + " + ".join(f"item{i}_{j}" for j in range(5)) for i in range(20))
    text += "\n" + "\n".join(f"f{i} ~ " + " + ".join(f"b{i}{j}*f{j}" for j in range(i)) for i in range(1, 8))
    best = math.inf
    for _ in range(5):
        start = time.perf_counter()
        assert len(parse_model(text).terms) == 128
        best = min(best, time.perf_counter() - start)
    assert best < 0.02
