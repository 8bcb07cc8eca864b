"""Score tests of equalities: what letting go of them would bring, without fitting again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sipas_research.errors import OptionError
from sipas_research.numerics.correlation import Array
from sipas_research.results import DataKind
from sipas_research.sem.fit_indices import chi_square_p
from sipas_research.sem.near_names import near_names
from sipas_research.sem.ordinal_disclosure import NOTE_FEW
from sipas_research.sem.parameter_table import FIXED, ParameterTable
from sipas_research.sem.phrases import p_phrase
from sipas_research.sem.restrictions import null_space
from sipas_research.sem.result import SemFit
from sipas_research.sem.row_system import RowSystem, row_system
from sipas_research.wording import number, text

#: Share of a constraint's slope that the others must leave for it to say something of its own.
_REPEATED = 1e-10


@dataclass(frozen=True, slots=True)
class Equality:
    """One equality of a fit: two rows of the table, or a constraint as written.

    Attributes
    ----------
    left, right : str
        Rows as lhs-op-rhs, with the group where there are several; or the two sides of the constraint.
    label : str
        The label that makes the rows equal; "" where the groups do.
    group : str
        Group of the row on the right; "" without groups.
    aliases : tuple of str
        What a user may call it.
    row : int
        Place of the right row in the table; -1 for a written constraint.
    constraint : int
        Place of a written constraint among the fit's; -1 for rows.
    """

    left: str
    right: str
    label: str
    group: str
    aliases: tuple[str, ...]
    row: int = -1
    constraint: int = -1


@dataclass(frozen=True, slots=True)
class Release:
    """The score test of one equality, or of several at once; ``difference`` is right less left once it is let go."""

    equality: Equality | None
    statistic: float
    df: int
    p_value: float
    difference: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ScoreTest:
    """Score tests of the equalities of a fit.

    Attributes
    ----------
    total : Release
        All of them released at once.
    single : tuple of Release
        One at a time.
    robust : bool
        Whether the variance of the score comes from the rows (estimators MLR, MLM).
    data_kind : DataKind
    """

    total: Release
    single: tuple[Release, ...]
    robust: bool
    data_kind: DataKind

    def __repr__(self) -> str:
        return self.summary("vi")

    def tidy(self) -> pd.DataFrame:
        """Return one row an equality, as they stand in the model.

        Columns: lhs, op, rhs, group, label, statistic, df, p_value, difference (what the right side would
        be less the left once they are let go), note: "no_test"; "few_people", not shown.
        """
        rows = [
            {
                "lhs": each.equality.left,
                "op": "==",
                "rhs": each.equality.right,
                "group": each.equality.group,
                "label": each.equality.label,
                "statistic": each.statistic,
                "df": each.df,
                "p_value": each.p_value,
                "difference": each.difference,
                "note": _note(each),
            }
            for each in self.single
            if each.equality is not None
        ]
        names = ["lhs", "op", "rhs", "group", "label", "statistic", "df", "p_value", "difference", "note"]
        return pd.DataFrame(rows, columns=names)

    def glance(self) -> pd.DataFrame:
        """Return one row: the test of all equalities together."""
        total = self.total
        found = {"equalities": len(self.single), "statistic": total.statistic, "df": total.df, "p_value": total.p_value}
        return pd.DataFrame([{**found, "robust": self.robust, "data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the total test in a sentence and the equalities that strain most."""
        lines = [
            text(
                "sem_comparison.score.total", language, count=len(self.single), df=self.total.df,
                statistic=number(self.total.statistic, 2, language), p=p_phrase(self.total.p_value, language),
            )
        ]  # fmt: skip
        worst = sorted((r for r in self.single if not _note(r)), key=lambda r: -r.statistic)[:5]
        for each in worst:
            if each.equality is not None:
                lines.append(
                    text(
                        "sem_comparison.score.one", language, left=each.equality.left, right=each.equality.right,
                        statistic=number(each.statistic, 2, language), df=each.df, p=p_phrase(each.p_value, language),
                        difference=number(each.difference, 3, language),
                    )
                )  # fmt: skip
        lines.append(text("sem_comparison.score.exploratory", language))
        return "\n".join(lines)


