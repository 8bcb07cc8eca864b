"""The public pack: nothing before every level is signed, nothing of what stays in the office, the mark on all of it."""

import csv
import hashlib
import re

import pandas as pd
import pytest

from sipas_research import cli, resources
from sipas_research.errors import ReleaseError
from sipas_research.framework.results_register import REGISTER_FILE, advance
from sipas_research.study import public_pack
from sipas_research.study.public_pack import MANIFEST, make_public_pack
from sipas_research.study.study import load_study

STEPS = (
    ("draft", "2023-01-05", "compiler", ""),
    ("sent", "2023-01-10", "compiler", ""),
    ("petitions", "2023-02-01", "panel", ""),
    ("approved", "2023-02-10", "approver", "Quyết định số 10/QĐ-UBND"),
    ("published", "2023-02-11", "publisher", ""),
)


def sign(folder, level, count=4):
    for state, date, role, document in STEPS[:count]:
        step = {"state": state, "date": date, "role": role, "document": document, "what": "x"}
        advance(folder / REGISTER_FILE, year=2022, level=level, **step)


@pytest.fixture
def folder(tmp_path):
    """The simulated province with five agencies of 2022, one of them with eight forms."""
    source = resources.data("twin")
    for name in ("study.toml", "agencies.csv"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    frame = pd.read_csv(source / "citizens.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    chosen = frame["agency"].isin(["so_01", "so_02", "so_03", "huyen_01", "huyen_02"]) & (frame["year"] == "2022")
    frame = frame[chosen]
    frame = frame[(frame["agency"] != "so_03") | (frame.groupby("agency").cumcount() < 8)]
    frame.to_csv(tmp_path / "citizens.csv", index=False, encoding="utf-8-sig")
    toml = (tmp_path / "study.toml").read_text(encoding="utf-8")
    (tmp_path / "study.toml").write_text(re.sub(r'\[\[survey\]\]\s*name = "staff".*', "", toml, flags=re.S), "utf-8")
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Write HTML only: the other formats come from the same text."""
    write = public_pack.report.write_documents
    monkeypatch.setattr(public_pack.report, "write_documents", lambda d, f, s: write(d, f, s, ("html",)))


@pytest.mark.parametrize("signed", [(), ("department",), ("district",)])
def test_it_refuses_before_every_level_is_signed(folder, tmp_path, signed):
    for level in signed:
        sign(folder, level)
    with pytest.raises(ReleaseError) as caught:
        make_public_pack(load_study(folder), out=tmp_path / "ra")
    assert caught.value.key == "register.error.not_public"
    assert len(caught.value.problems) == 2 - len(signed)
    assert not (tmp_path / "ra").exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_earlier_state_will_do(folder, tmp_path, count):
    sign(folder, "department")
    sign(folder, "district", count)
    with pytest.raises(ReleaseError, match="cấp huyện"):
        make_public_pack(load_study(folder), out=tmp_path / "ra")
    assert not (tmp_path / "ra").exists()


def test_another_years_signature_will_not_do(folder, tmp_path):
    for level in ("department", "district"):
        sign(folder, level)
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(toml.replace("year = 2022", "year = 2021"), "utf-8")
    with pytest.raises(ReleaseError, match="2021"):
        make_public_pack(load_study(folder), out=tmp_path / "ra")


def test_the_command_says_why_in_both_languages(folder, capsys):
    assert cli.main(["publish", "--study", str(folder), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "ký duyệt trước" in said
    assert "The public pack" in said
    assert not (folder / "ket_qua").exists()


def test_an_agency_without_level_stops_the_pack(folder, tmp_path):
    for level in ("department", "district"):
        sign(folder, level)
    register = (folder / "agencies.csv").read_text(encoding="utf-8-sig")
    changed = register.replace("Simulated Department 02,department", "Simulated Department 02,")
    assert changed != register
    (folder / "agencies.csv").write_text(changed, encoding="utf-8")
    with pytest.raises(ReleaseError, match="chưa ghi cấp"):
        make_public_pack(load_study(folder), out=tmp_path / "ra")


def test_the_pack(folder, tmp_path, quick):
    for level in ("department", "district"):
        sign(folder, level, 5)
    out = tmp_path / "ra"
    made = make_public_pack(load_study(folder), out=out, language="both")
    root = out / "cong_bo_mo-phong"
    assert {p.relative_to(root).as_posix() for p in made} == {
        p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()
    }
    assert list(out.iterdir()) == [root]
    for path in made[:-1]:
        assert "mo-phong" in path.name or "simulated" in path.name
    pages = {p.name: p.read_text(encoding="utf-8") for p in made if p.suffix == ".html"}
    for name, page in pages.items():
        english = 'lang="en"' in page
        assert ("SIMULATED DATA" if english else "DỮ LIỆU MÔ PHỎNG") in page
        assert ("published" if english else "đã công bố") in page, name
        assert "Biện pháp gợi ý" not in page
        assert "kiến nghị của đơn vị" not in page.lower()
        assert "tbl-appeal" not in page
        assert "tbl-action" not in page
        assert "phụ lục" not in page
    cards = [name for name in pages if name.startswith(("so_", "huyen_"))]
    assert not [name for name in cards if name.startswith("so_03")], "eight forms have no card"
    assert {name[:5] for name in cards} == {"huyen"} | {n[:5] for n in cards if n.startswith("so_")}
    rows = list(csv.reader((root / MANIFEST).read_text(encoding="utf-8").splitlines()))[1:]
    assert {r[0]: r[1] for r in rows} == {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in made[:-1]
    }


def test_same_bytes_twice_and_nothing_left_of_an_earlier_pack(folder, tmp_path, quick):
    for level in ("department", "district"):
        sign(folder, level)
    out = tmp_path / "ra"
    first = {p: p.read_bytes() for p in make_public_pack(load_study(folder), out=out, language="vi")}
    old = out / "cong_bo_mo-phong" / "phieu_don_vi" / "so_99_mo-phong.html"
    old.write_text("cũ", encoding="utf-8")
    own = out / "cong_bo_mo-phong" / "ghi_chu.txt"
    own.write_text("của người dùng", encoding="utf-8")
    listed = out / "cong_bo_mo-phong" / MANIFEST
    outside = out / "giu_lai.txt"
    outside.write_text("x", encoding="utf-8")
    listed.write_text(listed.read_text("utf-8") + "phieu_don_vi/so_99_mo-phong.html,0\n../giu_lai.txt,0\n", "utf-8")
    again = {p: p.read_bytes() for p in make_public_pack(load_study(folder), out=out, language="vi")}
    assert again == first
    assert not old.exists()
    assert own.exists()
    assert outside.exists()
