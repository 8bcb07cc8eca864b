"""The command line: exit codes, both languages, UTF-8 when redirected, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from sipas_research import __version__, cli, resources
from sipas_research.study import check as check_module


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHONUTF8", "PYTHONIOENCODING", "LC_", "LANG"))
    }
    command = [sys.executable, "-m", "sipas_research", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        env={**environment, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        check=False,
    )


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    frame = pd.read_csv(resources.data("twin", "citizens.csv"), encoding="utf-8-sig", dtype=str)
    path = tmp_path / "khảo sát.csv"
    frame[frame["year"] == "2022"].head(40).drop(columns="data_kind").to_csv(path, index=False, encoding="utf-8")
    return path


def damage(path: Path, column: str, row: int, value: str) -> None:
    frame = pd.read_csv(path, dtype=str)
    frame.loc[row, column] = value
    frame.to_csv(path, index=False, encoding="utf-8")


def test_redirected_output_is_utf8(tmp_path: Path) -> None:
    done = run(folder=tmp_path)
    assert done.returncode == 0
    assert "Các lệnh: sipas new THƯ_MỤC" in done.stdout.decode("utf-8")
    assert "Commands:" in done.stdout.decode("utf-8")
    assert done.stderr == b""


def test_check_in_a_folder_without_study(tmp_path: Path, survey: Path) -> None:
    done = run("check", survey.name, folder=tmp_path)
    assert done.returncode == 0, done.stderr.decode("utf-8")
    assert "khảo sát.csv" in done.stdout.decode("utf-8")
    assert {p.name for p in (tmp_path / "kiem_tra").iterdir()} == {"citizens.txt", "citizens.xlsx"}


def test_import_is_light() -> None:
    slow = ("pandas", "numpy", "papermill", "openpyxl")
    code = f"import sys, sipas_research.cli; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["new"],
        ["nwe"],
        ["report", "--language", "fr"],
        ["check", "--khong-co"],
        ["new", "x", "--form", "y"],
        ["twin", "--seed", "x"],
    ],
)
def test_wrong_command_lines_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Lệnh chưa đúng" in said.err
    assert "The command is not right" in said.err


def test_refused_input_ends_with_1(
    tmp_path: Path, survey: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    damage(survey, "access_1", 5, "6")
    damage(survey, "access_2", 7, "xấu")
    damage(survey, "procedure_1", 9, "7")
    assert cli.main(["check", survey.name]) == 1
    said = capsys.readouterr().out
    assert "Dòng 7" in said
    assert "'access_1'" in said
    assert "6" in said
    text = (tmp_path / "kiem_tra" / "citizens.txt").read_text(encoding="utf-8")
    assert "Dòng 7" in text
    assert "Row 7" in text
    assert cli.main(["report", "--study", "khong_co"]) == 1
    assert cli.main(["new", "."]) == 1
    errors = capsys.readouterr().err
    assert "khong_co" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("rong.csv", b"", "không có nội dung"),
        ("nen.xlsx", b"PK\x03\x04", "nen.xlsx"),
        ("khong_co.csv", None, "Không tìm thấy"),
    ],
)
def test_unreadable_files_get_a_sentence_and_a_file(
    tmp_path: Path, name: str, content: bytes | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert cli.main(["check", str(tmp_path / name), "--out", str(tmp_path / "o")]) == 1
    said = capsys.readouterr()
    assert words in said.out
    assert "Traceback" not in said.out + said.err
    assert words in (tmp_path / "o" / "kiem_tra" / "citizens.txt").read_text(encoding="utf-8")


def test_report_on_a_refused_file_runs_no_notebook(
    tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(survey, "access_1", 5, "6")
    damage(survey, "access_1", 6, "6")
    damage(survey, "access_1", 7, "6")
    assert cli.main(["new", str(tmp_path / "Khảo sát"), "--from", str(survey)]) == 0
    assert cli.main(["report", "--study", str(tmp_path / "Khảo sát")]) == 1
    assert "Dòng 8" in capsys.readouterr().err
    made = {p.name for p in (tmp_path / "Khảo sát" / "ket_qua").iterdir()}
    assert made == {"kiem_tra"}


def test_plan_is_printed_and_nothing_runs(tmp_path: Path, survey: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", str(tmp_path / "a"), "--from", str(survey), "--language", "en", "--quiet"]) == 0
    capsys.readouterr()
    assert cli.main(["report", "--plan", "--study", str(tmp_path / "a"), "--language", "vi", "--quiet"]) == 0
    said = capsys.readouterr()
    assert "Không lập được phiếu đơn vị" in said.err, "40 forms at many agencies: the scorecard is named, not left out"
    lines = said.out.splitlines()
    assert lines[0].startswith("Kế hoạch: ")
    assert str(tmp_path) not in "".join(lines)
    assert not (tmp_path / "a" / "ket_qua" / "so_tay").exists()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_unexpected_errors_show_no_data(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Nguyễn Văn A 0912345678")

    monkeypatch.setattr(check_module, "run_check", broken)
    assert cli.main(["check"]) == 3
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "Nguyễn" not in said
    assert "Traceback" not in said


def test_ctrl_c_is_clean(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check_module, "run_check", stopped)
    assert cli.main(["check"]) == 130
    assert "Đã dừng" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sipas_research", "claim", "--value", "87,07", "--change", "3,1", "--n", "400"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as run:
        run.stdout.close()
        told = run.stderr.read().decode("utf-8")
        assert run.wait(timeout=60) == 0
    assert "BrokenPipeError" not in told
