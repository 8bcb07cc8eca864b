"""Arithmetic on labels: the two sides of a constraint, a defined parameter, a computed starting value.

An expression is kept as a list of steps for a stack machine, so that it can be compared, stored and evaluated many
times at little cost. Its gradient is exact (forward mode: each step carries value and derivatives). Functions and
precedence are those of R: ``-2^2`` is -4, ``^`` binds to the right, ``log(x, base)`` is allowed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

NAN = float("nan")

Gradient = dict[str, float]
#: A step: what to do, and the number, name or count of arguments it needs.
Step = tuple[str, float | str | int]


def _normal_density(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


#: Name, value and derivative of every function of one argument.
_FUNCTIONS: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "exp": (math.exp, math.exp),
    "expm1": (math.expm1, math.exp),
    "log": (math.log, lambda x: 1.0 / x),
    "log2": (math.log2, lambda x: 1.0 / (x * math.log(2.0))),
    "log10": (math.log10, lambda x: 1.0 / (x * math.log(10.0))),
    "log1p": (math.log1p, lambda x: 1.0 / (1.0 + x)),
    "sqrt": (math.sqrt, lambda x: 0.5 / math.sqrt(x)),
    "abs": (abs, lambda x: math.copysign(1.0, x) if x else 0.0),
    "sin": (math.sin, math.cos),
    "cos": (math.cos, lambda x: -math.sin(x)),
    "tan": (math.tan, lambda x: 1.0 / math.cos(x) ** 2),
    "asin": (math.asin, lambda x: 1.0 / math.sqrt(1.0 - x * x)),
    "acos": (math.acos, lambda x: -1.0 / math.sqrt(1.0 - x * x)),
    "atan": (math.atan, lambda x: 1.0 / (1.0 + x * x)),
    "sinh": (math.sinh, math.cosh),
    "cosh": (math.cosh, math.sinh),
    "tanh": (math.tanh, lambda x: 1.0 - math.tanh(x) ** 2),
    "pnorm": (lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0)), _normal_density),
    "dnorm": (_normal_density, lambda x: -x * _normal_density(x)),
}
ONE_ARGUMENT = tuple(_FUNCTIONS)
FUNCTIONS = (*ONE_ARGUMENT, "sum", "prod", "min", "max")


@dataclass(frozen=True, slots=True)
class Expression:
    """An arithmetic expression of named parameters.

    ``text`` is the expression without spaces; ``names`` are its parameters in order of appearance.
    """

    text: str
    names: tuple[str, ...]
    steps: tuple[Step, ...]

    def value(self, values: Mapping[str, float]) -> float:
        """Return the value at ``values``; NaN or infinite where the expression is not defined there."""
        stack: list[float] = []
        for step, argument in self.steps:
            if step == "number":
                stack.append(argument)  # type: ignore[arg-type]
            elif step == "name":
                stack.append(float(values[argument]))  # type: ignore[index]
            else:
                count = _arguments(step, argument)
                taken = stack[-count:]
                del stack[-count:]
                stack.append(_apply(step, argument, taken))
        return stack[0]

    def value_and_gradient(self, values: Mapping[str, float]) -> tuple[float, Gradient]:
        """Return value and exact derivative with respect to every name of the expression."""
        stack: list[tuple[float, Gradient]] = []
        for step, argument in self.steps:
            if step == "number":
                stack.append((argument, {}))  # type: ignore[arg-type]
            elif step == "name":
                stack.append((float(values[argument]), {argument: 1.0}))  # type: ignore[index,dict-item]
            else:
                count = _arguments(step, argument)
                taken = stack[-count:]
                del stack[-count:]
                numbers = [number for number, _ in taken]
                result = _apply(step, argument, numbers)
                slopes = _slopes(step, argument, numbers) if result == result else [NAN] * count  # noqa: PLR0124
                stack.append((result, _chain(slopes, taken)))
        value, gradient = stack[0]
        return value, {name: gradient.get(name, 0.0) for name in self.names}

    def linear(self) -> dict[str, float] | None:
        """Return the coefficient of each name ("" for the constant), or None if the expression is not linear.

        Terms that cancel are kept with coefficient 0; a product or quotient of two names is never linear.
        """
        stack: list[dict[str, float]] = []
        for step, argument in self.steps:
            if step == "number":
                stack.append({"": argument})  # type: ignore[dict-item]
            elif step == "name":
                stack.append({"": 0.0, argument: 1.0})  # type: ignore[dict-item]
            else:
                count = _arguments(step, argument)
                taken = stack[-count:]
                del stack[-count:]
                form = _linear_step(step, argument, taken)
                if form is None:
                    return None
                stack.append(form)
        return stack[0]


def _arguments(step: str, argument: float | str | int) -> int:
    if step == "call":
        return 1
    return int(argument)


def _quotient(x: float, y: float) -> float:
    return x / y if y else NAN


def _log_base(x: float, base: float) -> float:
    return math.log(x) / math.log(base)


#: What each step but a function's call does with its arguments.
_STEPS: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "^": math.pow,
    "negative": operator.neg,
    "log_base": _log_base,
    "sum": lambda *numbers: math.fsum(numbers),
    "prod": lambda *numbers: math.prod(numbers),
    "min": lambda *numbers: min(numbers),
    "max": lambda *numbers: max(numbers),
}


def _apply(step: str, argument: float | str | int, numbers: Sequence[float]) -> float:
    """Return the result of one step; NaN outside a function's domain, infinite past the largest number."""
    try:
        return _FUNCTIONS[str(argument)][0](numbers[0]) if step == "call" else _STEPS[step](*numbers)
    except (ValueError, ZeroDivisionError):
        return NAN
    except OverflowError:
        return math.inf


