"""What a claim check gives back: findings that quote, compute, list readings and name the table that would settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from sipas_research import wording
from sipas_research.errors import OptionError
from sipas_research.results import DataKind

Verdict = Literal["khop", "phu_thuoc_cach_hieu", "can_them_so_lieu"]
#: Every reading agrees; the answer depends on the reading; the numbers given cannot decide. There is no fourth.
AGREES: Verdict = "khop"
DEPENDS: Verdict = "phu_thuoc_cach_hieu"
NEEDS_DATA: Verdict = "can_them_so_lieu"
VERDICTS: tuple[Verdict, ...] = (AGREES, DEPENDS, NEEDS_DATA)

Style = Literal["percent", "number", "signed", "integer", "p", "plain"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, unrounded, and how people read it; ``decimals`` only counts when it is printed."""

    value: float
    style: Style = "number"
    decimals: int = 2

    def text(self, language: str) -> str:
        """Return the number as the language prints it."""
        if self.style == "p":
            return wording.p_value(self.value, language)
        if self.style == "integer":
            return wording.integer(self.value, language)
        if self.style == "plain":
            return str(int(self.value))
        plain = wording.number(self.value, self.decimals, language)
        if self.style == "percent":
            return plain + "%"
        return f"+{plain}" if self.style == "signed" and self.value > 0 else plain


@dataclass(frozen=True, slots=True)
class Computed:
    """A phrase with its numbers: ``key`` names the phrase, the first figure is its value.

    Attributes
    ----------
    reading : "", "points", "percent" or "stated"
        How the change was read.
    weighting : "", "equal" or "items"
    """

    key: str
    figures: tuple[tuple[str, Figure], ...]
    reading: str = ""
    weighting: str = ""

    @property
    def value(self) -> float:
        """The first figure."""
        return self.figures[0][1].value

    def text(self, language: str) -> str:
        """Return the phrase in one language."""
        fields = {name: figure.text(language) for name, figure in self.figures}
        if self.reading:
            fields["reading"] = wording.text(f"claim.reading.{self.reading}", language)
        if self.weighting:
            fields["weighting"] = wording.text(f"claim.weighting.{self.weighting}", language)
        return wording.text(self.key, language, **fields)


@dataclass(frozen=True, slots=True)
class ClaimFinding:
    """One point of the check.

    Attributes
    ----------
    id : str
        Like "previous_value"; a decided flag has "f11" and so on.
    topic : str
        Catalogue entry under ``claim.topic`` and ``claim.settle``.
    verdict : str
        One of :data:`VERDICTS`.
    quoted, computed : tuple of Computed
        What was printed, and the numbers under every reading that fits.
    caveats : tuple of str
        Catalogue keys of what the computation supposes.
    """

    id: str
    topic: str
    verdict: Verdict
    quoted: tuple[Computed, ...]
    computed: tuple[Computed, ...]
    caveats: tuple[str, ...] = ()

    def title(self, language: str) -> str:
        """Return what the point is about."""
        return wording.text(f"claim.topic.{self.topic}", language)

    def verdict_text(self, language: str) -> str:
        """Return khớp, phụ thuộc cách hiểu or cần thêm số liệu."""
        return wording.text(f"claim.verdict.{self.verdict}", language)

    def quoted_text(self, language: str) -> str:
        """Return what was printed."""
        return "; ".join(part.text(language) for part in self.quoted)

    def computed_lines(self, language: str) -> tuple[str, ...]:
        """Return the numbers as sentences, one a reading; phrases of one reading and weighting stay together."""
        lines: list[str] = []
        last: Computed | None = None
        for part in self.computed:
            said = part.text(language)
            if last is not None and part.weighting and (part.reading, part.weighting) == (last.reading, last.weighting):
                lines[-1] += f"; {said}"
            else:
                lines.append(said[:1].upper() + said[1:])
            last = part
        return tuple(f"{line}." for line in lines)

    def caveat_text(self, language: str) -> str:
        """Return what the computation supposes."""
        return " ".join(wording.text(key, language) for key in self.caveats)

    def computed_text(self, language: str) -> str:
        """Return the numbers under every reading that fits, then what they suppose."""
        return " ".join([*self.computed_lines(language), self.caveat_text(language)]).strip()

    def settle_text(self, language: str) -> str:
        """Return the table or document that would settle the point."""
        return wording.text(f"claim.settle.{self.topic}", language)

    def text(self, language: str) -> str:
        """Return the point as a paragraph."""
        lines = [line for line in (*self.computed_lines(language), self.caveat_text(language)) if line]
        return wording.text(
            "claim.summary.finding",
            language,
            title=self.title(language),
            verdict=self.verdict_text(language),
            quoted=self.quoted_text(language),
            computed="".join(f"\n  {line}" for line in lines),
            settle=self.settle_text(language),
        )


@dataclass(frozen=True, slots=True)
class ClaimCheck:
    """All points of one claim."""

    findings: tuple[ClaimFinding, ...]

    @property
    def data_kind(self) -> DataKind:
        """Published: a claim is checked from printed figures alone."""
        return DataKind.PUBLISHED

    def get(self, identifier: str) -> ClaimFinding:
        """Return one point.

        Raises
        ------
        OptionError
            If the check has no such point.
        """
        for finding in self.findings:
            if finding.id == identifier:
                return finding
        known = ", ".join(finding.id for finding in self.findings)
        raise OptionError("claim.error.unknown_finding", value=str(identifier), allowed=known)

    def tidy(self) -> pd.DataFrame:
        """One row a number: term (the point), group (the reading), estimate; then its name, weighting and code."""
        columns = ["term", "group", "estimate", "note", "quantity", "name", "weighting", "verdict"]
        rows = [
            (f.id, part.reading, figure.value, role, part.key.rsplit(".", 1)[-1], name, part.weighting, f.verdict)
            for f in self.findings
            for role, parts in (("quoted", f.quoted), ("computed", f.computed))
            for part in parts
            for name, figure in part.figures
        ]
        return pd.DataFrame(rows, columns=columns)

    def glance(self) -> pd.DataFrame:
        """One row: points in all and by code."""
        counts: dict[str, int] = {verdict: sum(f.verdict == verdict for f in self.findings) for verdict in VERDICTS}
        return pd.DataFrame([{"n": len(self.findings)} | counts | {"data_kind": self.data_kind.value}])

    def summary(self, language: str = "vi") -> str:
        """Return the whole check as text."""
        parts = [wording.text("claim.summary.head", language)]
        parts += [finding.text(language) for finding in self.findings]
        parts.append(wording.text("claim.summary.foot", language))
        return "\n\n".join(parts)
