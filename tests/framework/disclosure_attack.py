"""An attacker who puts all tables of a study together, as linear equations and intervals.

The unknowns are the satisfied answers to each question by the people of one agency, year and channel. The attacker is
given more than any table prints: how many answers stand behind every cell. What a table shows is then an equation.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.optimize import linprog

import sipas_research as sr
from sipas_research.errors import AnalysisError, OptionError
from sipas_research.framework.actions import compare_criteria, criterion_gaps
from sipas_research.framework.history import agency_histories
from sipas_research.framework.index import INDEX, OVERALL
from sipas_research.framework.scorecard import scorecards
from sipas_research.framework.weights import weighted_index
from sipas_research.study.study import scorecard_agencies

FIRST, LAST = 2023, 2024


@dataclass
class Attack:
    """What was published about a survey: sets of people and questions whose satisfied answers are known in sum."""

    survey: object
    framework: object

    def __post_init__(self):
        self.frame = self.survey.frame.reset_index(drop=True)
        self.items = [q.id for q in self.survey.questionnaire.items()]
        self.parts = {s: ids for s, ids in self.survey.scale_items().items() if s != OVERALL}
        self.whole = tuple(i for ids in self.parts.values() for i in ids)
        levels = {a.code: a.level for a in self.survey.agencies.agencies}
        self.level = self.frame["agency"].map(levels).to_numpy(dtype=object)
        self.agency = self.frame["agency"].to_numpy(dtype=object)
        self.year = self.frame["year"].to_numpy(dtype=int)
        cells = self.frame.groupby(["agency", "year", "channel"], dropna=False, sort=True).ngroup().to_numpy()
        answered = self.frame[self.items].notna().to_numpy()
        high = (self.frame[self.items] >= 4).to_numpy() & answered
        size = int(cells.max()) + 1
        self.given = np.zeros((size, len(self.items)))
        self.happy = np.zeros((size, len(self.items)))
        np.add.at(self.given, cells, answered)
        np.add.at(self.happy, cells, high)
        self.cells, self.answered = cells, answered
        self.rows, self.right, self.names = [], [], []

    def terms(self, term):
        if term == INDEX:
            return self.whole
        if term == OVERALL:
            return tuple(i for i in self.items if i not in self.whole)
        return self.parts.get(term, (term,))

    def vector(self, people, items):
        """Atoms that hold the people's answers; groups are unions of atoms."""
        inside = np.zeros(len(self.given), dtype=bool)
        inside[np.unique(self.cells[people])] = True
        mask = np.zeros(self.given.shape)
        mask[np.ix_(inside, [self.items.index(i) for i in items])] = 1.0
        return (mask * (self.given > 0)).ravel()

    def learn(self, name, people, items, weights=None):
        """Add what a published share of these people over these questions tells."""
        vector = self.vector(people, items) if weights is None else weights
        if vector.any():
            self.rows.append(vector)
            self.right.append(vector @ self.happy.ravel())
            self.names.append(name)

    def unsafe(self, people, items):
        """True where so few people answered, or all of them alike, that nobody may learn how."""
        places = [self.items.index(i) for i in items]
        n = int((self.answered[:, places].any(axis=1) & people).sum())
        vector = self.vector(people, items)
        given, happy = vector @ self.given.ravel(), vector @ self.happy.ravel()
        return 0 < n < 10 or (n > 0 and happy in {0, given})

    def targets(self):
        """Every cell of agency, year and question, component or index that must stay unknown.

        What everyone together answered alike is left out: no table by agency could keep it.
        """
        for year in (FIRST, LAST):
            everyone = self.year == year
            for agency in sorted(set(self.agency[~pd.isna(self.agency)])):
                people = (self.agency == agency) & (self.year == year)
                terms = [INDEX, *self.parts, *self.items]
                for items in dict.fromkeys(self.terms(t) for t in terms):
                    if self.unsafe(people, items) and not self.unsafe(everyone, items):
                        yield f"{agency} {year} {items}", people, items

    def solve(self):
        """Return what could be worked out: by elimination, or because no other whole number fits."""
        if not self.rows:
            return []
        matrix, right = np.array(self.rows), np.array(self.right)
        used = self.given.ravel() > 0
        basis = np.linalg.svd(matrix, full_matrices=False)
        rank = basis[1] > 1e-9 * basis[1][0]
        space = basis[2][rank]
        found = []
        for name, people, items in self.targets():
            vector = self.vector(people, items)
            if np.linalg.norm(vector - space.T @ (space @ vector)) < 1e-6 * np.linalg.norm(vector):
                found.append(f"{name}: follows from the tables")
            elif self._fits_one(matrix[:, used], right, vector[used], self.given.ravel()[used]):
                found.append(f"{name}: only one number fits")
        return found

    @staticmethod
    def _fits_one(matrix, right, vector, given):
        ends = []
        for side in (1.0, -1.0):
            bounds = np.column_stack([np.zeros(len(given)), given])
            best = linprog(side * vector, A_eq=matrix, b_eq=right, bounds=bounds, method="highs")
            if best.status != 0:
                return False
            ends.append(side * best.fun)
        return ends[1] - ends[0] < 1.0 - 1e-6


