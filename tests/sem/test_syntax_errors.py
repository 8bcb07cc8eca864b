"""What is wrong with a model is told at its place, in both languages; nothing else ever escapes."""

import pickle
import tomllib
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from sipas_research import wording
from sipas_research.errors import InputError, ModelSyntaxError
from sipas_research.sem.syntax import model_error, parse_constraints, parse_model

#: Model, catalogue key, line, column.
WRONG = [
    ("", "empty", 0, 0),
    ("  \n# f =~ x\n;", "empty", 0, 0),
    ("group: 1", "empty", 0, 0),
    ("1 > 2", "empty", 0, 0),
    ("x1 + x2", "no_operator", 1, 1),
    ("y ~ x; + z", "no_operator", 1, 8),
    ("f =~ x1 + ", "plus_last", 1, 9),
    ("f =~ x1 +\ng =~ x2", "plus_last", 1, 9),
    ("f =~ x1 ++ x2", "plus_twice", 1, 10),
    ("f =~ x1 x2", "plus_missing", 1, 9),
    ("f =~ x1\n  x2", "plus_missing", 2, 3),
    ("f =~", "right_missing", 1, 5),
    ("f =~\ng =~ x", "right_missing", 1, 5),
    ("f =~ +", "plus_last", 1, 6),
    ("=~ x", "left_missing", 1, 1),
    ("y ~ x - z", "minus", 1, 7),
    ("y ~ x:z", "interaction", 1, 5),
    ("y ~ x +\n  x:z", "interaction", 2, 3),
    ("y ~ group:z", "interaction", 1, 5),
    ("f <~ x", "composite", 1, 3),
    ("f =~ 3x", "name_digit", 1, 6),
    ("f =~ 3 x", "star_missing", 1, 8),
    ("f =~ x*3", "modifier_after", 1, 8),
    ("y ~ log(x)", "name_function", 1, 5),
    ("y ~ 0.5", "number_alone", 1, 5),
    ("f =~ 1", "number_alone", 1, 6),
    ("f =~ NA", "name_reserved", 1, 6),
    ('f =~ "x"', "name_quoted", 1, 6),
    ("y ~ x/2", "sign_unexpected", 1, 6),
    ("f =~ x, y", "comma", 1, 7),
    ("f =~ x € y", "character", 1, 8),
    ("f =~ x€", "character", 1, 7),
    ("f =~ x@", "character", 1, 7),
    ("f =~ x²", "character", 1, 7),
    ("f =~ 'x", "quote", 1, 6),
    ("f = x", "equals", 1, 3),
    ("y ~ x ~ z", "two_operators", 1, 7),
    ("y ~a*x\n0 < a < 1", "two_operators", 2, 7),
    ("f =~ f + x", "measures_itself", 1, 6),
    ("y ~ y", "predicts_itself", 1, 5),
    ("x ~*~ y", "scale_of_other", 1, 7),
    ("x | s1", "threshold_name", 1, 5),
    ("f =~ *x", "modifier_missing", 1, 6),
    ("f =~ a*", "variable_missing", 1, 7),
    ("f =~ 2*a*x", "number_times_label", 1, 8),
    ("f =~ a*2*x", "number_times_label", 1, 8),
    ("f =~ a*x + b*x", "twice_labels", 1, 14),
    ("f =~ 1*x + 2*x", "twice_fixed", 1, 14),
    ("f =~ NA*x + 2*x", "twice_fixed", 1, 15),
    ("f =~ 1?x + 2?x", "twice_start", 1, 14),
    ("f =~ equal('a')*x + equal('b')*x", "twice_equal", 1, 32),
    ("f =~ start(a)*x", "start_not_number", 1, 6),
    ("f =~ a?x", "start_not_number", 1, 6),
    ("f =~ label(1)*x", "label_is_number", 1, 6),
    ("f =~ c(1,2)*x + c(a,b,d)*x", "group_counts", 1, 26),
    ("f =~ c()*x", "argument_missing", 1, 8),
    ("f =~ c(1,,2)*x", "argument_missing", 1, 10),
    ("f =~ (1/0)*x", "division_by_zero", 1, 9),
    ("f =~ sqrt(-1)*x", "not_finite", 1, 6),
    ("f =~ 1e999*x", "not_finite", 1, 6),
    ("f =~ (2*a)*x", "modifier_arithmetic", 1, 9),
    ("f =~ " + "c(" * 999 + "1" + ")" * 999 + "*x", "too_deep", 1, 86),
    ("f =~ strat(1)*x", "modifier_near", 1, 6),
    ("f =~ foo(1)*x", "modifier", 1, 6),
    ("f =~ lower(0)*x", "modifier_lower", 1, 6),
    ("f =~ upper(0)*x", "modifier_upper", 1, 6),
    ("f =~ rv('s')*x", "modifier_rv", 1, 6),
    ("f =~ prior('n')*x", "modifier_prior", 1, 6),
    ("efa('F')*f =~ x", "modifier_efa", 1, 1),
    ("a*f =~ x", "left_modifier", 1, 1),
    ("f =~ (x", "bracket_open", 1, 6),
    ("f =~ x)", "bracket_closed", 1, 7),
    ("f =~ x\nf =~ y + x", "repeated", 2, 10),
    ("x ~~ y\ny ~~ x", "repeated", 2, 6),
    ("y ~a*x\na == b", "label_unknown", 2, 6),
    ("y ~alpha*x\nalfa > 0", "label_near", 2, 1),
    ("y ~ x\na == 2", "label_none", 2, 1),
    ("y ~a*x\na := 2", "defined_is_label", 2, 1),
    ("y ~a*x\nb := a\nb := a", "defined_twice", 3, 1),
    ("y ~a*x\nb := k\nk := a", "defined_later", 2, 6),
    ("y ~a*x\nb := 2*b", "defined_later", 2, 8),
    ("y ~a*x\n2*b := a", "defined_name", 2, 1),
    ("y ~a*x\n1 == 2", "no_parameter", 2, 1),
    ("y ~a*x\na == a/0", "division_by_zero", 2, 8),
    ("y ~a*x\na == 1/(1 - 1)", "not_finite", 2, 6),
    ("y ~a*x\na == (1", "bracket_open", 2, 6),
    ("y ~a*x\na == 1 1", "expression_extra", 2, 8),
    ("y ~a*x\na == 1 +", "expression_ends", 2, 9),
    ("y ~a*x\na == ", "right_missing", 2, 5),
    ("y ~a*x\na > *2", "expression_operand", 2, 5),
    ("y ~a*x\na > foo(a)", "function", 2, 5),
    ("y ~a*x\na > sqr(a)", "function_near", 2, 5),
    ("y ~a*x\na > exp(a, 2)", "function_arguments", 2, 5),
    ("y ~a*x\nb := " + "(" * 99 + "a" + ")" * 99, "too_deep", 2, 46),
    ("y ~a*x\nb := a" + "^a" * 99, "too_deep", 2, 86),
    ("grp: 1\ny ~ x", "heading_unknown", 1, 1),
    ("block: 1\ny ~ x", "heading_unknown", 1, 1),
    ("group:\ny ~ x", "heading_empty", 1, 1),
    ("group: 1 y ~ x", "heading_formula", 1, 1),
    ("group: 1\ngroup: 2\ny ~ x", "heading_without", 1, 1),
    ("y ~ x\ngroup: 1\ny ~ x", "outside_block", 1, 5),
    ("level: 3\ny ~ x", "level_unknown", 1, 1),
    ("level: 1\ny ~ x", "level_alone", 1, 1),
    ("level: 1\ngroup: 2\ny ~ x", "group_in_level", 2, 1),
    ("group: 1\ny ~ x\nlevel: 1\ny ~ x\nlevel: 2\ny ~ x", "level_mixed", 2, 5),
]