def score_test(fit: SemFit, release: Sequence[str] | str | None = None) -> ScoreTest:
    """Test the equalities of a fit by what the scores say, one by one and together.

    An equality is: rows that share a label, rows held equal across groups, rows joined by ``equal()``, and "=="
    constraints, linear or not. Rows of one class are each compared with its first.

    Parameters
    ----------
    fit : SemFit
    release : sequence of str, optional
        Only these: labels (``"a"``), rows (``"f=~x2"``, ``"x3~1"``: held equal across groups) or constraints as
        written (``"p2==0.5*p1"``). By default all.

    Returns
    -------
    ScoreTest

    Raises
    ------
    AnalysisError
        If the fit did not converge.
    OptionError
        If the fit has no equality, or none of that name.

    References
    ----------
    Silvey (1959), Annals of Mathematical Statistics 30, 389-407; for robust estimators the generalised test of Boos
    (1992), The American Statistician 46, 327-333, where lavaan falls back on the plain one.
    """
    system = row_system(fit)
    pairs = equalities(fit, system)
    if not pairs:
        raise OptionError("sem_comparison.error.no_equality")
    if release is not None:
        pairs = _picked(pairs, (release,) if isinstance(release, str) else tuple(release))
    single = tuple(_few(_release(system, equality, along), fit) for equality, along in pairs)
    rows = [along for equality, along in pairs if equality.row >= 0]
    written = [equality.constraint for equality, _ in pairs if equality.constraint >= 0]
    total = _release(system, None, np.column_stack([*rows, _opened(fit, system, written)]))
    if all(_note(each) == NOTE_FEW for each in single):
        total = replace(total, statistic=float("nan"), p_value=float("nan"))
    return ScoreTest(total, single, fit.options.robust, fit.data_kind)


def _few(found: Release, fit: SemFit) -> Release:
    """Return a test without its numbers where they tell what fewer than ten people answered."""
    equality, withheld = found.equality, fit.withheld
    if equality is None or withheld is None:
        return found
    few = withheld.rows[equality.row] if equality.row >= 0 else False
    if equality.constraint >= 0:
        few = withheld.touches(fit.restrictions.equal[equality.constraint])
    nothing = float("nan")
    return Release(equality, nothing, found.df, nothing, nothing) if few else found


def _note(found: Release) -> str:
    if not found.df:
        return "no_test"
    return NOTE_FEW if np.isnan(found.statistic) else ""


def _release(system: RowSystem, equality: Equality | None, along: Array) -> Release:
    statistic, df, change = system.released(along)
    return Release(
        equality, statistic, df, chi_square_p(statistic, df) if df else float("nan"),
        float(change[0]) if len(change) == 1 and df else float("nan"),
    )  # fmt: skip


def equalities(fit: SemFit, system: RowSystem) -> list[tuple[Equality, Array]]:
    """Return each equality of a fit with the direction that letting go of it opens, an (r, 1) array."""
    table = fit.table
    place = {int(row): k for k, row in enumerate(system.rows)}
    first: dict[int, int] = {}
    found: list[tuple[Equality, Array]] = []
    for k, row in enumerate(table.rows):
        if row.free == FIXED:
            continue
        leader = first.setdefault(row.free, k)
        if leader == k:
            continue
        along = np.zeros((len(system.rows), 1))
        along[place[k]] = 1.0
        plain = {_plain(table, leader), _plain(table, k)}
        names = tuple(sorted(plain | ({row.label} if row.label else set())))
        equality = Equality(_named(table, leader), _named(table, k), row.label, table.groups[row.group], names, k)
        found.append((equality, along))
    return found + _written(fit, system)


def _written(fit: SemFit, system: RowSystem) -> list[tuple[Equality, Array]]:
    found = []
    for k, constraint in enumerate(fit.restrictions.equal):
        equality = Equality(constraint.left.text, constraint.right.text, "", "", (constraint.text,), constraint=k)
        found.append((equality, _opened(fit, system, [k])))
    return found


def _opened(fit: SemFit, system: RowSystem, which: list[int]) -> Array:
    """Return the directions that letting go of some written constraints opens, an (r, k) array.

    Along that of a single one right less left grows by one; it is zero where the others repeat the constraint.
    """
    _, slopes = fit.restrictions.gaps((*fit.restrictions.equal, *fit.optimum.active), fit.theta)
    loose, _ = null_space(np.delete(slopes, which, axis=0), fit.problem.size)
    along = slopes[which] @ loose @ loose.T
    reach = np.einsum("ij,ij->i", along, slopes[which])
    own = reach > _REPEATED * (slopes[which] ** 2).sum(axis=1)
    along[own] /= -reach[own, None]
    along[~own] = 0.0
    return np.asarray(system.shared @ along.T)


def _plain(table: ParameterTable, k: int) -> str:
    row = table.rows[k]
    return f"{row.lhs}{row.op}{row.rhs}"


def _named(table: ParameterTable, k: int) -> str:
    where = f" [{table.groups[table.rows[k].group]}]" if len(table.groups) > 1 else ""
    return _plain(table, k) + where


def _picked(pairs: list[tuple[Equality, Array]], names: tuple[str, ...]) -> list[tuple[Equality, Array]]:
    known = {alias for equality, _ in pairs for alias in equality.aliases}
    wanted = [str(name).replace(" ", "") for name in names]
    for name in wanted:
        if name not in known:
            near = ", ".join(near_names(name, sorted(known))) or ", ".join(sorted(known)[:8])
            raise OptionError("sem_comparison.error.release", name=name, near=near)
    return [(equality, along) for equality, along in pairs if set(wanted) & set(equality.aliases)]
