import datetime

import openpyxl
import pytest

from sipas_research import resources
from sipas_research.errors import AgencyError, OptionError
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_files import read_agencies, write_agencies_xlsx
from sipas_research.survey.crosswalk import AgencyBreak, Crosswalk, Succession, has_crosswalk_sheet, read_crosswalk
from sipas_research.wording import Bilingual

HEADER = "from_code,to_code,date,kind,share,source,verified"
CHANGE = "2025-07-01"


def agency(code, level="district", first="", last=""):
    return Agency(code, Bilingual(f"Đơn vị {code}"), level, first, last)


REGISTER = AgencyRegister(
    (
        agency("h1", last="2025-06-30"),
        agency("h2", last="2025-06-30"),
        agency("x1", "commune", CHANGE),
        agency("x2", "commune", CHANGE),
        agency("so_a", "department"),
        agency("so_b", "department"),
        agency("so_c", "department"),
    ),
    "don_vi.xlsx",
)
SPLIT = (
    Succession("h1", "x1", CHANGE, "split", 0.6),
    Succession("h1", "x2", CHANGE, "split", 0.4),
    Succession("h2", "x2", CHANGE, "merged"),
    Succession("so_a", "so_b", "2022-01-01", "renamed", None, "QĐ", True),
    Succession("so_b", "so_c", "2024-01-01", "renamed", None, "QĐ", True),
)


