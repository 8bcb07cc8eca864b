"""Framework files: the three of the package, the way through Excel and back, hostile workbooks."""

import itertools
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

import sipas_research as sr
from sipas_research.errors import FrameworkError
from sipas_research.framework import framework_file
from sipas_research.framework.framework_file import FILE_NAMES, framework_for, load_framework, write_framework_xlsx
from sipas_research.framework.framework_spec import LEVELS, shared_criteria, unverified
from sipas_research.framework.framework_tables import framework_tables

FILES = Path(framework_file.__file__).parent / "files"


@pytest.fixture
def workbook(tmp_path):
    """A function that writes the departments' framework, lets a change at it, and returns the path."""

    def make(change, level="department"):
        path = write_framework_xlsx(load_framework(level), tmp_path / FILE_NAMES[level])
        book = load_workbook(path)
        change(book)
        book.save(path)
        return path

    return make


def column(sheet, title):
    return next(c.column for c in sheet[1] if c.value == title)


def put(sheet_name, title, row, value):
    def change(book):
        sheet = book[sheet_name]
        sheet.cell(row, column(sheet, title), value)

    return change


def problems(path):
    with pytest.raises(FrameworkError) as caught:
        load_framework(path)
    assert "{" not in str(caught.value)
    return caught.value.problems


@pytest.mark.parametrize("level", LEVELS)
def test_packaged_frameworks_load(level):
    found = sr.load_framework(level)
    assert found.level == level
    assert len(found.components) == 5
    assert sum(c.weight for c in found.criteria) == pytest.approx(1.0)
    assert sum(found.component_weight(c.id) for c in found.components) == pytest.approx(1.0)
    assert {"files_on_time", "online_files", "petitions"} < {i.id for i in found.indicators}
    assert found.minimum_forms >= 10
    assert all(phrase.en for phrase in (found.title, found.purpose, found.respondents))


def test_no_two_frameworks_share_more_than_half_of_their_criteria():
    frameworks = [load_framework(level) for level in LEVELS]
    for first, second in itertools.combinations(frameworks, 2):
        assert shared_criteria(first, second) <= 0.5
        procedures = [{p.name.vi for p in f.procedures} for f in (first, second)]
        assert not procedures[0] & procedures[1]
        indicators = [{i.id for i in f.indicators} for f in (first, second)]
        assert len(indicators[0] & indicators[1]) <= 0.5 * min(map(len, indicators))


def test_sharing_is_seen_through_new_codes_and_new_names():
    found = load_framework("department")
    renamed = replace(
        found,
        criteria=tuple(replace(c, id=f"x_{c.id}", name=replace(c.name, vi=f"x {c.name.vi}")) for c in found.criteria),
        items=tuple(replace(i, criterion=f"x_{i.criterion}") for i in found.items),
    )
    assert shared_criteria(found, renamed) == 1.0


def test_questions_shared_with_the_packaged_form_have_its_words():
    form = sr.load_questionnaire("citizens")
    asked = {q.id: q.text for q in form.questions}
    for level in LEVELS:
        shared = [i for i in load_framework(level).items if i.id in asked]
        assert len(shared) >= 10
        assert all(i.text == asked[i.id] for i in shared)


def test_own_form_asks_every_item_and_can_be_scored():
    base = sr.load_questionnaire("citizens")
    for level in LEVELS:
        found = load_framework(level)
        form = found.questionnaire(base)
        assert found.not_asked(form) == ()
        assert {i for ids in found.scales(form).values() for i in ids} == {i.id for i in found.items}
        assert len({q.id for q in form.questions}) == len(form.questions)
        assert found.not_asked(base) != ()


def test_everything_not_read_in_a_decision_says_so():
    for level in LEVELS:
        found = load_framework(level)
        assert found.status != "read"
        assert not found.bands.decided
        assert list(unverified(found))
        for status in {b.status for b in found.basis} | {s.status for s in found.appeal}:
            assert "chưa kiểm chứng" in found.label(status, "vi")
            assert "not verified" in found.label(status, "en")


def test_no_agency_that_exists_is_named():
    from sipas_research.survey.agency_files import real_names

    for path in FILES.glob("*.toml"):
        source = path.read_text(encoding="utf-8")
        assert "Lạng Sơn" not in source
        assert not [name for name in real_names() if name in source]


@pytest.mark.parametrize("level", LEVELS)
def test_workbook_reads_back_the_same(level, tmp_path):
    found = load_framework(level)
    path = write_framework_xlsx(found, tmp_path / FILE_NAMES[level])
    assert replace(load_framework(path), file=found.file) == found
    assert framework_for(tmp_path, level) == load_framework(path)
    again = write_framework_xlsx(found, tmp_path / "lan_hai.xlsx")
    assert path.read_bytes() == again.read_bytes()


def test_study_folder_without_a_file_gets_the_packaged_one(tmp_path):
    assert framework_for(tmp_path, "commune") is load_framework("commune")