def gather(survey, framework):
    """Return an attack that knows every table of index, scorecards, change, history, case mix, weights and measures."""
    attack = Attack(survey, framework)
    now = attack.year == LAST
    current = survey.where(year=float(LAST))
    for year in (FIRST, LAST):
        _index(attack, survey.where(year=float(year)), attack.year == year, f"index {year}")
    _by_year(attack, survey)
    _change(attack, survey)
    _cards(attack, survey, current, now)
    _case_mix(attack, current, now)
    for method in ("equal", "loadings", "benefit_of_doubt"):
        _weights(attack, current, now, method)
    return attack


def _shown(rows):
    return [r for r in rows if not r.suppressed and np.isfinite(r.estimate)]


def _index(attack, survey, people, name):
    for item in attack.items:
        # the chapter on quality describes each question over everyone
        if not attack.unsafe(people, (item,)):
            attack.learn(f"{name} item {item}", people, (item,))
    for row in _shown(sr.satisfaction_index(survey, by="agency").rows):
        group = people & (attack.agency == row.group) if row.group else people
        # tables by agency give the index alone; components of an agency stand on its scorecard
        if not row.group or row.term == INDEX:
            attack.learn(f"{name} {row.group} {row.term}", group, attack.terms(row.term))


def _by_year(attack, survey):
    for row in _shown(sr.satisfaction_index(survey, by="year").rows):
        people = attack.year == int(row.group) if row.group else np.ones(len(attack.year), bool)
        attack.learn(f"year {row.group} {row.term}", people, attack.terms(row.term))


def _change(attack, survey):
    found = sr.index_change(survey, FIRST, LAST, by="agency", composition="channel")
    for row in found.rows:
        for year, value in ((FIRST, row.first), (LAST, row.last)):
            if not row.suppressed and np.isfinite(value):
                people = (attack.year == year) & ((attack.agency == row.group) if row.group else True)
                attack.learn(f"change {year} {row.group} {row.term}", people, attack.terms(row.term))
    channel = attack.frame["channel"].astype("Int64").astype(str).to_numpy()
    for part in found.part_rows:
        for year, value in ((FIRST, part.rate_first), (LAST, part.rate_last)):
            if part.cell and not part.suppressed and np.isfinite(value):
                people = (attack.year == year) & (channel == part.cell[0])
                attack.learn(f"cell {year} {part.cell}", people, attack.whole)


def _cards(attack, survey, current, now):
    agencies = scorecard_agencies(current)
    if not agencies:
        return
    peers = _or_none(lambda: compare_criteria(current, attack.framework))
    for card in scorecards(current, agencies):
        own = now & (attack.agency == card.agency)
        level = now & (attack.level == card.agency_level)
        scopes = {"agency": own, "level": level, "province": now}
        for row in _shown(card.rows):
            attack.learn(f"card {card.agency} {row.group} {row.term}", scopes[row.group], attack.terms(row.term))
        for row in _shown(card.item_rows):
            attack.learn(f"card {card.agency} item {row.term}", own, (row.term,))
        others = {"level_others": level & ~own, "province_others": now & ~own}
        for row in card.difference_rows:
            attack.learn(f"card {card.agency} {row.group} {row.term}", others[row.group], attack.terms(row.term))
        asked = {
            c.id: tuple(i.id for i in attack.framework.items if i.criterion == c.id) for c in attack.framework.criteria
        }
        for row in criterion_gaps(current, card, attack.framework, peers=peers) if peers else ():
            items = asked.get(row.term, attack.terms(row.term))
            attack.learn(f"criterion {card.agency} {row.term}", others[row.group], items)
    for agency, history in agency_histories(survey, agencies, year=LAST).items():
        for row in history.rows:
            people = (attack.year == row.year) & (attack.agency == agency)
            if row.figure is not None and not row.figure.suppressed:
                attack.learn(f"history {agency} {row.year}", people, attack.whole)
            if row.change is not None and not row.change.suppressed:
                before = (attack.year == FIRST) & (attack.agency == agency)
                attack.learn(f"history change {agency}", before, attack.whole)
                attack.learn(f"history change {agency}", people, attack.whole)


