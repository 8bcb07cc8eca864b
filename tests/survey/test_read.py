import random
import time
import zipfile

import numpy as np
import pytest
from check_helpers import ITEMS, LEVELS, QUESTIONNAIRE, TEXTS, answers, spec

from sipas_research.errors import DataFileError, HonestyError, RejectedRowsWarning, SipasError
from sipas_research.results import DataKind, Result
from sipas_research.survey.agencies import AgencyRegister
from sipas_research.survey.read import CheckReport, check_responses, read_responses, rejected_table
from sipas_research.survey.responses import Responses


def as_csv(path, frame):
    frame.to_csv(path, index=False, encoding="utf-8-sig")
    return path


class OneSurvey:
    """What a study looks like to a reader."""

    def __init__(self, **options):
        self.options = options

    def survey(self, name="citizens"):
        return spec(name=name, **self.options)


def test_valid_file_becomes_responses(tmp_path):
    path = as_csv(tmp_path / "phieu.csv", answers())
    responses = read_responses(path, OneSurvey())
    assert isinstance(responses, Responses)
    assert len(responses) == responses.n_read == 60
    assert responses.frame[list(ITEMS)].equals(answers()[list(ITEMS)])
    assert responses.frame["agency"].tolist() == answers()["agency"].tolist()
    assert (responses.source, responses.data_kind, responses.problems) == ("phieu.csv", DataKind.USER, ())
    assert "check.notes.columns" in {key for key, _ in responses.reading}


def test_no_path_takes_the_file_of_the_study(tmp_path):
    path = as_csv(tmp_path / "phieu.csv", answers())
    named = spec(file=path, source="Khảo sát của Sở Nội vụ")
    assert read_responses("", named).source == "Khảo sát của Sở Nội vụ"
    assert read_responses(None, named).source == "Khảo sát của Sở Nội vụ"
    other = as_csv(tmp_path / "khac.csv", answers(40))
    assert read_responses(str(other), named).source == "khac.csv"


def test_rejected_rows_are_warned_about_and_listed_without_their_other_cells(tmp_path):
    frame = answers()
    frame.loc[10, "access_1"], frame.loc[3, "sex"] = 6.0, 5.0
    frame["ho_ten"] = [f"Nguyễn Thị {i}" for i in range(60)]
    path = as_csv(tmp_path / "phieu.csv", frame)
    with pytest.warns(RejectedRowsWarning, match="2 trong số 60 phiếu bị loại"):
        responses = read_responses(path, spec())
    assert (len(responses), responses.n_rejected) == (58, 2)
    assert responses.frame.index.tolist() == list(range(58))
    report = check_responses(path, spec())
    table = rejected_table(report)
    assert table.columns.tolist() == ["row", "column", "value", "reason_vi", "reason_en"]
    assert table[["row", "column", "value"]].to_numpy().tolist() == [[5, "sex", "5"], [12, "access_1", "6"]]
    for shown in (report.summary("vi"), report.summary("en"), repr(report), table.to_string(), repr(responses)):
        assert "Nguyễn" not in shown


def test_report_is_a_result_and_says_its_verdict(tmp_path):
    frame = answers()
    frame.loc[10, "access_1"] = 6.0
    report = check_responses(as_csv(tmp_path / "a.csv", frame), spec())
    assert isinstance(report, Result)
    assert report.tidy()[["severity", "row", "column", "value"]].to_numpy().tolist() == [["row", 12, "access_1", "6"]]
    glance = report.glance().iloc[0]
    assert (glance["n_rows"], glance["n_used"], glance["n_row_problems"], glance["refused"]) == (60, 59, 1, False)
    text = report.summary()
    assert "Đã đọc 60 phiếu, loại 1, còn 59." in text
    assert "  - Dòng 12, cột 'access_1': giá trị 6" in text
    assert text.endswith("Kết luận: tệp 'a.csv' dùng được; xem các lưu ý ở trên.")
    assert "Verdict: file 'a.csv' can be used" in report.summary("en")


def test_refused_file_raises_with_everything_that_is_wrong(tmp_path):
    frame = answers()
    frame.loc[:9, "access_1"] = 6.0
    path = as_csv(tmp_path / "a.csv", frame)
    strict = spec(max_rejected_share=0.05)
    with pytest.raises(DataFileError, match="10 trong số 60 phiếu bị loại") as caught:
        read_responses(path, strict)
    assert len(caught.value.problems) == 11
    report = check_responses(path, strict)
    assert report.refused
    assert report.responses is None
    assert "bị từ chối" in report.summary()
    assert len(rejected_table(report)) == 10


