"""One tree of errors and one of warnings; every message comes from the catalogue in both languages.

A message says what was received, what is allowed and what to do. Library code never raises a plain
``Exception`` and never prints.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sipas_research import wording

Severity = Literal["error", "row", "question", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input, as a row of a table.

    ``severity``: "error" refuses the file, "row" rejects one row, "question" asks the user to
    decide, "warning" only tells. ``row`` is the number the user sees in Excel or SPSS. ``value`` is
    filled only for columns that the questionnaire knows: an unmapped column may hold a name.
    """

    key: str
    fields: tuple[tuple[str, object], ...] = ()
    severity: Severity = "error"
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""

    @classmethod
    def of(
        cls,
        key: str,
        *,
        severity: Severity = "error",
        file: str = "",
        sheet: str = "",
        row: int | None = None,
        column: str = "",
        value: str = "",
        **fields: object,
    ) -> Problem:
        """Build a problem; the place (file, sheet, row, column, value) is offered to the sentence too."""
        place = {"file": file, "sheet": sheet, "row": row, "column": column, "value": value}
        named = {**{k: v for k, v in place.items() if v not in ("", None)}, **fields}
        return cls(key, tuple(sorted(named.items())), severity, file, sheet, row, column, value)

    def text(self, language: str) -> str:
        """Return the whole sentence in one language."""
        return wording.text(self.key, language, **{k: str(v) if k == "row" else v for k, v in self.fields})


class SipasError(Exception):
    """Root of every error this package raises on purpose.

    Parameters
    ----------
    key : str
        Catalogue key of the sentence.
    problems : iterable of Problem, keyword only
        Details, one a line, printed under the sentence.
    fields
        Values for the sentence's placeholders.
    """

    exit_code = 1

    def __init__(self, key: str, /, *, problems: Iterable[Problem] = (), **fields: object) -> None:
        self.key = key
        self.fields = fields
        self.problems = tuple(problems)
        super().__init__(key)

    def message(self, language: str) -> str:
        """Return the sentence and one line a problem, in one language."""
        lines = [wording.text(self.key, language, **self.fields)]
        return "\n".join(lines + [f"  - {p.text(language)}" for p in self.problems])

    def __str__(self) -> str:
        return "\n".join(self.message(language) for language in wording.LANGUAGES)


class InputError(SipasError):
    """What the user gave cannot be used; nothing was changed or written."""


class DataFileError(InputError):
    """A data file cannot be read, or breaks the questionnaire's rules as a whole."""


class QuestionnaireError(InputError):
    """A questionnaire file (TOML or xlsx) is not valid."""


class ColumnMapError(InputError):
    """The column map does not fit the file or the questionnaire."""


class AgencyError(InputError):
    """The register of agencies is not valid, or an agency is unknown."""


class StudyError(InputError):
    """study.toml or the study folder is not valid."""


class FrameworkError(InputError):
    """A measurement framework, a catalogue of measures or a file of unit totals is not valid."""


class ReleaseError(InputError):
    """The register of results is not valid, or results would leave the office before they are signed."""


class HonestyError(InputError):
    """Simulated values would stand as real ones, or beside a real agency's name."""


class AnalysisError(InputError):
    """A statistic cannot be computed from what was given (one item, no rows, a constant item ...)."""


class ModelSyntaxError(InputError):
    """A model's text cannot be understood; the message names line and column and shows the place with a caret.

    Fields ``line``, ``column`` (from one; 0 where the whole model is meant) and ``excerpt`` (the line and a caret
    below) are always given.
    """

    def message(self, language: str) -> str:
        """Return the place, the sentence and the line with a caret, in one language."""
        return "\n".join([self._sentence(language), *self._excerpt()])

    def __str__(self) -> str:
        return "\n".join([*(self._sentence(language) for language in wording.LANGUAGES), *self._excerpt()])

    def _excerpt(self) -> list[str]:
        return [str(self.fields["excerpt"])] if self.fields["line"] else []

    def _sentence(self, language: str) -> str:
        sentence = super().message(language)
        if not self.fields["line"]:
            return sentence
        return wording.text("model_syntax.at", language, sentence=sentence, **self.fields)


class ConstantItemError(AnalysisError):
    """A variable of a model does not vary."""


class SingularMatrixError(AnalysisError):
    """A covariance matrix has no inverse: variables follow from others, or rows are too few."""


class OptionError(InputError):
    """An argument is outside its vocabulary or range."""


class OutputError(SipasError):
    """A file could not be written."""

    exit_code = 3


class RunError(SipasError):
    """A run failed; the message names notebook, cell and error."""

    exit_code = 3


class UsageError(SipasError):
    """The command line was wrong."""

    exit_code = 2


class SipasWarning(UserWarning):
    """Root of every warning this package gives; the text comes from the catalogue."""

    def __init__(self, key: str, /, **fields: object) -> None:
        self.key = key
        self.fields = fields
        super().__init__(key)

    def __str__(self) -> str:
        return wording.both(self.key, **self.fields)


class RejectedRowsWarning(SipasWarning):
    """Rows were left out of every analysis; the list is in ``kiem_tra``."""


class DroppedRowsWarning(SipasWarning):
    """Rows with missing answers were left out of one analysis."""


class DroppedItemWarning(SipasWarning):
    """A constant or empty item was left out of one analysis."""


class ConvergenceWarning(SipasWarning):
    """An iteration ended at its limit."""


class HeywoodWarning(SipasWarning):
    """A communality reached one."""


class NotPositiveDefiniteWarning(SipasWarning):
    """A correlation matrix is singular or has negative eigenvalues: not everything can be computed from it."""


class DesignWarning(SipasWarning):
    """A survey design has a stratum with a single sampled unit, or another weakness."""


class SparseTableWarning(SipasWarning):
    """A pair's contingency table is too empty: a cell was filled, or the correlation is at one or does not exist."""


class CategoryWarning(SipasWarning):
    """An item's codes look wrong: an end of the scale stands apart like a code for a missing answer.

    Or a model's thresholds of an ordered item do not rise, so that some answer would be given by nobody.
    """


class NotIdentifiedWarning(SipasWarning):
    """Some parameters of a model are not determined by the data."""


class NegativeVarianceWarning(SipasWarning):
    """A latent variance is below zero, or latent variables correlate beyond one."""


class SingleIndicatorWarning(SipasWarning):
    """A latent variable has one indicator, which by convention counts as free of error."""


class FewRowsWarning(SipasWarning):
    """A model has more parameters than there are rows."""


class FewClustersWarning(SipasWarning):
    """A model has no fewer parameters than there are clusters: its errors are arithmetic only."""


class SingularMatrixWarning(SipasWarning):
    """A covariance matrix has no inverse; the estimator did not need it."""


class FailedDrawsWarning(SipasWarning):
    """Some bootstrap draws have no estimates; they are counted and kept as missing."""