@pytest.mark.parametrize(("model", "key", "line", "column"), WRONG, ids=[f"{w[1]}-{i}" for i, w in enumerate(WRONG)])
def test_each_trouble_at_its_place(model, key, line, column):
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model(model)
    error = caught.value
    assert (error.key, error.fields["line"], error.fields["column"]) == (f"model_syntax.{key}", line, column)
    for language in wording.LANGUAGES:
        message = error.message(language)
        assert "{" not in message
        if line:
            head, source, caret = message.split("\n")
            assert str(line) in head
            assert str(column) in head
            assert set(caret) == {" ", "^"}
            if column < 40:
                assert caret.index("^") == column + 1
                assert source[2:12] == model.split("\n")[line - 1].rstrip()[:10]
    assert str(error).endswith("^") == bool(line)
    assert str(error).count("\n") == (3 if line else 1)


def test_every_sentence_is_reached():
    source = Path(wording.__file__).parent / "catalogue" / "en" / "model_syntax.toml"
    keys = set(tomllib.loads(source.read_text(encoding="utf-8")))
    assert {key for _, key, _, _ in WRONG} == keys - {"at", "not_text", "constraints_only", "no_constraint"}


@pytest.mark.parametrize(
    ("text", "key", "column"),
    [
        ("", "no_constraint", 0),
        ("a == b; a ~~ b", "constraints_only", 11),
        ("group: 1", "constraints_only", 1),
        ("a == k", "label_unknown", 6),
        ("a == alpha2", "label_near", 6),
        (7, "not_text", 0),
    ],
)
def test_constraints_on_their_own_are_checked(text, key, column):
    with pytest.raises(ModelSyntaxError) as caught:
        parse_constraints(text, ("a", "b", "alpha1"))
    assert (caught.value.key, caught.value.fields["column"]) == (f"model_syntax.{key}", column)
    assert caught.value.message("vi")


