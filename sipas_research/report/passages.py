"""Paragraphs that come from a file rather than from a notebook's own cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sipas_research.report.display import MIME
from sipas_research.results import DataKind


@dataclass(frozen=True, slots=True)
class Passage:
    """Markdown in one language, made from a file's words; in a document it stands like the notebook's own text.

    Words from a file must have gone through :func:`sipas_research.report.plain`. A passage holds no figures of its
    own, so that it carries no mark.
    """

    id: str
    markdown: str
    language: str
    data_kind: DataKind = DataKind.PUBLISHED

    def payload(self) -> dict[str, Any]:
        """Return the passage as JSON."""
        return {
            "kind": "passage",
            "id": self.id,
            "markdown": self.markdown,
            "language": self.language,
            "data_kind": self.data_kind.value,
        }

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {"text/markdown": self.markdown, "text/plain": self.markdown, MIME: self.payload()}


def passage_from(payload: Mapping[str, Any]) -> Passage:
    """Rebuild a passage from its payload."""
    return Passage(payload["id"], payload["markdown"], payload["language"], DataKind(payload["data_kind"]))
