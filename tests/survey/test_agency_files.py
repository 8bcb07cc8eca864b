import openpyxl
import pytest

from sipas_research import resources
from sipas_research.errors import AgencyError, HonestyError
from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_files import (
    read_agencies,
    real_names,
    refuse_real_names,
    refuse_simulated_register,
    write_agencies_xlsx,
)
from sipas_research.wording import Bilingual

REGISTER = AgencyRegister(
    (
        Agency("so_01", Bilingual("Sở mô phỏng 01", "Simulated Department 01"), "department", aliases=("S1", "Sở 1")),
        Agency("001", Bilingual("Huyện mô phỏng 01"), "district", "2015-01-01", "2025-06-30", (), "tự đặt", True),
    ),
    "don_vi.xlsx",
)


def write_csv(path, *lines, encoding="utf-8", header="code,name_vi,level,valid_from,valid_to,verified"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def problems_of(path):
    with pytest.raises(AgencyError) as caught:
        read_agencies(path)
    assert caught.value.key == "agency.files.invalid"
    return [(p.key.rsplit(".", 1)[1], p.row, p.column) for p in caught.value.problems], caught.value


def test_xlsx_round_trip(tmp_path):
    path = write_agencies_xlsx(REGISTER, tmp_path / "don_vi.xlsx")
    assert read_agencies(path) == REGISTER
    assert openpyxl.load_workbook(path)["Đơn vị"]["A3"].value == "001"
    assert path.read_bytes() == write_agencies_xlsx(REGISTER, tmp_path / "b.xlsx").read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_with_or_without_mark_and_with_any_separator(tmp_path, encoding, mark):
    lines = ["a,Sở A,sở,,31/12/2024,có", "b,Huyện B,district,2020-05-01,,no"]
    header = "code,name_vi,level,valid_from,valid_to,verified"
    path = write_csv(
        tmp_path / "a.csv", *(x.replace(",", mark) for x in lines), encoding=encoding, header=header.replace(",", mark)
    )
    first, second = read_agencies(path).agencies
    assert (first.code, first.name.vi, first.level, first.valid_to) == ("a", "Sở A", "department", "2024-12-31")
    assert first.verified
    assert (second.level, second.valid_from, second.verified) == ("district", "2020-05-01", False)


def test_every_wrong_cell_is_named(tmp_path):
    path = write_csv(
        tmp_path / "don_vi.csv",
        "a,Sở A,sở,,,",
        "a,,sở,,,",
        "",
        ",Sở C,tổng cục,,,",
        "d,Sở D,,32/01/2020,,",
        "e,Sở E,,2020-01-01,2019-01-01,có lẽ",
    )
    found, error = problems_of(path)
    assert found == [
        ("required_empty", 3, "name_vi"),
        ("duplicate_code", 3, "code"),
        ("required_empty", 5, "code"),
        ("unknown_level", 5, "level"),
        ("bad_date", 6, "valid_from"),
        ("unknown_word", 7, "verified"),
        ("dates_reversed", 7, "valid_to"),
    ]
    message = error.message("vi")
    assert "don_vi.csv" in message
    assert "'tổng cục'" in message
    assert "cấp huyện" in message
    assert "department; district" in error.message("en")


def test_errors_in_a_workbook_name_the_sheet_and_the_visible_column(tmp_path):
    path = tmp_path / "don_vi.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Đơn vị"
    for row in (["Mã đơn vị", "Tên (tiếng Việt)", "Cấp"], ["a", "Sở A", "cấp sở"], ["b", "Sở B", "vùng"]):
        book.active.append(row)
    book.save(path)
    found, error = problems_of(path)
    assert found == [("unknown_level", 3, "Cấp")]
    assert "trang 'Đơn vị', dòng 3, cột 'Cấp'" in error.message("vi")


def test_missing_header_and_wrong_files(tmp_path):
    found, _ = problems_of(write_csv(tmp_path / "a.csv", "a", header="code"))
    assert ("missing_header", 1, "Tên (tiếng Việt)") in found
    (tmp_path / "old.csv").write_bytes("code,name_vi\na,Sở".encode("utf-16"))
    for name, key in (("old.csv", "not_utf8"), ("b.txt", "wrong_type"), ("none.csv", "not_found")):
        if name == "b.txt":
            (tmp_path / name).touch()
        with pytest.raises(AgencyError) as caught:
            read_agencies(tmp_path / name)
        assert caught.value.key == f"agency.files.{key}"


def test_simulated_values_never_stand_beside_a_real_name():
    real = AgencyRegister((Agency("h1", Bilingual("huyện  BẮC SƠN")),))
    with pytest.raises(HonestyError) as caught:
        refuse_real_names(real, DataKind.SIMULATED)
    assert "BẮC SƠN" in caught.value.message("vi")
    refuse_real_names(real, DataKind.USER)
    refuse_real_names(REGISTER, DataKind.SIMULATED)
    english = AgencyRegister((Agency("h1", Bilingual("Một", "Bắc Sơn District")),))
    with pytest.raises(HonestyError):
        refuse_real_names(english, DataKind.SIMULATED)
    with pytest.raises(HonestyError):
        refuse_real_names(REGISTER, DataKind.SIMULATED, names=["SỞ MÔ PHỎNG 01"])


def test_packaged_register_of_lang_son():
    register = read_agencies(resources.data("lang_son", "agencies.csv"))
    districts = [a for a in register.agencies if a.level == "district"]
    assert len(districts) == 11
    assert {a.valid_to for a in districts} == {"2025-06-30"}
    assert {a.name.vi for a in districts if a.verified} == {
        "Huyện Bắc Sơn",
        "Huyện Chi Lăng",
        "Huyện Lộc Bình",
        "Huyện Đình Lập",
    }
    assert len(register.codes("department")) == 20
    (commune,) = (a for a in register.agencies if a.level == "commune")
    assert commune.valid_from == "2025-07-01"
    assert all(a.source and a.name.en for a in register.agencies)
    assert all(("cần kiểm chứng" in a.source) == (not a.verified) for a in register.agencies)
    assert "Sở Nội vụ" in real_names()


def test_twin_holds_no_real_name():
    twin = read_agencies(resources.data("twin", "agencies.csv"))
    refuse_real_names(twin, DataKind.SIMULATED)
    assert len(twin.agencies) == 31


def test_a_register_with_the_mark_serves_a_simulated_study_only(tmp_path):
    twin = read_agencies(resources.data("twin", "agencies.csv"))
    assert twin.simulated
    assert read_agencies(write_agencies_xlsx(twin, tmp_path / "don_vi.xlsx")).simulated
    refuse_simulated_register(twin, DataKind.SIMULATED)
    refuse_simulated_register(REGISTER, DataKind.USER)
    for kind in (DataKind.USER, DataKind.REAL, DataKind.PUBLISHED):
        with pytest.raises(HonestyError) as caught:
            refuse_simulated_register(twin, kind)
        assert "'agencies.csv'" in caught.value.message("vi")
    # One marked row is enough: such a file was put together from several.
    mixed = write_csv(tmp_path / "a.csv", "a,Sở A,user", "b,Sở B,mô phỏng", header="code,name_vi,data_kind")
    assert read_agencies(mixed).simulated
    plain = write_csv(tmp_path / "b.csv", "a,Sở A,thật", "b,Sở B,", header="code,name_vi,data_kind")
    assert not read_agencies(plain).simulated


def test_an_unknown_kind_of_data_is_named(tmp_path):
    found, error = problems_of(write_csv(tmp_path / "a.csv", "a,Sở A,giả", header="code,name_vi,data_kind"))
    assert found == [("unknown_word", 2, "data_kind")]
    assert "'giả'" in error.message("vi")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Sở \u202egpj.exe", "hidden_character"),
        ("Sở \u2066x\u2069", "hidden_character"),
        ("Sở\u200b Nội vụ", "hidden_character"),
        ("x" * 10_000, "too_long"),
    ],
)
def test_a_name_that_is_not_what_it_looks_like_is_refused(tmp_path, name, key):
    found, error = problems_of(write_csv(tmp_path / "don_vi.csv", f"so_01,{name},department,,,"))
    assert found == [(key, 2, "name_vi")]
    assert len(str(error)) < 2000


def test_a_name_like_a_formula_is_kept_as_text(tmp_path):
    register = read_agencies(write_csv(tmp_path / "don_vi.csv", "so_01,=cmd|'/C calc'!A0,department,,,"))
    path = write_agencies_xlsx(register, tmp_path / "don_vi.xlsx")
    cells = [c for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for c in row]
    assert [c.data_type for c in cells if str(c.value).startswith("=cmd")] == ["s"]
    assert read_agencies(path).agencies[0].name.vi == "=cmd|'/C calc'!A0"