def test_file_of_another_level_is_refused(tmp_path):
    write_framework_xlsx(load_framework("commune"), tmp_path / FILE_NAMES["district"])
    with pytest.raises(FrameworkError, match="khung cấp xã"):
        framework_for(tmp_path, "district")


def test_unknown_level_names_those_there_are():
    with pytest.raises(FrameworkError, match="department, district, commune"):
        load_framework("tinh")


def test_expert_weights_are_read_in_per_cent(workbook):
    def change(book):
        put("Chung", "Cách chọn trọng số", 2, "chuyên gia")(book)
        sheet = book["Tiêu chí"]
        for row in range(2, 22):
            sheet.cell(row, column(sheet, "Trọng số (%)"), 10 if row == 2 else round(90 / 19, 2))

    found = load_framework(workbook(change))
    assert found.weight_method == "expert"
    assert found.criteria[0].weight == pytest.approx(0.1, abs=1e-3)
    assert sum(c.weight for c in found.criteria) == pytest.approx(1.0)


def test_weights_that_do_not_add_up_are_refused(workbook):
    def change(book):
        put("Chung", "Cách chọn trọng số", 2, "theo hệ số tải")(book)
        sheet = book["Tiêu chí"]
        for row in range(2, 22):
            sheet.cell(row, column(sheet, "Trọng số (%)"), 6)

    found = problems(workbook(change))
    assert [p.key for p in found] == ["sheet_tables.problem.weights_sum"]
    assert "120,00" in found[0].text("vi")
    assert (found[0].sheet, found[0].row) == ("Tiêu chí", 21)


def test_weights_beside_equal_weights_are_refused(workbook):
    found = problems(workbook(put("Tiêu chí", "Trọng số (%)", 3, 12)))
    assert [p.key for p in found] == ["sheet_tables.problem.weight_not_used"]


def test_benefit_of_the_doubt_needs_limits_that_hold_the_weight(workbook):
    def change(book):
        put("Chung", "Cách chọn trọng số", 2, "có lợi nhất cho đơn vị")(book)
        sheet = book["Tiêu chí"]
        for row in range(2, 22):
            for title, value in (("Trọng số (%)", 5), ("Trọng số nhỏ nhất (%)", 2), ("Trọng số lớn nhất (%)", 9)):
                sheet.cell(row, column(sheet, title), value)
        sheet.cell(4, column(sheet, "Trọng số lớn nhất (%)"), 4)

    found = problems(workbook(change))
    assert [(p.key.rsplit(".", 1)[1], p.row) for p in found] == [("weight_outside_bounds", 4)]


def test_duplicate_codes_name_both_rows(workbook):
    found = problems(workbook(put("Tiêu chí", "Mã", 3, "waiting")))
    texts = [p.text("vi") for p in found if p.key.endswith("duplicate_id")]
    assert len(texts) == 1
    assert "'waiting'" in texts[0]
    assert "dòng 2" in texts[0]


@pytest.mark.parametrize(
    ("title", "row", "value", "key"),
    [
        ("Từ (%)", 3, 75, "bands_overlap"),
        ("Từ (%)", 3, 85, "bands_gap"),
        ("Từ (%)", 2, 10, "bands_start"),
        ("Đến dưới (%)", 4, 99, "bands_end"),
        ("Đến dưới (%)", 3, 80, "band_reversed"),
        ("Từ (%)", 3, "tám mươi", "bad_number"),
        ("Đến dưới (%)", 4, 101, "out_of_range"),
    ],
)
def test_bands_that_do_not_tile_are_refused(workbook, title, row, value, key):
    found = problems(workbook(put("Mức xếp loại", title, row, value)))
    assert f"sheet_tables.problem.{key}" in [p.key for p in found]
    assert all(p.sheet == "Mức xếp loại" and p.row for p in found)


@pytest.mark.parametrize("value", ['=cmd|"/c calc"!A1', "@SUM(A1)", "+A1*2", "=1+1"])
def test_text_that_is_a_formula_is_refused(workbook, value):
    def change(book):
        sheet = book["Tiêu chí"]
        cell = sheet.cell(5, column(sheet, "Nội dung (tiếng Việt)"))
        cell.value, cell.data_type = value, "s"

    found = problems(workbook(change))
    assert [(p.key, p.row) for p in found] == [("sheet_tables.problem.formula", 5)]


def test_a_real_formula_is_an_empty_cell(workbook):
    found = problems(workbook(put("Tiêu chí", "Nội dung (tiếng Việt)", 5, "=1+1")))
    assert [(p.key, p.row) for p in found] == [("sheet_tables.problem.required_empty", 5)]


@pytest.mark.parametrize("value", ["Thời gian \u202egnaht", "a\u200bb"])
def test_hidden_characters_are_refused(workbook, value):
    found = problems(workbook(put("Tiêu chí", "Nội dung (tiếng Việt)", 5, value)))
    assert [p.key for p in found] == ["sheet_tables.problem.hidden_character"]