def test_open_question_is_listed_by_check_and_refused_by_read(tmp_path):
    path = as_csv(tmp_path / "a.csv", answers().assign(access_2=lambda f: 6 - f["access_2"]))
    report = check_responses(path, spec())
    assert (report.refused, report.undecided, report.responses) == (False, True, None)
    assert "Cần quyết định:" in report.summary()
    with pytest.raises(DataFileError, match="câu hỏi cần quyết định"):
        read_responses(path, spec())


def test_marked_file_is_refused_as_user_data(tmp_path):
    path = as_csv(tmp_path / "a.csv", answers().assign(data_kind="simulated"))
    with pytest.raises(HonestyError):
        check_responses(path, spec())
    report = check_responses(path, spec(data_kind=DataKind.SIMULATED))
    assert "DỮ LIỆU MÔ PHỎNG" in report.summary()
    assert report.responses.data_kind is DataKind.SIMULATED


def test_google_forms_export(tmp_path):
    frame = answers()
    forms = frame[["agency", *ITEMS]].rename(columns={"agency": "Đơn vị được đánh giá"})
    forms.insert(0, "Dấu thời gian", "12/03/2021 08:15:00")
    for item in ITEMS:
        forms[item] = [LEVELS[int(v) - 1] for v in forms[item]]
    forms = forms.rename(columns={i: f"{n}. {TEXTS[i]}" for n, i in enumerate(ITEMS, start=1)})
    responses = read_responses(as_csv(tmp_path / "Câu trả lời biểu mẫu.csv", forms), spec())
    assert responses.frame[list(ITEMS)].equals(frame[list(ITEMS)])
    assert responses.problems == ()


def test_spss_file_with_renamed_vietnamese_columns(tmp_path):
    import pyreadstat

    frame = answers()
    columns = {item: f"Câu_{n}" for n, item in enumerate(ITEMS, start=1)} | {"agency": "Đơn_vị", "sex": "Giới"}
    cells = frame[["agency", "sex", *ITEMS]].rename(columns=columns)
    cells["Đơn_vị"] = frame["agency"].map({"so_01": 1.0, "so_02": 2.0, "huyen_01": 3.0})
    cells.loc[4, "Câu_1"] = 99.0
    labels = {columns[i]: f"{n}. {TEXTS[i]}" for n, i in enumerate(ITEMS, start=1)}
    levels = {float(code): label for code, label in enumerate(LEVELS, start=1)}
    path = tmp_path / "khảo sát.sav"
    pyreadstat.write_sav(
        cells,
        path,
        column_labels=[labels.get(c) or {"Giới": "Giới tính"}.get(c, "Đơn vị được đánh giá") for c in cells],
        variable_value_labels={
            "Đơn_vị": {1.0: "Sở mô phỏng 01", 2.0: "Sở mô phỏng 02", 3.0: "Huyện mô phỏng 01"},
            **{columns[i]: levels for i in ITEMS},
        },
        missing_ranges={"Câu_1": [{"lo": 99, "hi": 99}]},
    )
    responses = read_responses(path, spec())
    expected = frame[list(ITEMS)].copy()
    expected.loc[4, "access_1"] = np.nan
    assert responses.frame[list(ITEMS)].equals(expected)
    assert responses.frame["agency"].tolist() == frame["agency"].tolist()
    unknown = read_responses(path, spec(agencies=AgencyRegister()))
    assert unknown.agencies.name("3", "vi") == "Huyện mô phỏng 01"


def test_one_row(tmp_path):
    report = check_responses(as_csv(tmp_path / "a.csv", answers(1)), spec())
    assert not report.refused
    assert "chỉ có 1 phiếu" in report.summary()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"access_1,agency\n", b"PK\x03\x04 not a workbook"])
def test_files_without_rows_are_refused_in_words(tmp_path, content):
    for name in ("a.csv", "a.xlsx", "a.sav"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SipasError) as caught:
            check_responses(path, spec())
        assert name in str(caught.value)


