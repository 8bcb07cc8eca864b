"""Expressions: values and precedence as in R, exact gradients, linear forms."""

import math

import numpy as np
import pytest

from sipas_research.errors import ModelSyntaxError
from sipas_research.sem.expression_parser import parse_expression
from sipas_research.sem.tokens import OPERATOR, normalise, statements

VALUES = {"a": 0.7, "b": -1.3, "d": 2.1, "độ_dốc": 0.4}


def expression(text):
    (statement,) = statements(normalise(f"k := {text}"))
    assert statement.tokens[1].kind == OPERATOR
    return parse_expression(statement.tokens[2:], f"k := {text}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("-2^-2", -0.25),
        ("8/2/2", 2.0),
        ("8-2-2", 4.0),
        ("2*3+4*5", 26.0),
        ("(2+3)*4", 20.0),
        ("--3", 3.0),
        ("2*-3", -6.0),
        ("1e2 + .5", 100.5),
        ("log(100, 10)", 2.0),
        ("log10(1000) + log2(8)", 6.0),
        ("exp(log(5))", 5.0),
        ("sqrt(16) - abs(-3)", 1.0),
        ("sum(1, 2, 3) * prod(2, 5)", 60.0),
        ("min(3, 1, 2) + max(4, 6)", 7.0),
        ("pnorm(0) + dnorm(0)*sqrt(2*pi)", 1.5),
        ("tanh(0.5) - sinh(0.5)/cosh(0.5)", 0.0),
        ("a*b", -0.91),
        ("độ_dốc + a", 1.1),
    ],
)
def test_values(text, value):
    assert expression(text).value(VALUES) == pytest.approx(value, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        "a*b + d/a - b^3 + 2^a",
        "d^a * exp(-b) / (1 + a^2)",
        "log(d) + log(d, a) + log10(d) + log2(a) + log1p(a) + expm1(b)",
        "sqrt(a*d) + abs(b) + sin(a) + cos(b) + tan(a)",
        "asin(a) + acos(a/2) + atan(b) + sinh(a) + cosh(b) + tanh(d)",
        "pnorm(b) * dnorm(a)",
        "sum(a, b, 2*d) + prod(a, b, d) + max(a, b) - min(d, b, 1)",
        "(a - b)*(a - b) - -a",
    ],
)
def test_gradients_are_exact(text):
    one = expression(text)
    value, gradient = one.value_and_gradient(VALUES)
    assert value == pytest.approx(one.value(VALUES), rel=1e-15)
    assert tuple(gradient) == one.names
    for name in one.names:
        step = 1e-5
        ends = [one.value({**VALUES, name: VALUES[name] + k * step}) for k in (-2, -1, 1, 2)]
        slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        assert gradient[name] == pytest.approx(slope, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "coefficients"),
    [
        ("2*a - b/4 + 3", {"": 3.0, "a": 2.0, "b": -0.25}),
        ("-(a + b)*2", {"": 0.0, "a": -2.0, "b": -2.0}),
        ("sum(a, b, 1) - a", {"": 1.0, "a": 0.0, "b": 1.0}),
        ("exp(0)*a^1", {"": 0.0, "a": 1.0}),
        ("sqrt(4)", {"": 2.0}),
        ("(1/3)*a + (2/3)*a", {"": 0.0, "a": 1.0}),
    ],
)
def test_linear_forms(text, coefficients):
    form = expression(text).linear()
    assert form == pytest.approx(coefficients)
    one = expression(text)
    assert form[""] + sum(form[n] * VALUES[n] for n in one.names) == pytest.approx(one.value(VALUES))


@pytest.mark.parametrize("text", ["a*b", "a/b", "1/a", "a^2", "2^a", "exp(a)", "abs(a)", "max(a, b)", "log(a, 2)"])
def test_not_linear(text):
    assert expression(text).linear() is None


@pytest.mark.parametrize("text", ["log(a - 1)", "sqrt(b)", "a/(a - a)", "b^0.5", "asin(d)", "log(a, 1)", "0/(a - a)"])
def test_undefined_is_nan(text):
    one = expression(text)
    assert math.isnan(one.value(VALUES))
    value, gradient = one.value_and_gradient(VALUES)
    assert math.isnan(value)
    assert any(math.isnan(g) for g in gradient.values())


def test_past_the_largest_number_is_infinite():
    assert expression("exp(1000*a)").value({"a": 1.0}) == math.inf


def test_power_with_constant_exponent_has_a_slope_at_a_negative_base():
    assert expression("b^2").value_and_gradient(VALUES) == (pytest.approx(1.69), {"b": pytest.approx(-2.6)})
    assert expression("a^2").value_and_gradient({"a": 0.0}) == (0.0, {"a": 0.0})
    assert expression("a^0").value_and_gradient({"a": 0.0}) == (1.0, {"a": 0.0})


def test_names_in_order_once_and_text_without_spaces():
    one = expression("b * ( a + b ) - exp( d )")
    assert one.names == ("b", "a", "d")
    assert one.text == "b*(a+b)-exp(d)"


def test_random_expressions_agree_with_python():
    rng = np.random.default_rng(11)
    for _ in range(200):
        text = _random(rng, 4)
        expected = eval(text.replace("^", "**"), {}, dict(VALUES))
        assert expression(text).value(VALUES) == pytest.approx(expected, rel=1e-12)


def _random(rng, depth):
    if depth == 0 or rng.random() < 0.2:
        return str(rng.choice(["a", "b", "d", "0.5", "3"]))
    sign = rng.choice(["+", "-", "*", "/"])
    left, right = _random(rng, depth - 1), _random(rng, depth - 1)
    if sign == "/":
        right = f"(2 + ({right})^2)"
    return f"({left} {sign} {right})" if rng.random() < 0.5 else f"-{left} {sign} {right}".replace("--", "- -")


@pytest.mark.parametrize(
    "text", ["a +", "* a", "a b", "a , b", "(a", "a)", "f(a)", "exp(a, b)", "exp()", "a/0", "a/-0.0"]
)
def test_broken_expressions_are_refused(text):
    with pytest.raises(ModelSyntaxError):
        expression(text)


def test_long_sums_are_read_without_recursion():
    assert expression(" + ".join(["a"] * 5000)).linear() == pytest.approx({"": 0.0, "a": 5000.0})
