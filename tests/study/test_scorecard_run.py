"""Scorecards of a few agencies: same bytes twice, a manifest that holds, stopped anywhere and taken up again."""

import csv
import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest

import sipas_research as sr
from sipas_research import resources
from sipas_research.errors import AgencyError, OutputError
from sipas_research.study.notebook_check import PersonMarks
from sipas_research.study.plan import SCORECARD, Step, scorecard_plan
from sipas_research.study.resume import files_of, stamp
from sipas_research.study.run import execute
from sipas_research.study.scorecard_plan import prepare_scorecards
from sipas_research.study.scorecard_run import MANIFEST, make_scorecards, write_manifest

AGENCIES = ("so_01", "so_11", "huyen_01")
FOLDER = "phieu_don_vi"


@pytest.fixture(scope="module")
def study():
    return sr.load_study(resources.data("twin", "study.toml"))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def manifest(folder):
    with (folder / FOLDER / MANIFEST).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("Phiếu đơn vị")
    made = make_scorecards(study, agencies=AGENCIES, language="vi", out=out)
    assert {p.relative_to(out).as_posix() for p in made} == set(files(out))
    return out


@pytest.fixture(scope="module")
def uninterrupted(whole):
    """Return every file of the first run, before a test changes one."""
    return files(whole)


@pytest.mark.slow
@pytest.mark.usefixtures("uninterrupted")
class TestRun:
    def test_three_formats_each_in_the_manifest(self, whole):
        rows = manifest(whole)
        assert [(r["don_vi"], r["tep"].rpartition(".")[2]) for r in rows] == [
            (agency, ending) for agency in AGENCIES for ending in ("docx", "html", "pdf")
        ]
        for row in rows:
            content = (whole / FOLDER / row["tep"]).read_bytes()
            assert row["sha256"] == hashlib.sha256(content).hexdigest()
            assert int(row["so_byte"]) == len(content)
            assert "mo-phong" in row["tep"]
        assert len({r["dau_vao"] for r in rows}) == 1

    def test_the_page_says_rank_class_state_and_annex(self, whole):
        page = (whole / FOLDER / "so_11_mo-phong.html").read_text(encoding="utf-8")
        for words in ("DỮ LIỆU MÔ PHỎNG", "dự thảo", "Thứ hạng trong 20", "Phụ lục", "Biện pháp gợi ý", "2018–2021"):
            assert words in page

    def test_resume_keeps_what_stands_and_makes_again_what_was_changed(self, study, whole):
        before = files(whole)
        kept, changed = whole / FOLDER / "so_11_mo-phong.pdf", whole / FOLDER / "so_01_mo-phong.html"
        times = kept.stat().st_mtime_ns
        changed.write_text("half a p", encoding="utf-8")
        make_scorecards(study, agencies=AGENCIES, language="vi", out=whole, resume=True)
        assert files(whole) == before
        assert kept.stat().st_mtime_ns == times

    def test_one_agency_more_leaves_the_others_in_the_manifest(self, study, whole):
        before = {p: c for p, c in files(whole).items() if p.endswith((".docx", ".pdf", ".html", ".ipynb"))}
        make_scorecards(study, agencies=["so_02"], language="vi", out=whole, resume=True)
        assert {r["don_vi"] for r in manifest(whole)} == {*AGENCIES, "so_02"}
        after = files(whole)
        assert all(after[name] == content for name, content in before.items())

    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist on Windows: no killed run was tried")
    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL does not exist on Windows: no killed run was tried")
    def test_killed_at_five_moments_and_resumed_gives_the_same_bytes(self, study, uninterrupted, tmp_path, kill_when):
        broken = tmp_path / "broken"
        command = [sys.executable, "-m", "sipas_research", "scorecards", "--study", str(study.path), "--resume"]
        command += ["--out", str(broken), "--language", "vi", "--quiet", "--agency", *AGENCIES]
        moments = (
            lambda: True,  # while loading and reading
            lambda: any(broken.glob(f"{FOLDER}/[!.]*.json")),  # all is computed, notebooks begin
            lambda: any(broken.glob(f"{FOLDER}/[!.]*.docx")),  # between two documents of one card
            lambda: len(list(broken.glob("so_tay/[!.]*.ipynb"))) >= 1,
            lambda: len(list(broken.glob("so_tay/[!.]*.ipynb"))) >= 2,
        )
        for moment in moments:
            kill_when(command, moment)
            assert_whole(broken)
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode("utf-8")
        assert files(broken) == uninterrupted


