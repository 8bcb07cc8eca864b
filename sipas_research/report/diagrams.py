"""Path diagrams of fitted models: for a notebook or a page of their own, and as figures of a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.report.diagram_drawing import Footer, draw, draw_footer, draw_mark, footer
from sipas_research.report.diagram_labels import Label, labelled
from sipas_research.report.diagram_layers import layered
from sipas_research.report.diagram_layout import Layout, Point, arranged
from sipas_research.report.diagram_model import DiagramModel, read_model
from sipas_research.report.diagram_routes import Route, routed
from sipas_research.report.display import Figure, Finding, mark
from sipas_research.report.figures import figure, reproducible
from sipas_research.report.labels import item_codes, source_line
from sipas_research.report.theme import TEXT_WIDTH, settings
from sipas_research.results import DataKind
from sipas_research.survey.responses import Responses
from sipas_research.wording import number, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

#: Width and height of a landscape A4 page within margins of 1.2 cm, in inches.
A4_LANDSCAPE = ((29.7 - 2.4) / 2.54, (21.0 - 2.4) / 2.54)
#: The text of a report's page, with room for caption and note under the figure.
TEXT_PAGE = (TEXT_WIDTH, 20.0 / 2.54)
_MARK_HEIGHT = 0.24
_LEAST_WIDTH = 4.4


class Fitted(Protocol):
    """What a diagram needs of a fitted model."""

    @property
    def data_kind(self) -> DataKind:
        """Weakest kind of the data behind the numbers."""
        ...

    def tidy(self) -> pd.DataFrame:
        """One row a coefficient: lhs op rhs level group estimate std_error p_value std_all note."""
        ...


@dataclass(frozen=True, slots=True)
class _Diagram:
    """A placed diagram: everything that is drawn, before it is drawn."""

    model: DiagramModel
    layout: Layout
    routes: tuple[Route, ...]
    labels: tuple[Label, ...]
    footer: Footer
    mark: str
    width: float
    head: float


def path_diagram(
    fit: Fitted,
    *,
    language: str = "vi",
    group: object = None,
    level: object = None,
    labels: Mapping[str, str] | None = None,
    decimals: int = 2,
    significance: float = 0.05,
    items: bool = True,
    r2: bool = True,
    most_covariances: int | None = 45,
    page: tuple[float, float] = A4_LANDSCAPE,
) -> Drawing:
    """Draw a fitted model: ellipses are latent, rectangles observed, numbers standardised (std_all).

    Sources stand left, outcomes right, items beside their latent variable. Solid lines have p below
    ``significance``, dashed ones have not, dash-dotted ones were not tested; the legend says so. Variances are
    not drawn. The picture prints at its own size; save it with ``savefig``.

    Parameters
    ----------
    fit : Fitted
        From ``sr.cfa`` or ``sr.sem``.
    language : "vi" or "en"
        Of legend, notes and numbers.
    group, level : object
        Which group and level to draw, where the model has several; None takes the first, and the note names it.
    labels : mapping of str to str, optional
        Names to print instead of the model's; long ones are broken into lines.
    decimals : int
        Decimals of the numbers, 0-6.
    significance : float
        Level of the two-sided tests, between 0 and 1.
    items : bool
        False leaves out the items and draws the structural part alone.
    r2 : bool
        Whether explained variables carry their R2.
    most_covariances : int or None
        Where the model has more covariances than this, none is drawn, and the note says so. None draws all.
    page : (float, float)
        Greatest width and height in inches. A model that does not fit in legible letters is drawn larger, and the
        note says so.

    Returns
    -------
    matplotlib.figure.Figure
        Carries the mark of simulated data where they are. The same fit gives the same bytes.

    Raises
    ------
    OptionError
        If an option is outside its range, or a group or level unknown.
    AnalysisError
        If there is no loading or path to draw.
    """
    options = {"decimals": decimals, "significance": significance, "most_covariances": most_covariances}
    _check(language, page, **options)
    model = read_model(
        fit.tidy(), group=group, level=level, significance=significance, most_covariances=most_covariances
    )
    notes = _notes(model, language, items=items, r2=r2, most=most_covariances)
    shown = model if items else model.structure()
    plan = _planned(
        shown,
        DataKind(fit.data_kind),
        language,
        names=labels or {},
        decimals=decimals,
        significance=significance,
        r2=r2,
        page=page,
        notes=notes,
    )
    return _drawn(plan)


def structural_diagram(
    fit: Fitted | Finding,
    responses: Responses | None,
    language: str,
    *,
    items: bool | None = None,
    group: object = None,
    labels: Mapping[str, str] | None = None,
    id: str = "fig-path-diagram",
    title: str = "",
    n: int | None = None,
    most_covariances: int | None = 45,
) -> Figure | Finding:
    """Return the path diagram as a figure of a report, 16 cm wide, with the names of a questionnaire.

    Parameters
    ----------
    fit : Fitted or Finding
        A finding (why there is no fit) is handed back.
    responses : Responses or None
        Gives codes of items, names of scales and the source; None keeps the model's names.
    items : bool or None
        None draws the items where they fit the page in legible letters, and otherwise the structural part alone.
    labels : mapping of str to str, optional
        Names that go before those of the questionnaire.
    title : str
        Caption; "" takes the one that fits what is drawn.
    n : int or None
        Number of forms behind the model.
    """
    if isinstance(fit, Finding):
        return fit
    _check(language, TEXT_PAGE, most_covariances=most_covariances)
    model = read_model(fit.tidy(), group=group, most_covariances=most_covariances)
    names = {**(_questionnaire_names(responses, language) if responses else {}), **(labels or {})}
    structural = len(model.nodes) > 1 and any(not set(a.ends) & set(model.items) for a in model.arrows)
    kind = DataKind(fit.data_kind)
    plan = _planned(model.structure() if items is False else model, kind, language, names=names)
    if items is None and not plan.layout.fits and structural:
        items = False
        plan = _planned(model.structure(), kind, language, names=names)
    drawing = _drawn(plan)
    with_items = items is not False
    paths = any(arrow.kind == "path" for arrow in model.arrows)
    what = ("full" if paths else "measurement") if with_items else "structure"
    notes = [*_notes(model, language, items=with_items, r2=True, most=most_covariances)]
    notes += [text("path_diagram.note.reduced", language)] if not plan.layout.fits else []
    notes += [text("path_diagram.note.association", language)] if paths else []
    return figure(
        drawing,
        id=id,
        title=title or text(f"path_diagram.figure.{what}", language),
        alt=_alt(plan.model, language),
        language=language,
        data_kind=kind,
        n=n,
        source=source_line(responses, language) if responses else "",
        notes=tuple(notes),
        width=f"{_printed_width(drawing) * 2.54:.1f}cm",
        marked=True,
    )


def _printed_width(drawing: Drawing) -> float:
    """Return the width in inches at which a drawing fits text width and page: a taller one would lose its lower end."""
    width, height = drawing.get_size_inches()
    return float(width * min(1.0, TEXT_WIDTH / width, TEXT_PAGE[1] / height))


def _questionnaire_names(responses: Responses, language: str) -> dict[str, str]:
    questionnaire = responses.questionnaire
    return {s: questionnaire.scale(s).name(language) for s in questionnaire.scale_ids()} | item_codes(questionnaire)


def _check(language: str, page: Point, **options: Any) -> None:
    """Refuse what cannot be drawn, with what is allowed."""
    share, places = options.get("significance", 0.05), options.get("decimals", 2)
    most = options.get("most_covariances")
    said = {
        "language": (language in wording.LANGUAGES, language, ", ".join(wording.LANGUAGES)),
        "page": (len(page) == 2 and min(page) > 0, page, "positive_page"),
        "significance": (0 < share < 1, share, "share"),
        "decimals": (places in range(7), places, "decimals"),
        "most_covariances": (most is None or (isinstance(most, int) and most >= 0), most, "count"),
    }
    for name, (good, received, allowed) in said.items():
        if not good:
            spoken = language if language in wording.LANGUAGES else "vi"
            words = allowed if name == "language" else text(f"path_diagram.error.{allowed}", spoken)
            raise OptionError("path_diagram.error.option", name=name, received=str(received), allowed=words)


def _notes(model: DiagramModel, language: str, *, items: bool, r2: bool, most: int | None) -> tuple[str, ...]:
    """Return what must be said under the diagram, sentences without their stops."""
    said = []
    if model.group:
        said.append(text("path_diagram.note.group", language, group=model.group, count=len(model.groups)))
    if model.level:
        said.append(text("path_diagram.note.level", language, level=model.level, count=len(model.levels)))
    said.append(text("path_diagram.note.standardised", language))
    shown = model if items else model.structure()
    if any(arrow.kind == "covariance" for arrow in shown.arrows):
        said.append(text("path_diagram.note.curved", language))
    if r2 and shown.shares:
        said.append(text("path_diagram.note.shares", language))
    if model.left_out:
        said.append(text("path_diagram.note.left_out", language, count=model.left_out, most=most))
    if not items and model.items:
        said.append(text("path_diagram.note.items_out", language, items=len(model.items)))
    return tuple(said)


def _planned(
    model: DiagramModel,
    kind: DataKind,
    language: str,
    *,
    names: Mapping[str, str],
    decimals: int = 2,
    significance: float = 0.05,
    r2: bool = True,
    page: Point = TEXT_PAGE,
    notes: tuple[str, ...] = (),
) -> _Diagram:
    """Place a model on a page, with room for the mark above it, legend and notes below."""
    plan = None
    words, entries = mark(kind, language), _entries(model, significance, language)
    head, width, below = (_MARK_HEIGHT if words else 0.06), page[0], footer(entries, notes, page[0])
    for _ in range(2):  # the second time with a legend broken to the width that the diagram takes
        layout, routes, labels = _placed(
            model, names, (page[0], page[1] - below.height - head), language, decimals, r2=r2
        )
        crowded = layout.style.scale < 1  # then a wider legend gives height to the diagram
        width = max(layout.width, min(page[0], max(_LEAST_WIDTH, 1.15 * layout.width * crowded)))
        said = notes if layout.fits or not notes else (*notes, text("path_diagram.note.large", language))
        below = footer(entries, said, width)
        plan = _Diagram(model, layout, routes, labels, below, words, width, head)
        if layout.height + below.height + head <= page[1] + 1e-6:
            break
    if plan is None:
        raise ValueError("nothing was placed")
    return plan


def _drawn(plan: _Diagram) -> Drawing:
    """Draw a placed diagram."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    layout, foot = plan.layout, plan.footer.height
    height, left = layout.height + foot + plan.head, (plan.width - layout.width) / 2
    with mpl.rc_context(settings()):
        drawing = plt.figure(figsize=(plan.width, height), layout="none", FigureClass=reproducible())
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-left, plan.width - left), ylim=(-foot, height - foot))
        axes.set_axis_off()
        draw(axes, layout, plan.routes, plan.labels)
        draw_footer(axes, plan.footer, 0.06 - left, 0.0)
        if plan.mark:
            draw_mark(axes, plan.mark, layout.width, layout.height, layout.height + plan.head - 0.05)
        plt.close(drawing)  # shown once, where a notebook's cell ends with it
    return drawing