def _power_slopes(base: float, power: float) -> list[float]:
    left = power * math.pow(base, power - 1.0) if power else 0.0
    # d/dpower = base^power log(base): for a base of zero or less it is not defined, and mostly not asked for
    right = math.pow(base, power) * math.log(base) if base > 0.0 else 0.0 if base == 0.0 < power else NAN
    return [left, right]


def _product_slopes(*numbers: float) -> list[float]:
    return [math.prod(numbers[:i]) * math.prod(numbers[i + 1 :]) for i in range(len(numbers))]


#: The derivative of each step with respect to its arguments; at a tie, min and max follow the first.
_SLOPES: dict[str, Callable[..., list[float]]] = {
    "+": lambda x, y: [1.0, 1.0],
    "-": lambda x, y: [1.0, -1.0],
    "*": lambda x, y: [y, x],
    "/": lambda x, y: [1.0 / y, -x / y / y],
    "^": _power_slopes,
    "negative": lambda x: [-1.0],
    "log_base": lambda x, base: [
        1.0 / (x * math.log(base)),
        -math.log(x) / (base * math.log(base) ** 2),
    ],
    "sum": lambda *numbers: [1.0] * len(numbers),
    "prod": _product_slopes,
    "min": lambda *numbers: [float(i == numbers.index(min(numbers))) for i in range(len(numbers))],
    "max": lambda *numbers: [float(i == numbers.index(max(numbers))) for i in range(len(numbers))],
}


def _slopes(step: str, argument: float | str | int, numbers: Sequence[float]) -> list[float]:
    """Return the derivative of one step with respect to each of its arguments; NaN where there is none."""
    try:
        if step == "call":
            return [_FUNCTIONS[str(argument)][1](numbers[0])]
        return _SLOPES[step](*numbers)
    except (ValueError, ZeroDivisionError, OverflowError):
        return [NAN] * len(numbers)


def _chain(slopes: Sequence[float], taken: Sequence[tuple[float, Gradient]]) -> Gradient:
    gradient: Gradient = {}
    for slope, (_, inner) in zip(slopes, taken, strict=True):
        for name, derivative in inner.items():
            gradient[name] = gradient.get(name, 0.0) + slope * derivative
    return gradient


def _linear_step(step: str, argument: float | str | int, taken: Sequence[dict[str, float]]) -> dict[str, float] | None:
    """Return the linear form after one step, or None."""
    first, last = taken[0], taken[-1]
    weights: list[float] | None = None
    if all(len(form) == 1 for form in taken):
        return {"": _apply(step, argument, [form[""] for form in taken])}
    if step in ("+", "sum"):
        weights = [1.0] * len(taken)
    elif step in ("-", "negative"):
        weights = [1.0, -1.0] if step == "-" else [-1.0]
    elif step == "*" and len(first) == 1:
        weights = [0.0, first[""]]
    elif step == "*" and len(last) == 1:
        weights = [last[""], 0.0]
    elif step == "/" and len(last) == 1 and last[""]:
        return {name: number / last[""] for name, number in first.items()}
    elif step == "^" and last == {"": 1.0}:
        weights = [1.0, 0.0]
    return None if weights is None else _weighted(taken, weights)


def _weighted(forms: Sequence[dict[str, float]], weights: Sequence[float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for form, weight in zip(forms, weights, strict=True):
        for name, number in form.items():
            total[name] = total.get(name, 0.0) + weight * number
    return total
