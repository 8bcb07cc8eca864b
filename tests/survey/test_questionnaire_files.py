import openpyxl
import pytest

from sipas_research.errors import QuestionnaireError
from sipas_research.survey.questionnaire import Alias
from sipas_research.survey.questionnaire_files import (
    load_questionnaire,
    load_questionnaires,
    write_questionnaire_xlsx,
)
from sipas_research.survey.questionnaire_tables import join_aliases, meaning, sheet_columns, split_aliases

CITIZENS = load_questionnaire("citizens")
STAFF = load_questionnaire("staff")

TOML = """
id = "mini"
title_vi = "Phiếu nhỏ"
respondent = "người dân"

[[answers]]
id = "mức"
levels = [{ code = 1, vi = "Kém" }, { code = 2, vi = "Tốt" }, { code = 9, vi = "Không biết", missing = true }]

[[scale]]
id = "chung"
vi = "Chung"
role = "nhân tố"

[[question]]
id = "a"
vi = "Câu a"
kind = "thang đo"
scale = "chung"
answers = "mức"
direction = -1
aliases = ["x; y", "2021: z"]

[[question]]
id = "b"
vi = "Câu b"
kind = "số"
minimum = 0.5
maximum = "7,5"
personal = "nhạy cảm"
reason_vi = "vì"
"""


def toml(tmp_path, *changes):
    source = TOML
    for old, new in changes:
        assert old in source
        source = source.replace(old, new, 1)
    path = tmp_path / "mini.toml"
    path.write_text(source, encoding="utf-8")
    return path