def test_constraints_on_their_own():
    first, second = parse_constraints("a == b # equal\n a - 2*b > 0.5", ["a", "b"])
    assert (first.text, second.text) == ("a==b", "a-2*b>0.5")


def test_what_is_no_text_is_refused():
    for value in (None, 3, b"f =~ x", ["f =~ x"]):
        with pytest.raises(ModelSyntaxError) as caught:
            parse_model(value)
        assert type(value).__name__ in caught.value.message("vi")


def test_message_in_vietnamese():
    with pytest.raises(InputError) as caught:
        parse_model("chất_lượng =~ mục1 + mục 2\n")
    assert caught.value.message("vi") == (
        "Mô hình, dòng 1, cột 26: 'mục' và '2' đứng liền nhau mà không có dấu '+'. Hãy thêm dấu '+' giữa hai biến; "
        "tên biến không chứa khoảng trắng.\n"
        "  chất_lượng =~ mục1 + mục 2\n"
        "                           ^"
    )


def test_near_labels_are_offered():
    with pytest.raises(ModelSyntaxError, match="Did you mean tác_động, tac_dung"):
        parse_model("y ~ tác_động*x + tac_dung*z\nk := tac_dong")


def test_long_lines_are_cut_around_the_place():
    model = "f =~ " + " + ".join(f"x{i}" for i in range(100)) + " x"
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model(model)
    _, source, caret = caught.value.message("en").split("\n")
    assert len(source) < 80
    assert source[caret.index("^")] == "x"
    assert source[:3] == "  …"


def test_caret_counts_wide_and_joined_characters():
    error = model_error("model_syntax.plus_twice", "満足 =~ ++", 1, 7)
    assert error.message("en").split("\n")[2] == "  " + " " * 8 + "^"
    joined = "नि =~ ++"
    assert unicodedata.combining(joined[1]) == 0
    assert model_error("model_syntax.plus_twice", "x\u0303\u0323 =~ +", 1, 8).message("en").endswith("\n       ^")