def _case_mix(attack, current, now):
    found = _or_none(lambda: sr.adjusted_index(current, adjust=["procedure_field"], precedes=["procedure_field"]))
    for row in found.rows if found else ():
        if not row.suppressed:
            attack.learn(f"raw {row.group}", now & (attack.agency == row.group), attack.whole)


def _weights(attack, current, now, method):
    found = _or_none(lambda: weighted_index(current, attack.framework, method))
    if found is None:
        return
    asked = [tuple(i.id for i in attack.framework.items if i.criterion == c) for c in found.asked]
    for row, weights in zip(found.index.rows[1:], found.agency_weights, strict=True):
        if row.suppressed or not np.isfinite(row.estimate):
            continue
        people = now & (attack.agency == row.group)
        total = np.zeros(attack.given.size)
        for items, weight in zip(asked, weights, strict=True):
            vector = attack.vector(people, items)
            total += weight / (vector @ attack.given.ravel()) * vector
        attack.learn(f"weights {method} {row.group}", people, (), total)


def _or_none(build):
    try:
        return build()
    except (AnalysisError, OptionError):
        return None


def random_survey(make, seed):
    """A study of two years with agencies of 1 to 40 forms in two levels, some of whose people all answer alike."""
    rng = np.random.default_rng(seed)
    frames = []
    count = int(rng.integers(3, 8))
    for year in (FIRST, LAST):
        sizes = np.where(rng.uniform(size=count) < 0.45, rng.integers(1, 14, count), rng.integers(14, 41, count))
        frames.append(
            pd.DataFrame({"agency": np.repeat([f"dv_{i:02d}" for i in range(count)], sizes), "year": float(year)})
        )
    frame = pd.concat(frames, ignore_index=True)
    rows = len(frame)
    frame["channel"] = pd.array(rng.choice([1, 2, 3], rows, p=[0.8, 0.15, 0.05]), dtype="Int64")
    for item in ("a1", "a2", "b1", "b2", "b3"):
        values = rng.choice([2.0, 3.0, 4.0, 5.0], rows, p=[0.1, 0.15, 0.4, 0.35])
        frame[item] = np.where(rng.uniform(size=rows) < (0.0 if rng.uniform() < 0.5 else 0.3), np.nan, values)
    for _ in range(int(rng.integers(0, 4))):
        alike = frame["agency"] == f"dv_{rng.integers(count):02d}"
        columns = ["a1", "a2", "b1", "b2", "b3"] if rng.uniform() < 0.4 else [str(rng.choice(["a1", "b2"]))]
        frame.loc[alike, columns] = float(rng.choice([2.0, 5.0]))
    if rng.uniform() < 0.4:
        few = frame.index[frame["agency"] == "dv_01"]
        frame.loc[few[int(rng.integers(1, 12)) :], ["a1", "a2"][: int(rng.integers(1, 3))]] = np.nan
    if rng.uniform() < 0.2:
        frame.loc[rng.choice(rows, int(rng.integers(1, 9)), replace=False), "agency"] = None
    if not frame[["a1", "a2", "b1", "b2", "b3"]].notna().any().all():
        return random_survey(make, seed + 10_000)
    levels = [str(rng.choice(["department", "district"])) for _ in range(count)]
    return make(frame, levels)


def with_levels(survey, levels):
    agencies = tuple(replace(a, level=levels[k]) for k, a in enumerate(survey.agencies.agencies))
    return replace(survey, agencies=replace(survey.agencies, agencies=agencies))
