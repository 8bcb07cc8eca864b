"""The report on Lạng Sơn: published figures only, no simulated number, nothing that the ledger keeps back."""

import json
import re

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.study.report import make_report

pytestmark = pytest.mark.slow
MIME = "application/vnd.sipas+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("Số liệu công bố") / "ket_qua"
    study = sr.load_study(resources.data("lang_son", "study.toml"))
    make_report(study, language="both", out=place)
    return place


def payloads(folder):
    for path in sorted((folder / "so_tay").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                if MIME in output.get("data", {}):
                    yield path.stem, output["data"][MIME]


def test_the_documents_are_made(folder):
    for stem in ("bao_cao", "report"):
        for ending in ("docx", "pdf", "html"):
            assert 10_000 < (folder / f"{stem}.{ending}").stat().st_size < 10_000_000


def test_every_number_is_a_published_one(folder):
    shown = list(payloads(folder))
    assert len(shown) > 60
    assert {name for name, _ in shown} == {"01_evidence_vi", "01_evidence_en"}
    assert {p["data_kind"] for _, p in shown} == {"published"}
    for path in folder.rglob("*"):
        assert "mo-phong" not in path.name
    for stem in ("bao_cao", "report"):
        page = (folder / f"{stem}.html").read_text(encoding="utf-8")
        assert "DỮ LIỆU MÔ PHỎNG" not in page
        assert "SIMULATED DATA" not in page


def test_what_the_ledger_keeps_back_is_not_printed(folder):
    kept_back = sr.facts(printable=False).tidy()
    assert len(kept_back) >= 5
    text = json.dumps([p for _, p in payloads(folder)], ensure_ascii=False)
    for words in [*kept_back["note"].dropna(), *kept_back["quantity"].dropna()]:
        assert words not in text
    assert "Khánh Hòa" not in text


def test_the_verdicts_are_courteous(folder):
    page = (folder / "bao_cao.html").read_text(encoding="utf-8")
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)).casefold()
    assert "khớp" in plain
    assert "phụ thuộc cách hiểu" in plain
    assert "cần thêm số liệu" in plain
    assert not re.search(r"\bsai\b(?!\s+số)", plain), "no verdict «sai»"
