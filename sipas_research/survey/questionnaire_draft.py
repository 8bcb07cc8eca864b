"""A first questionnaire for a data file that was made with another one.

Only what the file shows is used: names, labels and the range of answers. The user then corrects the
draft in Excel; every guess is therefore simple and can be read off the column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from sipas_research.survey.answers import as_number, is_missing_code, label_codes, split_answer
from sipas_research.survey.comparison import bare_key, same_key
from sipas_research.survey.questionnaire import Alias, Answer, Question, Questionnaire, Scale
from sipas_research.survey.raw_table import SIMULATED_COLUMN, RawTable
from sipas_research.survey.workbook import phrase
from sipas_research.wording import Bilingual, text

_MOST_VALUES = 15
_FEWEST_POINTS, _MOST_POINTS = 3, 10
_LONGEST_ID = 40
_LONG_NAME_WORDS = 4
_OTHER_SCALE = "other_questions"
# Short column names with one of these words number, date or count something: they are not rated answers.
_NOT_ITEMS = frozenset(
    "id stt ma code no index year years nam month months thang ngay date day days time age tuoi count number weight"
    " cluster psu strata stratum tang".split()
)
_NO_ANSWER = re.compile(r"khong (?:tra loi|biet|y kien|ap dung)|no (?:answer|opinion)|do ?n ?t know|refus|missing")


@dataclass(frozen=True, slots=True)
class _Column:
    """What one column shows: its range of whole numbers and any labels for them."""

    name: str
    stem: str
    low: int
    high: int
    labels: Mapping[int, str]
    answers: tuple[Answer, ...] = ()


def draft_questionnaire(raw: RawTable, base: Questionnaire) -> Questionnaire:
    """Draft a questionnaire from a data file's own columns.

    A column whose answers are whole numbers from 1 to k (k from 3 to 10; from 0 where labels say so), or
    known answer labels, becomes an item of the scale that its name begins with: ``Honesty1`` to
    ``Honesty10`` make the scale ``honesty``. An item where nobody chose the lowest answer is accepted
    beside columns that show the whole range.

    Parameters
    ----------
    raw : RawTable
    base : Questionnaire
        Gives the id, the respondent and the facts (agency, sex ...), which are kept as they are.

    Returns
    -------
    Questionnaire
        Same id as ``base``; scales have the role "factor" until the user says otherwise. It has no item
        where no column looks like one.
    """
    facts = tuple(q for q in base.questions if q.kind != "likert")
    known = {bare_key(name) for q in facts for name in _names(q)}
    seen = [
        column
        for name in raw.frame.columns
        if name != SIMULATED_COLUMN
        and not {bare_key(name), bare_key(raw.labels.get(name, ""))} & known
        and not _counts(name)
        and (column := _look(raw, name, base)) is not None
    ]
    chosen = _without_lone_categories(_items(seen), base)
    ids = _unique_ids([c.name for c, _ in chosen], taken={q.id for q in facts} | {SIMULATED_COLUMN})
    scale_of, scales = _scales(chosen, set(ids.values()))
    questions = tuple(
        Question(
            id=ids[column.name],
            text=Bilingual(raw.labels.get(column.name, "") or column.name),
            kind="likert",
            scale=scale_of[column.name],
            answers=answers,
            aliases=(Alias(column.name),),
        )
        for column, answers in chosen
    )
    title = Bilingual(*(text("questionnaire.draft.title", language, file=raw.name) for language in ("vi", "en")))
    return Questionnaire(base.id, title, base.respondent, "", scales, facts + questions)


def _names(question: Question) -> Iterable[str]:
    yield question.id
    yield question.text.vi
    yield from (alias.text for alias in question.aliases)


def _counts(name: str) -> bool:
    parts = bare_key(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).split()
    return len(parts) < _LONG_NAME_WORDS and not _NOT_ITEMS.isdisjoint(re.sub(r"\d+$", "", p) for p in parts)


def _look(raw: RawTable, name: str, base: Questionnaire) -> _Column | None:
    """Return what a column shows, or None where its cells are not answers on a short scale."""
    series = raw.frame[name]
    if pd.api.types.is_datetime64_any_dtype(series):
        return None
    missing = raw.missing_codes.get(name, ())
    cells = [c for c in series.dropna().unique()[: 4 * _MOST_VALUES] if not is_missing_code(c, missing)]
    labels = _value_labels(raw, name)
    no_answer = {code for code, label in labels.items() if _NO_ANSWER.search(bare_key(label))}
    no_answer |= {code for code in labels if is_missing_code(float(code), missing)}
    numbers: list[float] = []
    for cell in cells:
        number = as_number(cell)
        if number is None:
            return _look_at_texts(name, cells, base)
        numbers.append(number)
    codes = {int(n) for n in numbers if n.is_integer() and n not in no_answer}
    if not codes or len(cells) > _MOST_VALUES or any(not n.is_integer() for n in numbers):
        return None
    declared = {code for code in labels if code not in no_answer} if labels else set()
    low, high = min(codes | declared), max(codes | declared)
    kept = {c: label for c, label in labels.items() if low <= c <= high or c in no_answer}
    answers = tuple(Answer(c, Bilingual(kept[c]), True) for c in sorted(no_answer))
    return _Column(name, _stem(name), low, high, {c: t for c, t in kept.items() if c not in no_answer}, answers)


def _look_at_texts(name: str, cells: list[object], base: Questionnaire) -> _Column | None:
    """Recognise "Hài lòng" by the base's answers, and "1. Tệ" by the number in front."""
    texts = [c for c in cells if isinstance(c, str)]
    if len(texts) != len(cells) or len(texts) > _MOST_VALUES:
        return None
    pairs = [split_answer(t) for t in texts]
    labels = [pair[1] if pair else t for t, pair in zip(texts, pairs, strict=True)]
    for answers in dict.fromkeys(q.answers for q in base.questions if q.kind == "likert"):
        codes = label_codes(answers)
        hits = [codes.get(same_key(label), codes.get(bare_key(label))) for label in labels]
        valid = {a.code for a in answers if not a.missing}
        if None not in hits and len(valid.intersection(h for h in hits if h is not None)) >= 2:
            return _Column(name, _stem(name), min(valid), max(valid), {}, answers)
    if None in pairs or not all(pair[0].is_integer() for pair in pairs if pair):
        return None
    found = {int(pair[0]): pair[1] for pair in pairs if pair}
    return _Column(name, _stem(name), min(found), max(found), found)


