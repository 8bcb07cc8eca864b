"""The wheel holds notebooks and data, and works in another folder with nothing of the checkout in reach."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from sipas_research.survey.questionnaire_files import load_questionnaire

ROOT = Path(__file__).resolve().parents[2]
STUDY = "Khảo sát năm 2025"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of a new environment: the wheel installed, other packages borrowed from this one."""
    place = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    paths = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", vars=paths))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(wheel)], check=True)
    # A plain path line: the .pth files of the borrowed folder, with the editable checkout, are not followed.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    command = [str(python), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def vietnamese_sav(path: Path) -> Path:
    """Write the simulated province of 2022 as a user keeps it: other column names, question texts as labels."""
    questionnaire = load_questionnaire("citizens")
    frame = pd.read_csv(ROOT / "data" / "twin" / "citizens.csv", encoding="utf-8-sig")
    frame = frame[frame["year"] == 2022].head(900).reset_index(drop=True)
    names = {q.id: f"Câu_{n}" for n, q in enumerate(questionnaire.items(), start=1)}
    labels = {names[q.id]: q.text.vi for q in questionnaire.items()}
    kept = frame[["data_kind", "year", "agency", "sex", "weight", "stratum", "frame_size", *names]]
    pyreadstat.write_sav(kept.rename(columns=names), str(path), column_labels=labels)
    return path


def test_wheel_holds_what_the_commands_need(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "sipas_research/_bundled/notebooks/02_survey_quality.ipynb" in names
    assert "sipas_research/_bundled/data/twin/citizens.csv" in names
    for language in ("vi", "en"):
        words = {p.name for p in (ROOT / "sipas_research" / "wording" / "catalogue" / language).glob("*.toml")}
        assert words <= {Path(n).name for n in names if n.startswith(f"sipas_research/wording/catalogue/{language}/")}
    assert not [n for n in names if n.startswith(("tests/", "outputs/")) or n.endswith(".pyc")]


def test_new_check_report_in_another_folder(installed: Path, tmp_path: Path) -> None:
    source = vietnamese_sav(tmp_path / "số liệu.sav")
    where = run(installed, tmp_path, "-c", "import sipas_research as s; print(s.__file__)").stdout
    assert str(ROOT / "sipas_research") not in where
    sipas = ("-m", "sipas_research")
    run(installed, tmp_path, *sipas, "new", STUDY, "--from", source.name)
    folder = tmp_path / STUDY
    run(installed, folder, *sipas, "check")
    # one language: that both come is tested on the checkout, that the words of both are packed above
    done = run(installed, folder, *sipas, "report", "--quiet", "--language", "vi")
    out = folder / "ket_qua"
    for ending in ("docx", "pdf", "html"):
        made = out / f"bao_cao_mo-phong.{ending}"
        assert made.stat().st_size > 10_000
        assert made.name in done.stdout
    for part in ("bang", "hinh", "so_tay", "kiem_tra", "phieu_don_vi"):
        assert any((out / part).iterdir()), part
    page = (out / "bao_cao_mo-phong.html").read_text(encoding="utf-8")
    assert "DỮ LIỆU MÔ PHỎNG" in page
    assert str(tmp_path) not in page
    for notebook in (out / "so_tay").iterdir():
        content = notebook.read_text(encoding="utf-8")
        assert str(tmp_path) not in content, notebook.name
        assert str(ROOT) not in content, notebook.name