def write_csv(path, *lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def problems_of(path, register=REGISTER):
    with pytest.raises(AgencyError) as caught:
        read_crosswalk(path, register=register)
    assert caught.value.key == "crosswalk.files.invalid"
    return [(p.key.rsplit(".", 1)[1], p.row, p.column) for p in caught.value.problems], caught.value


def test_agencies_that_exist_on_a_date():
    assert REGISTER.valid_on("2025-06-30").codes() == ("h1", "h2", "so_a", "so_b", "so_c")
    after = REGISTER.valid_on(datetime.date(2025, 7, 1))
    assert after.codes() == ("x1", "x2", "so_a", "so_b", "so_c")
    assert after.source == REGISTER.source
    for wrong in ("01/07/2025", "2025-02-30", ""):
        with pytest.raises(OptionError) as caught:
            REGISTER.valid_on(wrong)
        assert f"'{wrong}'" in caught.value.message("vi")


def test_successors_and_predecessors_by_date():
    found = Crosswalk(SPLIT)
    assert found.successors("h1", "2025-06-30") == ("h1",)
    assert found.successors("h1", CHANGE) == ("x1", "x2")
    assert found.predecessors("x2", "2025-06-30") == ("h1", "h2")
    assert found.predecessors("x2", CHANGE) == ("x2",)
    assert found.successors("so_a", "2023-06-01") == ("so_b",)
    assert found.successors("so_a", "2025-06-01") == ("so_c",)
    assert found.predecessors("so_c", "2021-01-01") == ("so_a",)
    assert found.predecessors("so_c", "2022-06-01") == ("so_b",)
    # An end without a listed successor, and a beginning without anything before.
    ends = Crosswalk((Succession("h1", "", CHANGE, "abolished"), Succession("", "x1", CHANGE, "created")))
    assert ends.successors("h1", "2026-01-01") == ()
    assert ends.predecessors("x1", "2020-01-01") == ()
    with pytest.raises(OptionError):
        found.successors("h1", "7/2025")


def test_only_a_new_name_stays_comparable():
    found = Crosswalk(SPLIT)
    assert found.comparable("so_a", "so_b")
    assert found.comparable("so_c", "so_a")
    assert found.comparable("h1", "h1")
    assert not found.comparable("h1", "x1")
    assert not found.comparable("h2", "x2")
    assert not found.comparable("x1", "x2")
    whole = Crosswalk((Succession("h1", "x1", CHANGE, "merged", 1.0),))
    assert not whole.comparable("h1", "x1"), "the whole of a district is not the commune it went to"


def test_breaks_say_what_ended_and_what_began():
    assert Crosswalk(SPLIT).breaks() == (
        AgencyBreak("2022-01-01", (), (), (("so_a", "so_b"),)),
        AgencyBreak("2024-01-01", (), (), (("so_b", "so_c"),)),
        AgencyBreak(CHANGE, ("h1", "h2"), ("x1", "x2")),
    )
    assert Crosswalk().breaks() == ()


def test_tidy_glance_summary():
    found = Crosswalk((*SPLIT, Succession("h3", "", CHANGE, "abolished")), "crosswalk.csv")
    table = found.tidy()
    assert list(table["share"].notna()) == [True, True, False, False, False, False]
    row = found.glance().iloc[0]
    assert (row["n_ended"], row["n_began"], row["n_renamed"]) == (3, 2, 2)
    assert (row["n_without_successor"], row["n_verified"]) == (1, 2)
    vi, en = found.summary("vi"), found.summary("en")
    assert "Từ ngày 01/07/2025: số đơn vị kết thúc 3, bắt đầu 2, đổi tên 0." in vi
    assert "chưa kiểm chứng: 4 trên 6" in vi
    assert "không được chuyển sang đơn vị mới" in vi
    assert "From 1 July 2025" in en
    assert "do not" not in Crosswalk().summary("en")
    assert Crosswalk().tidy().empty
    assert list(Crosswalk().tidy()) == list(table)


def test_workbook_round_trip(tmp_path):
    path = write_agencies_xlsx(REGISTER, tmp_path / "don_vi.xlsx", crosswalk=Crosswalk(SPLIT))
    assert read_crosswalk(path, register=REGISTER) == Crosswalk(SPLIT, "don_vi.xlsx")
    assert read_agencies(path) == REGISTER
    again = write_agencies_xlsx(REGISTER, tmp_path / "b.xlsx", crosswalk=Crosswalk(SPLIT))
    assert path.read_bytes() == again.read_bytes()


def test_a_new_workbook_has_the_sheet_with_headers_only(tmp_path):
    path = write_agencies_xlsx(REGISTER, tmp_path / "don_vi.xlsx")
    sheet = openpyxl.load_workbook(path)["Chuyển đổi đơn vị"]
    assert [c.value for c in sheet[1]][:4] == ["Mã đơn vị cũ", "Mã đơn vị mới", "Từ ngày", "Hình thức"]
    assert sheet.max_row == 1
    assert has_crosswalk_sheet(path)
    assert read_crosswalk(path).rows == ()


def test_words_and_dates_of_both_languages(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        'h1;x1;1/7/2025;Chia tách;"0,5";;có',
        "h2;;01/07/2025;abolished;;;no",
        header=HEADER.replace(",", ";"),
    )
    first, second = read_crosswalk(path, register=REGISTER).rows
    assert first == Succession("h1", "x1", CHANGE, "split", 0.5, "", True)
    assert (second.to_code, second.kind, second.share, second.verified) == ("", "abolished", None, False)


def test_every_wrong_cell_is_named(tmp_path):
    path = write_csv(
        tmp_path / "crosswalk.csv",
        "h9,x1,2025-07-01,split,,,",
        "h1,x9,32/07/2025,split,,,",
        "h1,x1,2025-07-01,split,1.5,,",
        "h1,x1,2025-07-01,split,một nửa,,",
        "so_a,so_a,2025-07-01,renamed,,,",
        "so_a,,2025-07-01,renamed,,,",
        ",,2025-07-01,created,,,",
        "h1,x1,2025-07-01,created,,,",
        "so_a,so_b,,sang,,,có lẽ",
    )
    found, error = problems_of(path)
    assert found == [
        ("unknown_code", 2, "from_code"),
        ("bad_date", 3, "date"),
        ("unknown_code", 3, "to_code"),
        ("share", 4, "share"),
        ("share", 5, "share"),
        ("itself", 6, "to_code"),
        ("required_empty", 7, "to_code"),
        ("required_empty", 8, "to_code"),
        ("created_from", 9, "from_code"),
        ("required_empty", 10, "date"),
        ("unknown_word", 10, "kind"),
        ("unknown_word", 10, "verified"),
    ]
    message = error.message("vi")
    assert "Tệp 'crosswalk.csv', dòng 2" in message
    assert "'don_vi.xlsx'" in message
    assert "giải thể; sáp nhập; chia tách; đổi tên; thành lập mới" in message
    assert "abolished; merged; split; renamed; created" in error.message("en")


def test_what_only_several_rows_get_wrong(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        "h1,x1,2025-07-01,split,0.7,,",
        "h1,x2,2025-07-01,split,0.4,,",
        "h1,x2,2025-07-01,split,0.1,,",
        "so_a,so_b,2022-01-01,renamed,,,",
        "so_c,so_b,2022-01-01,merged,,,",
        "so_c,,2023-01-01,abolished,,,",
    )
    found, error = problems_of(path)
    assert found == [
        ("shares", 3, "share"),
        ("doubled", 4, "to_code"),
        ("renamed_not_alone", 5, "kind"),
        ("ended_twice", 7, "date"),
    ]
    assert "cộng lại là 1,100" in error.message("vi")
    thirds = [f"h1,{code},2025-07-01,split,0.3334,," for code in ("x1", "x2", "so_a")]
    assert len(read_crosswalk(write_csv(tmp_path / "b.csv", *thirds), register=REGISTER).rows) == 3


def test_dates_agree_with_the_register(tmp_path):
    lines = ("h1,x1,2025-06-30,split,,,", "h2,x2,2025-08-01,merged,,,")
    found, error = problems_of(write_csv(tmp_path / "a.csv", *lines))
    assert found == [("still_there", 2, "date"), ("other_start", 2, "date"), ("other_start", 3, "date")]
    assert "'h1' hoạt động đến hết ngày 30/06/2025" in error.message("vi")
    assert len(read_crosswalk(write_csv(tmp_path / "b.csv", *lines)).rows) == 2, "without a register nothing is known"


def test_errors_in_a_workbook_name_the_sheet(tmp_path):
    path = write_agencies_xlsx(REGISTER, tmp_path / "don_vi.xlsx")
    book = openpyxl.load_workbook(path)
    book["Chuyển đổi đơn vị"].append(["h1", "x7", datetime.datetime(2025, 7, 1), "chia tách", 0.5])
    book.save(path)
    found, error = problems_of(path)
    assert found == [("unknown_code", 2, "Mã đơn vị mới")]
    assert "Tệp 'don_vi.xlsx', trang 'Chuyển đổi đơn vị', dòng 2, cột 'Mã đơn vị mới'" in error.message("vi")


def test_wrong_files(tmp_path):
    found, _ = problems_of(write_csv(tmp_path / "a.csv", "h1", header="from_code"))
    assert ("missing_header", 1, "Từ ngày") in found
    (tmp_path / "b.txt").touch()
    openpyxl.Workbook().save(tmp_path / "c.xlsx")
    assert not has_crosswalk_sheet(tmp_path / "c.xlsx")
    assert not has_crosswalk_sheet(tmp_path / "none.xlsx")
    wanted = {
        "none.csv": "crosswalk.files.not_found",
        "b.txt": "crosswalk.files.wrong_type",
        "c.xlsx": "workbook.no_sheet",
    }
    for name, key in wanted.items():
        with pytest.raises(AgencyError) as caught:
            read_crosswalk(tmp_path / name)
        assert caught.value.key == key


def test_packaged_crosswalk_of_lang_son():
    register = read_agencies(resources.data("lang_son", "agencies.csv"))
    found = read_crosswalk(resources.data("lang_son", "crosswalk.csv"), register=register)
    assert [r.from_code for r in found.rows] == list(register.codes("district"))
    assert {(r.date, r.kind, r.to_code, r.share, r.verified) for r in found.rows} == {
        (CHANGE, "abolished", "", None, False)
    }
    assert all("danh sách xã chưa có trong nguồn" in r.source for r in found.rows)
    assert found.successors("huyen_bac_son", "2026-01-01") == ()
    (only,) = found.breaks()
    assert (only.date, len(only.ended), only.began) == (CHANGE, 11, ())
    assert not register.valid_on(CHANGE).codes("district")
    assert register.valid_on(CHANGE).codes("commune") == ("cap_xa",)