def edited(tmp_path, *changes):
    """Write both packaged forms, then change cells: (sheet, cell, value)."""
    path = write_questionnaire_xlsx([CITIZENS, STAFF], tmp_path / "cau_hoi.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet, cell, value in changes:
        book[sheet][cell] = value
    book.save(path)
    return path


def column(key):
    return "ABCDEFGHIJKLMNOP"[[c.key for c in sheet_columns("questions")].index(key)]


def row_of(question_id, form=CITIZENS):
    return 2 + [q.id for q in form.questions].index(question_id) + (0 if form is CITIZENS else len(CITIZENS.questions))


def refused(path):
    with pytest.raises(QuestionnaireError) as caught:
        load_questionnaires(path)
    assert caught.value.key == "questionnaire.files.invalid"
    return caught.value


def test_toml_to_xlsx_and_back_gives_equal_questionnaires(tmp_path):
    path = write_questionnaire_xlsx([CITIZENS, STAFF], tmp_path / "cau_hoi.xlsx")
    assert load_questionnaires(path) == {"citizens": CITIZENS, "staff": STAFF}
    assert load_questionnaire(path, form="staff") == STAFF
    assert path.read_bytes() == write_questionnaire_xlsx([CITIZENS, STAFF], tmp_path / "b.xlsx").read_bytes()
    assert openpyxl.load_workbook(path).sheetnames[:4] == ["Câu hỏi", "Thang đo", "Mức trả lời", "Phiếu"]


def test_small_toml(tmp_path):
    form = load_questionnaire(toml(tmp_path))
    item, number = form.questions
    assert (item.kind, item.direction, item.valid_codes, item.missing_codes) == ("likert", -1, (1, 2), (9,))
    assert item.aliases == (Alias("x; y"), Alias("z", 2021))
    assert (number.minimum, number.maximum, number.personal) == (0.5, 7.5, "sensitive")
    assert not number.enabled, "a sensitive question is off unless it is switched on"
    again = write_questionnaire_xlsx(form, tmp_path / "a.xlsx")
    assert load_questionnaire(again) == form


def test_words_in_either_language():
    assert meaning("role", "nhân tố") == meaning("role", "Factor") == meaning("role", "NHAN TO") == "factor"
    assert meaning("flag", "có") == meaning("flag", "yes") == meaning("flag", "True") == "yes"
    assert meaning("personal", "Cơ bản") == "basic"
    assert meaning("direction", "-1") == meaning("direction", "nghịch") == "-1"
    assert meaning("direction", "1") == "1"
    assert meaning("direction", "\u22121") is None
    assert meaning("kind", "bảng") is None


def test_english_headers_and_words_are_read(tmp_path):
    path = edited(
        tmp_path,
        ("Câu hỏi", "B1", "QUESTION ID"),
        ("Câu hỏi", f"{column('kind')}{row_of('access_1')}", "likert"),
        ("Câu hỏi", f"{column('enabled')}{row_of('access_1')}", "No"),
    )
    form = load_questionnaire(path, form="citizens")
    assert not form.question("access_1").enabled
    assert form.question("access_1").answers == CITIZENS.question("access_1").answers


def test_all_wrong_cells_are_listed_with_their_place(tmp_path):
    first = row_of("access_1")
    places = {
        "id": ("bad_id", "Access 2", first + 1),
        "scale": ("unknown_scale", "tiếp cận", first),
        "kind": ("unknown_word", "bảng", first + 2),
        "answers": ("required_empty", None, first + 3),
        "minimum": ("bad_number", "từ 0", first + 4),
        "enabled": ("unknown_word", "chắc", first + 5),
        "vi": ("required_empty", None, first + 6),
        "form": ("unknown_form", "dân", first + 7),
        "reason_vi": ("reason_missing", None, row_of("sex")),
    }
    changes = [("Câu hỏi", f"{column(key)}{row}", value) for key, (_, value, row) in places.items()]
    error = refused(edited(tmp_path, *changes))
    titles = {c.key: c.title.vi for c in sheet_columns("questions")}
    found = {(p.key.rsplit(".", 1)[1], p.row, p.column) for p in error.problems}
    assert found == {(name, row, titles[key]) for key, (name, _, row) in places.items()}
    assert {p.file for p in error.problems} == {"cau_hoi.xlsx"}
    assert {p.sheet for p in error.problems} == {"Câu hỏi"}
    message = error.message("vi")
    assert f"Tệp 'cau_hoi.xlsx', trang 'Câu hỏi', dòng {first}, cột 'Thang đo': nhận được 'tiếp cận'" in message
    assert "access, procedure, civil_servant" in message
    assert "thang đo, phân loại, số" in message
    assert "scale, category, number" in error.message("en")


def test_duplicate_ids_name_both_rows(tmp_path):
    row = row_of("access_2")
    error = refused(edited(tmp_path, ("Câu hỏi", f"B{row}", "access_1")))
    (problem,) = error.problems
    assert (problem.key, problem.row, problem.value) == ("questionnaire.problem.duplicate_id", row, "access_1")
    assert f"dòng {row - 1}" in problem.text("vi")


def test_wrong_answer_sets_and_scales(tmp_path):
    error = refused(
        edited(
            tmp_path,
            ("Mức trả lời", "B2", "một"),
            ("Mức trả lời", "B4", 2),
            ("Thang đo", "E2", "trụ cột"),
            ("Phiếu", "D3", "khách"),
        )
    )
    found = {(p.sheet, p.row, p.key.rsplit(".", 1)[1]) for p in error.problems}
    assert {("Mức trả lời", 2, "bad_code"), ("Thang đo", 2, "unknown_word"), ("Phiếu", 3, "unknown_word")} <= found


@pytest.mark.parametrize(
    ("change", "name", "column_name"),
    [
        (('code = 2, vi = "Tốt"', 'code = 2, vi = "Tốt", missing = true'), "too_few_codes", "answers"),
        (('code = 9, vi = "Không biết"', 'code = 1, vi = "Không biết"'), "duplicate_code", "code"),
        (("minimum = 0.5", "minimum = 8"), "minimum_above_maximum", "minimum"),
        (("minimum = 0.5", 'scale = "chung"'), "scale_not_used", "scale"),
        (("minimum = 0.5", 'answers = "mức"'), "only_missing_codes", "answers"),
        (('reason_vi = "vì"', ""), "reason_missing", "reason_vi"),
        (('vi = "Câu b"', 'noi_dung = "x"\nvi = "Câu b"'), "unknown_key", "noi_dung"),
        (('role = "nhân tố"', ""), "unknown_word", "role"),
    ],
)
def test_rules_in_toml_name_the_line(tmp_path, change, name, column_name):
    error = refused(toml(tmp_path, change))
    (problem,) = error.problems
    assert (problem.key, problem.column) == (f"questionnaire.problem.{name}", column_name)
    header = problem.sheet
    assert TOML.splitlines()[problem.row - 1] == header
    for language in ("vi", "en"):
        assert "mini.toml" in problem.text(language)


def test_a_form_without_items_is_refused(tmp_path):
    error = refused(toml(tmp_path, ("direction = -1", "enabled = false")))
    assert [p.key for p in error.problems] == ["questionnaire.problem.no_items"]


def test_broken_files(tmp_path):
    (tmp_path / "a.toml").write_text("id = ", encoding="utf-8")
    (tmp_path / "b.toml").write_bytes("id = 'Sở'".encode("utf-16"))
    (tmp_path / "c.docx").touch()
    for name, key in (("a.toml", "bad_toml"), ("b.toml", "bad_toml"), ("c.docx", "wrong_type"), ("d", "not_found")):
        with pytest.raises(QuestionnaireError) as caught:
            load_questionnaire(tmp_path / name)
        assert caught.value.key == f"questionnaire.files.{key}"
        assert name in str(caught.value)
    error = refused(toml(tmp_path, ("[[scale]]", "[scale]")))
    assert error.problems[0].key == "questionnaire.problem.not_a_table"


def test_the_form_must_be_named_where_there_are_several(tmp_path):
    path = write_questionnaire_xlsx([CITIZENS, STAFF], tmp_path / "cau_hoi.xlsx")
    with pytest.raises(QuestionnaireError, match="citizens, staff"):
        load_questionnaire(path)
    with pytest.raises(QuestionnaireError, match="'doanh_nghiep'"):
        load_questionnaire(path, form="doanh_nghiep")


def test_aliases_survive_semicolons_and_years():
    pairs = [("a; b", 0), ("2019: c", 0), ("d", 2020), ("e", 0)]
    assert split_aliases(join_aliases(pairs)) == pairs
    assert split_aliases("Câu 7; 2019: Câu 5;; ") == [("Câu 7", 0), ("Câu 5", 2019)]