def _value_labels(raw: RawTable, name: str) -> dict[int, str]:
    found = {}
    for code, label in raw.value_labels.get(name, {}).items():
        number = as_number(code)
        if number is not None and number.is_integer() and label:
            found[int(number)] = label
    return found


def _stem(name: str) -> str:
    """Return the part of a name that its scale shares: "Honesty10" gives "Honesty", "Tiếp cận [Giờ]" "Tiếp cận"."""
    group = re.match(r"(.+?)\s*\[[^\[\]]+\]\s*$", name)
    if group:
        return group.group(1).strip()
    return re.sub(r"[\s_.\-]*\d+[a-z]?$", "", name).strip(" _.-") or name


def _items(seen: list[_Column]) -> list[tuple[_Column, tuple[Answer, ...]]]:
    """Return the columns that are items, each with its answers."""
    whole = [c for c in seen if _is_whole(c)]
    spans: dict[str, tuple[int, int]] = {}
    for column in whole:
        low, high = spans.get(column.stem, (column.low, column.high))
        spans[column.stem] = min(low, column.low), max(high, column.high)
    usual, times = Counter((c.low, c.high) for c in whole).most_common(1)[0] if whole else ((1, 0), 0)
    chosen = []
    for column in seen:
        # One column with an unusual range says nothing about its neighbours; three make a habit.
        low, high = spans.get(column.stem, usual if times >= 3 else (1, 0))
        if low <= column.low and column.high <= high:
            chosen.append((column, _answers(column, low, high)))
    return chosen


def _is_whole(column: _Column) -> bool:
    lowest = column.low == 1 or (column.low == 0 and 0 in column.labels)
    return lowest and _FEWEST_POINTS <= column.high - column.low + 1 <= _MOST_POINTS


def _answers(column: _Column, low: int, high: int) -> tuple[Answer, ...]:
    if any(not a.missing for a in column.answers):
        return column.answers
    valid = tuple(Answer(code, Bilingual(column.labels.get(code, str(code)))) for code in range(low, high + 1))
    return valid + tuple(a for a in column.answers if not low <= a.code <= high)


def _without_lone_categories(
    chosen: list[tuple[_Column, tuple[Answer, ...]]], base: Questionnaire
) -> list[tuple[_Column, tuple[Answer, ...]]]:
    """Drop columns such as "region" whose labels no other column shares, where other items are there."""
    uses = Counter(answers for _, answers in chosen)
    stems = Counter(column.stem for column, _ in chosen)
    anchors = {bare_key(a.label.vi) for q in base.questions if q.kind == "likert" for a in q.answers}
    kept = [
        (column, answers)
        for column, answers in chosen
        if not column.labels
        or uses[answers] > 1
        or stems[column.stem] > 1
        or any(bare_key(label) in anchors for label in column.labels.values())
    ]
    return kept or chosen


def _slug(name: str) -> str:
    plain = "_".join(bare_key(name).encode("ascii", "ignore").decode().split())[:_LONGEST_ID].strip("_")
    return plain if plain[:1].isalpha() else f"q_{plain}".rstrip("_")


def _unique_ids(names: list[str], taken: set[str]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for name in names:
        stem = candidate = _slug(name)
        n = 1
        while candidate in taken or candidate in ids.values():
            n += 1
            candidate = f"{stem}_{n}"
        ids[name] = candidate
    return ids


def _scales(
    chosen: list[tuple[_Column, tuple[Answer, ...]]], questions: set[str]
) -> tuple[dict[str, str], tuple[Scale, ...]]:
    """Return the scale id of each column and the scales in order; whole questions without a group share one.

    A scale never has the id of a question: both are variables of a model.
    """
    size = Counter(column.stem for column, _ in chosen)
    shown: dict[str, Bilingual] = {}
    scale_of = {}
    for column, _ in chosen:
        alone = size[column.stem] == 1 and len(column.stem.split()) >= _LONG_NAME_WORDS
        scale = _OTHER_SCALE if alone else _slug(column.stem)
        while scale in questions:
            scale += "_scale"
        shown.setdefault(scale, phrase("questionnaire.draft.other_scale") if alone else Bilingual(column.stem))
        scale_of[column.name] = scale
    return scale_of, tuple(Scale(scale, name, "factor") for scale, name in shown.items())
