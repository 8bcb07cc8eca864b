"""From a matplotlib figure to the picture that notebooks show and documents print."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from sipas_research.report.display import Figure, mark
from sipas_research.results import DataKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

_DOTS_PER_INCH = 200
_SALT = "sipas"
_PAD = 0.04  # inches
#: What the formats need, and no layout engine taken from the theme when the drawing's own is taken away.
_SAVING: Any = {
    "svg.hashsalt": _SALT,
    "svg.fonttype": "path",
    "figure.constrained_layout.use": False,
    "figure.autolayout": False,
}
#: What the formats would say about when and by what a file was written.
_UNSET: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def figure(
    drawing: Drawing,
    *,
    id: str,
    title: str,
    alt: str,
    language: str,
    data_kind: DataKind,
    n: int | None = None,
    weighting: str = "",
    source: str = "",
    notes: tuple[str, ...] = (),
    width: str = "16cm",
    marked: bool = False,
) -> Figure:
    """Save a matplotlib figure as PNG (200 dots an inch) and SVG, mark it where its data are simulated, close it.

    Parameters
    ----------
    drawing : matplotlib.figure.Figure
        Drawn at its printed size: 16 cm is the text width of a page. It is closed afterwards.
    id : str
        Like "fig-likert".
    title : str
        Caption without number and mark; both are added.
    alt : str
        What the picture shows, for a reader who cannot see it.
    width : str
        Width in documents.
    marked : bool
        True where the drawing carries its mark already.

    Returns
    -------
    Figure
        Same drawing, same bytes: no date, no random ids.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    drawing.draw_without_rendering()
    # Laid out once, and no engine afterwards: beside an engine, even an idle one, each format would be drawn twice.
    with mpl.rc_context(_SAVING):
        drawing.set_layout_engine(None)
        words = mark(DataKind(data_kind), language)
        if not marked:
            _draw_mark(drawing, words)
        named = {"Title": f"{title} ({words})" if words else title}
        png, svg = io.BytesIO(), io.StringIO()
        frame = drawing.get_tightbbox().padded(_PAD)  # measured once: "tight" would draw the figure again as well
        drawing.savefig(
            png,
            format="png",
            dpi=_DOTS_PER_INCH,
            bbox_inches=frame,
            metadata={**named, "Software": None},
        )
        drawing.savefig(svg, format="svg", bbox_inches=frame, metadata={**named, "Date": None, "Creator": None})
    plt.close(drawing)
    return Figure(
        id=id,
        title=title,
        png=png.getvalue(),
        svg=svg.getvalue(),
        alt=alt,
        language=language,
        data_kind=data_kind,
        n=n,
        weighting=weighting,
        source=source,
        notes=notes,
        width=width,
    )


def reproducible() -> type[Drawing]:
    """Return a class of matplotlib figures whose ``savefig`` writes no date and no random id: same drawing, same bytes.

    Made on request, because matplotlib takes long to import.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as Base

    class Reproducible(Base):
        def savefig(self, fname: Any, **options: Any) -> None:
            named = getattr(fname, "name", fname)
            style = options.get("format") or str(named).rpartition(".")[2].lower()
            unset = _UNSET.get(style, {})
            with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "path"}):
                super().savefig(fname, **{**options, "metadata": {**unset, **(options.get("metadata") or {})}})

    return Reproducible


def _draw_mark(drawing: Drawing, words: str) -> None:
    """Write the mark across every panel, pale and on top, so that it survives cropping to one panel."""
    if not words:
        return
    from matplotlib.patheffects import withStroke

    style: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontweight": "bold",
        "color": "#7f1d1d",
        "alpha": 0.4,
        "path_effects": [withStroke(linewidth=1.5, foreground="white", alpha=0.35)],
        "zorder": 50,
        "in_layout": False,
    }
    panels = {tuple(axes.get_position().bounds): axes for axes in drawing.axes if axes.get_label() != "<colorbar>"}
    for (_, _, width, height), axes in panels.items():
        across, up = width * drawing.get_figwidth() * 72, height * drawing.get_figheight() * 72
        size = min(18.0, max(8.0, across * 1.1 / len(words)))
        slope = (up - size) / (0.75 * size * len(words))  # the words stay inside a low panel
        rotation = min(20.0, math.degrees(math.asin(min(1.0, max(0.0, slope)))))
        axes.text(0.5, 0.5, words, transform=axes.transAxes, fontsize=size, rotation=rotation, **style)
    if not panels:
        drawing.text(0.5, 0.5, words, fontsize=16, rotation=20, **style)