SEEDS = 500
HOSTILE = ["6", "-1", "3,5", "3.5", "chín", "", " ", "Hài lòng", "=1+1", "1e400", "nan", "NULL", "so_99", "\t", '"']
HOSTILE += ["31/02/2021", "\u200b", "9" * 400, "5;4", "Đ\u0300", "1" + "0" * 20]


def mutate_cells(rng, rows):
    rows = [list(row) for row in rows]
    for _ in range(rng.randint(1, 6)):
        kind = rng.choice(["cell", "cell", "cell", "header", "drop", "repeat", "shorten", "column"])
        row = rng.randrange(len(rows))
        if kind in {"cell", "header"} and rows[row]:
            rows[0 if kind == "header" else row][rng.randrange(len(rows[row])) % len(rows[0])] = rng.choice(HOSTILE)
        elif kind == "drop" and len(rows) > 1:
            del rows[row]
        elif kind == "repeat":
            rows.insert(row, list(rows[row]))
        elif kind == "shorten" and rows[row]:
            del rows[row][-1]
        elif kind == "column":
            place = rng.randrange(len(rows[0]))
            rows = [r[:place] + r[place + 1 :] if len(r) > 1 else r for r in rows]
    return rows


def mutate_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(data)) if data else 0
        kind = rng.choice(["flip", "cut", "insert", "zero"])
        if kind == "flip" and data:
            data[place] = rng.randrange(256)
        elif kind == "cut":
            del data[place : place + rng.choice([1, 7, 300])]
        elif kind == "insert":
            data[place:place] = rng.randbytes(rng.choice([1, 9]))
        else:
            data[place : place + 16] = bytes(min(16, len(data) - place))
    return bytes(data)


def write_cells(path, rows):
    if path.suffix == ".csv":
        path.write_text("\n".join(",".join(map(str, r)) for r in rows), encoding="utf-8")
        return
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "nan_inf_to_errors": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            sheet.write(number, place, cell)
    book.close()


def make_mutant(rng, folder, rows, originals):
    kind = rng.choice([".csv", ".csv", ".xlsx", ".sav"])
    path = folder / f"m{kind}"
    if kind != ".sav" and rng.random() < 0.6:
        write_cells(path, mutate_cells(rng, rows))
    elif kind == ".xlsx" and rng.random() < 0.7:
        # Inside the archive, so that the damage reaches the reader and not only the check sums.
        with zipfile.ZipFile(originals[kind]) as whole, zipfile.ZipFile(path, "w") as damaged:
            victim = rng.choice(whole.namelist())
            for name in whole.namelist():
                part = whole.read(name)
                damaged.writestr(name, mutate_bytes(rng, part) if name == victim else part)
    else:
        path.write_bytes(mutate_bytes(rng, originals[kind].read_bytes()))
    return path


def checked(path):
    """The report, or the error of ours; any other error fails the test."""
    try:
        return check_responses(path, spec(questionnaire=QUESTIONNAIRE, max_rejected_share=0.2))
    except SipasError as error:
        return error


def test_five_hundred_mutated_files_end_in_a_report_or_an_error_of_ours(tmp_path):
    import pyreadstat

    frame = answers(12)
    rows = [list(frame.columns), *frame.astype(object).to_numpy().tolist()]
    originals = {suffix: tmp_path / f"valid{suffix}" for suffix in (".csv", ".xlsx", ".sav")}
    write_cells(originals[".csv"], rows)
    write_cells(originals[".xlsx"], rows)
    pyreadstat.write_sav(frame, originals[".sav"], variable_value_labels={"sex": {1.0: "Nam", 2.0: "Nữ"}})
    rng = random.Random(20211231)
    ends = {"accepted": 0, "refused": 0, "undecided": 0, "error": 0}
    start = time.process_time()
    for number in range(SEEDS):
        path = make_mutant(rng, tmp_path, rows, originals)
        report = checked(path)
        if not isinstance(report, CheckReport):
            ends["error"] += 1
            assert path.name in str(report), number
            continue
        assert report.summary("vi")
        assert report.summary("en")
        assert len(rejected_table(report)) >= report.n_rejected > -1
        ends["refused" if report.refused else "undecided" if report.undecided else "accepted"] += 1
    assert time.process_time() - start < 25
    assert sum(ends.values()) == SEEDS
    assert min(ends["accepted"], ends["refused"], ends["error"]) > 20, ends
