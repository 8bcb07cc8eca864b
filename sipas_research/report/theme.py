"""One look for every figure: sizes for a 16 cm text width, colours that colour-blind readers tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sipas_research import wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Text width of a page in inches (16 cm); figures are drawn at this width so that letters print at their size.
TEXT_WIDTH = 16 / 2.54

#: Five-point answers from "very dissatisfied" to "very satisfied": brown to blue-green, lightness mirrored.
LIKERT = ("#a6611a", "#dfc27d", "#d9d9d9", "#80cdc1", "#018571")

#: Colours of unordered groups (Okabe and Ito 2008), the darkest first; not more than seven groups in one figure.
GROUPS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f5f5f")

#: One colour for estimates and one for what they are compared with.
ESTIMATE = "#0072b2"
REFERENCE = "#5f5f5f"


def settings() -> Any:
    """Return the matplotlib settings of the theme; DejaVu Sans holds every Vietnamese letter."""
    return {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.labelsize": 9,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "axes.edgecolor": "#4d4d4d",
        "axes.linewidth": 0.8,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": "#e3e3e3",
        "grid.linewidth": 0.7,
        "lines.linewidth": 1.6,
        "patch.edgecolor": "white",
        "figure.figsize": (TEXT_WIDTH, TEXT_WIDTH * 0.6),
        "figure.constrained_layout.use": True,
        "figure.dpi": 100,
        "savefig.facecolor": "white",
        "svg.fonttype": "path",
        # names come from data: a dollar sign in them is a dollar sign
        "text.parse_math": False,
    }


@contextmanager
def theme() -> Iterator[None]:
    """Draw with the theme inside the ``with`` block; nothing stays set afterwards."""
    import matplotlib as mpl
    import seaborn as sns

    with (
        mpl.rc_context(),
        sns.axes_style("whitegrid"),
        sns.color_palette(GROUPS),
        mpl.rc_context(settings()),
    ):
        yield


def likert_colours(points: int) -> tuple[str, ...]:
    """Return one colour an answer, from the lowest to the highest, for scales of 2 to 11 points."""
    if points == len(LIKERT):
        return LIKERT
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("likert", LIKERT)
    return tuple(to_hex(ramp(index / max(points - 1, 1))) for index in range(points))


def percent_axis(axes: Axes, language: str, *, which: str = "x", decimals: int = 0) -> None:
    """Print the ticks of an axis that holds shares (0-1) as percentages of the language: "87,5%" or "87.5%".

    ``decimals`` is the least number of decimals; where ticks lie closer than a point more are printed, so that no
    two ticks read the same.
    """
    from matplotlib.ticker import MaxNLocator

    axis = _axis(axes, which)
    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))

    def label(value: float, _position: object) -> str:
        ticks = axis.get_majorticklocs()
        step = 100 * abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
        needed = next((d for d in range(4) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 4)
        return wording.percent(value, language, max(decimals, needed))

    axis.set_major_formatter(label)


def number_axis(axes: Axes, language: str, *, which: str = "x", decimals: int = 0) -> None:
    """Print the ticks of an axis as numbers of the language: "3,5" and "1.200", or "3.5" and "1,200"."""
    _axis(axes, which).set_major_formatter(lambda value, _position: wording.number(value, decimals, language))


def _axis(axes: Axes, which: str) -> Any:
    if which not in {"x", "y"}:
        raise ValueError(f"axis {which!r}; known: x, y")
    return axes.xaxis if which == "x" else axes.yaxis