def test_endless_text_is_refused_and_not_repeated(workbook):
    found = problems(workbook(put("Quy tắc công bố", "Nội dung (tiếng Việt)", 2, "a" * 10_000)))
    assert [p.key for p in found] == ["sheet_tables.problem.too_long"]
    assert len(found[0].text("vi")) < 400


def test_missing_sheet_names_those_there_are(workbook):
    def change(book):
        del book["Mức xếp loại"]

    with pytest.raises(FrameworkError, match="Mức xếp loại"):
        load_framework(workbook(change))


def test_missing_and_unknown_columns_are_named(workbook):
    def change(book):
        sheet = book["Tiêu chí"]
        sheet.cell(1, column(sheet, "Thành phần"), "Nhóm")

    keys = [p.key for p in problems(workbook(change))]
    assert "workbook.unknown_header" in keys
    assert "workbook.missing_header" in keys


@pytest.mark.parametrize(
    ("sheet", "title", "row", "value", "key"),
    [
        ("Chung", "Số phiếu tối thiểu", 2, 9, "out_of_range"),
        ("Chung", "Số phiếu tối thiểu", 2, 10.5, "bad_number"),
        ("Chung", "Cấp", 2, "cấp tỉnh", "unknown_word"),
        ("Chung", "Cách tính chỉ số", 2, None, "unknown_word"),
        ("Chung", "Áp dụng đến ngày", 2, "31/13/2025", "bad_date"),
        ("Chung", "Độ tin cậy (%)", 2, 100, "out_of_range"),
        ("Tiêu chí", "Thành phần", 2, "khong_co", "unknown_reference"),
        ("Câu hỏi", "Tiêu chí", 2, "khong_co", "unknown_reference"),
        ("Câu hỏi", "Mã", 2, "Câu 1", "bad_id"),
        ("Bước kiến nghị", "Số ngày làm việc", 3, -3, "out_of_range"),
        ("Căn cứ", "Tình trạng kiểm chứng", 2, "chắc là đúng", "unknown_word"),
    ],
)
def test_one_wrong_cell_is_named(workbook, sheet, title, row, value, key):
    def change(book):
        page = book[sheet]
        page.cell(row, column(page, title)).value = value

    found = problems(workbook(change))
    assert f"sheet_tables.problem.{key}" in [p.key for p in found]
    assert any(p.sheet == sheet and p.row == row for p in found)


def test_criterion_without_question_and_component_without_criterion(tmp_path):
    document = (FILES / "commune.toml").read_text(encoding="utf-8")
    path = tmp_path / "khung.toml"
    extra = (
        '\n[[component]]\nid = "extra"\nvi = "Thừa"\n\n[[criterion]]\nid = "lone"\ncomponent = "access"\nvi = "Lẻ"\n'
    )
    path.write_text(document + extra, encoding="utf-8")
    keys = {p.key.rsplit(".", 1)[1] for p in problems(path)}
    assert keys == {"criterion_without_item", "component_without_criterion"}


@pytest.mark.parametrize("content", ["level = ", "\x00", 'level = "department"\ncriterion = 3\n', ""])
def test_broken_toml_is_refused(tmp_path, content):
    path = tmp_path / "khung.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FrameworkError):
        load_framework(path)


def test_unknown_keys_of_toml_are_named(tmp_path):
    document = (FILES / "commune.toml").read_text(encoding="utf-8")
    path = tmp_path / "khung.toml"
    path.write_text('mau_sac = "xanh"\n' + document.replace("[[band]]", "[[band]]\ncolour = 1", 1), encoding="utf-8")
    found = problems(path)
    assert [p.key for p in found] == ["sheet_tables.problem.unknown_key"] * 2


def test_files_that_are_none_are_refused(tmp_path):
    other = tmp_path / "khung.docx"
    other.write_text("x", encoding="utf-8")
    fake = tmp_path / "khung.xlsx"
    fake.write_bytes(b"not a workbook")
    empty = tmp_path / "trong.xlsx"
    Workbook().save(empty)
    for path in (other, fake, empty, tmp_path / "khong_co.xlsx"):
        with pytest.raises(FrameworkError):
            load_framework(path)


def test_toml_keys_are_the_columns_of_the_workbook():
    known = {t.name: {c.key for c in t.columns} for t in framework_tables()}
    document = tomllib.loads((FILES / "district.toml").read_text(encoding="utf-8"))
    for name, rows in document.items():
        if isinstance(rows, list):
            assert all(set(row) <= known[name] for row in rows)


def test_records_divide_counts_and_leave_nothing_uncounted():
    found = load_framework("department")
    on_time = next(i for i in found.indicators if i.id == "files_on_time")
    online = next(i for i in found.indicators if i.id == "online_files")
    assert found.record(on_time, {"files_on_time": 90.0, "files_resolved": 120.0}) == 0.75
    assert found.record(on_time, {"files_on_time": 0.0, "files_resolved": 0.0}) != 0.0
    assert found.record(online, {"online_share": 0.3}) == 0.3