def test_errors_can_be_sent_between_processes():
    with pytest.raises(ModelSyntaxError) as caught:
        parse_model("f =~ x +")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


PIECES = [
    *"+*()?,;:|<>=~^/-\"'#!\n\n .",
    *(
        "=~",
        "~~",
        "~*~",
        ":=",
        "==",
        "<~",
        ">=",
        "~1",
        "\r\n",
        "\t",
        "“",
        "”",
        "−",
        "\u0301",
        "\u200b",
        "€",
        "满",
        "😀",
        "\0",
    ),
    *("f", "x1", "x2", "y", "a", "b", "NA", "pi", "đơn_vị", "t1", "1", "0", "0.5", "1e5", "3x", ".5", "1e999", "²"),
    *(
        "c(",
        "start(",
        "label(",
        "equal(",
        "exp(",
        "log(",
        "efa(",
        "group: 1",
        "level: 2",
        "level: within",
        "a*x",
        " + ",
        " =~ ",
    ),
]
MODELS = [
    "f =~ x1 + a*x2 + c(1, NA)*x3 + 0.5?x4\ny ~ b*f + 1\nk := a*b^2\na == (b + 1)/2\nx1 ~~ x2 + 0.5*x3",
    "level: 1\n fw =~ y1 + y2\nlevel: 2\n fb =~ y1 + a*y2 # c\n a > exp(0)\n",
    'chất_lượng =~ start(c(0.5, 1))*đúng_hạn + label("t")*thái_độ; x | t1 + t2\nx ~*~ 1*x',
]


def survives(text):
    """Return whether the text is a model; anything but a ModelSyntaxError fails the test."""
    try:
        model = parse_model(text)
    except ModelSyntaxError as caught:
        error = caught
    else:
        check_model(model)
        return True
    assert all(error.message(language) for language in wording.LANGUAGES)
    assert 0 <= error.fields["line"] <= len(text.splitlines()) + 1
    return False


def check_model(model):
    """Everything that can be asked of a model can be asked of this one."""
    assert model.terms
    values = dict.fromkeys((*model.labels, *(c.name for c in model.constraints)), 0.5)
    for constraint in model.constraints:
        for side in (constraint.left, constraint.right):
            value, gradient = side.value_and_gradient(values)
            assert value == pytest.approx(side.value(values), nan_ok=True)
            assert set(gradient) == set(side.names)
            side.linear()


def test_random_texts_raise_nothing_else():
    rng = np.random.default_rng(20)
    good = 0
    for _ in range(5000):
        good += survives("".join(rng.choice(PIECES, size=rng.integers(1, 25))))
    assert good > 0


def test_mutated_models_raise_nothing_else():
    rng = np.random.default_rng(21)
    good = 0
    for i in range(3000):
        text = MODELS[i % len(MODELS)]
        for _ in range(rng.integers(1, 4)):
            at, end = sorted(rng.integers(0, len(text) + 1, size=2))
            end = min(end, at + 3)
            text = text[:at] + (str(rng.choice(PIECES)) if rng.random() < 0.7 else "") + text[end:]
        good += survives(text)
    assert 100 < good < 2900


def test_spacing_and_comments_change_nothing():
    rng = np.random.default_rng(22)
    for text in MODELS:
        expected = parse_model(text)
        loose = "".join(f"{c} " if c in "+*(),?" and rng.random() < 0.7 else c for c in text)
        loose = "# head\n\n" + loose.replace("\n", "  ! tail\n\n")
        found = parse_model(loose)
        assert [(t.lhs, t.op, t.rhs, t.labels, repr(t.fixed)) for t in found.terms] == [
            (t.lhs, t.op, t.rhs, t.labels, repr(t.fixed)) for t in expected.terms
        ]
        assert [c.text for c in found.constraints] == [c.text for c in expected.constraints]