def _placed(
    model: DiagramModel, names: Mapping[str, str], page: Point, language: str, decimals: int, *, r2: bool
) -> tuple[Layout, tuple[Route, ...], tuple[Label, ...]]:
    shares = {
        name: text("path_diagram.share.line", language, value=number(value, decimals, language))
        for name, value in (model.shares if r2 else ())
    }
    layers = layered(model)
    layout = arranged(model, layers, names, page, shares)
    routes = routed(model, layers, layout)
    words = {index: number(route.arrow.value, decimals, language) for index, route in enumerate(routes)}
    return layout, routes, labelled(routes, words, layout)


def _entries(model: DiagramModel, significance: float, language: str) -> tuple[tuple[str, str], ...]:
    """Return the legend's entries for what is drawn."""
    verdicts = {arrow.verdict for arrow in model.arrows}
    there = {
        "latent": bool(model.latents),
        "observed": bool(model.items) or len(model.nodes) > len(model.latents),
        "clear": "clear" in verdicts,
        "unclear": "unclear" in verdicts,
        "untested": "untested" in verdicts,
        "covariance": any(arrow.kind == "covariance" for arrow in model.arrows),
    }
    level = _level(significance, language)
    return tuple((name, text(f"path_diagram.legend.{name}", language, level=level)) for name in there if there[name])


def _level(significance: float, language: str) -> str:
    digits = len(f"{significance:.6f}".rstrip("0").partition(".")[2])
    return number(significance, max(2, digits), language)


def _alt(model: DiagramModel, language: str) -> str:
    kinds = Counter(arrow.kind for arrow in model.arrows)
    verdicts = Counter(arrow.verdict for arrow in model.arrows)
    return text(
        "path_diagram.figure.alt",
        language,
        latents=len(model.latents),
        observed=len(model.items) + len(model.nodes) - len(model.latents),
        loadings=kinds["loading"],
        paths=kinds["path"],
        covariances=kinds["covariance"],
        clear=verdicts["clear"],
        unclear=verdicts["unclear"],
        untested=verdicts["untested"],
        level=_level(0.05, language),
    )