def assert_whole(folder):
    """No document is half-written: what stands under its own name ends as its format does."""
    endings = {".html": b"</html>", ".pdf": b"%%EOF", ".json": b"}\n"}
    for path in (folder / FOLDER).glob("*"):
        if path.suffix in endings and not path.name.startswith("."):
            assert path.read_bytes().rstrip(b"\n").endswith(endings[path.suffix].rstrip(b"\n")), path.name
        if path.suffix == ".docx" and not path.name.startswith("."):
            import zipfile

            assert zipfile.ZipFile(path).testzip() is None


def test_unknown_agency_is_refused_before_anything_runs(study, tmp_path):
    with pytest.raises(AgencyError, match="so_19"):
        make_scorecards(study, agencies=["so_1"], language="vi", out=tmp_path)
    assert not (tmp_path / FOLDER).exists()


def test_a_manifest_lists_only_what_stands_and_fits_the_inputs(study, tmp_path):
    plan = scorecard_plan(study, ("vi",), tmp_path, agencies=AGENCIES)
    made = []
    for step, inputs in zip(plan.steps, ("now", "now", "earlier"), strict=True):
        made.append(tmp_path / FOLDER / f"{dict(step.parameters)['agency']}.html")
        made[-1].parent.mkdir(exist_ok=True)
        made[-1].write_text("trang", encoding="utf-8")
        notebook = {"cells": [], "metadata": {}}
        stamp(notebook, "step", [made[-1]], root=tmp_path, study=inputs)
        step.output.parent.mkdir(exist_ok=True)
        step.output.write_text(json.dumps(notebook), encoding="utf-8")
    assert list(files_of(plan.steps[0].output)) == [made[0]]
    made[1].write_text("khác", encoding="utf-8")
    write_manifest(study, AGENCIES, tmp_path, "now")
    assert [r["tep"] for r in manifest(tmp_path)] == ["so_01.html"]


def test_codes_that_look_like_formulas_stay_text(study, tmp_path):
    code = "=cmd|1"
    (step,) = scorecard_plan(study, ("vi",), tmp_path, agencies=[code]).steps
    page = tmp_path / FOLDER / "x.html"
    page.parent.mkdir()
    page.write_text("trang", encoding="utf-8")
    notebook = {"cells": [], "metadata": {}}
    stamp(notebook, "step", [page], root=tmp_path, study="now")
    step.output.parent.mkdir()
    step.output.write_text(json.dumps(notebook), encoding="utf-8")
    write_manifest(study, [code], tmp_path, "now")
    assert [r["don_vi"] for r in manifest(tmp_path)] == ["'=cmd|1"]


class Refuse:
    """A finish that cannot write."""

    def __call__(self, executed):
        raise OutputError("files.held_open", file="so_01.docx")


@pytest.mark.slow
def test_what_a_worker_cannot_write_is_told_in_words(study, tmp_path):
    source = tmp_path / f"{SCORECARD}.ipynb"
    cell = {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": 'agency = ""'}
    cells = [cell | {"outputs": [], "execution_count": None}]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    source.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    step = Step(source, (("agency", "so_01"),), tmp_path / "so_tay" / "a.ipynb", "vi", finish=Refuse())
    with pytest.raises(OutputError, match="so_01"):
        execute(replace(scorecard_plan(study, (), tmp_path, agencies=()), steps=(step,)), quiet=True)
    assert not step.output.exists()


def test_a_folders_older_notebook_computes_for_itself(study, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr("sipas_research.study.scorecard_plan.compute_scorecards", refuse)
    cell = {
        "cell_type": "code",
        "metadata": {"tags": ["parameters"]},
        "source": 'study = ""\nlanguage = ""\nagency = ""',
    }
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / f"{SCORECARD}.ipynb").write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    older = replace(study, folder=tmp_path)
    everyone = study.responses("citizens")
    plan = prepare_scorecards(older, everyone, ("so_01",), ("vi",), tmp_path, marks=PersonMarks(), inputs="now")
    (step,) = plan.steps
    assert [name for name, _ in step.parameters] == ["study", "language", "agency"]
    assert step.finish.agency.code == "so_01"
    with pytest.raises(AssertionError):
        prepare_scorecards(study, everyone, ("so_01",), ("vi",), tmp_path, marks=PersonMarks(), inputs="now")
