"""The register of results: forward steps only, roles instead of names, and the gate before anything public."""

import pytest
from openpyxl import load_workbook

from sipas_research.errors import ReleaseError
from sipas_research.framework.results_register import (
    REGISTER_FILE,
    ROLES_OF,
    STATES,
    ResultsRegister,
    advance,
    read_register,
    require_public,
    write_register,
)

STEPS = (
    ("draft", "2023-01-05", "compiler", "", "Lập dự thảo"),
    ("sent", "2023-01-10", "compiler", "", "Gửi 20 đơn vị"),
    ("petitions", "2023-02-01", "panel", "", "Không có kiến nghị"),
    ("approved", "2023-02-10", "approver", "Quyết định số 10/QĐ-UBND", "Ký duyệt"),
    ("published", "2023-02-10", "publisher", "", "Đăng trên cổng thông tin"),
)


def take(path, count, *, year=2022, level="department"):
    for state, date, role, document, what in STEPS[:count]:
        advance(path, year=year, level=level, state=state, date=date, role=role, document=document, what=what)
    return read_register(path)


def refused(path, **changes):
    before = path.read_bytes() if path.is_file() else None
    step = {"year": 2022, "level": "department", "state": "sent", "date": "2023-01-10", "role": "compiler", "what": "x"}
    with pytest.raises(ReleaseError) as caught:
        advance(path, **{**step, **changes})
    assert (path.read_bytes() if path.is_file() else None) == before
    return [p.key.rsplit(".", 1)[1] for p in caught.value.problems]


@pytest.fixture
def path(tmp_path):
    return tmp_path / REGISTER_FILE


def test_no_file_is_a_draft(path):
    found = read_register(path)
    assert found.entries == ()
    assert found.state(2022, "department") == "draft"
    assert "dự thảo" in found.line(2022, "department", "vi")
    with pytest.raises(ReleaseError, match="ký duyệt trước"):
        require_public(found, 2022)


@pytest.mark.parametrize("count", range(1, 6))
def test_public_from_approval_on(path, count):
    found = take(path, count)
    assert found.state(2022, "department") == STATES[count - 1]
    assert [e.state for e in found.history(2022, "department")] == list(STATES[:count])
    if count < 4:
        with pytest.raises(ReleaseError) as caught:
            require_public(found, 2022, ["department"])
        assert len(caught.value.problems) == 1
    else:
        require_public(found, 2022, ["department"])


def test_every_level_in_the_pack_must_be_signed(path):
    found = take(path, 5)
    with pytest.raises(ReleaseError) as caught:
        require_public(found, 2022)
    assert len(caught.value.problems) == 2
    assert "cấp xã: dự thảo" in str(caught.value)
    with pytest.raises(ReleaseError):
        require_public(found, 2021, ["department"])


@pytest.mark.parametrize("state", ["petitions", "approved", "published"])
def test_no_step_is_left_out(path, state):
    take(path, 1)
    keys = refused(path, state=state, role=ROLES_OF[state][0], document="1/QĐ")
    assert keys == ["order"]


@pytest.mark.parametrize("state", ["draft", "sent", "petitions"])
def test_no_step_goes_back(path, state):
    take(path, 4)
    assert refused(path, state=state, role=ROLES_OF[state][0], date="2023-03-01") == ["order"]


def test_first_step_is_the_draft(path):
    assert refused(path, state="sent") == ["order"]
    assert not path.is_file()


def test_dates_do_not_go_back(path):
    take(path, 1)
    assert refused(path, date="2023-01-04") == ["date_before"]
    assert refused(path, date="hôm nay") == ["bad_date"]


@pytest.mark.parametrize("role", ["Nguyễn Văn A", "approver", ""])
def test_a_role_that_may_not_take_the_step_is_refused(path, role):
    take(path, 1)
    assert refused(path, role=role) in (["unknown_word"], ["role"])


def test_approval_needs_a_decision(path):
    take(path, 3)
    assert refused(path, state="approved", role="approver", date="2023-02-10") == ["document"]


def test_a_formula_in_a_step_is_refused(path):
    take(path, 1)
    assert refused(path, what="=HYPERLINK(1)") == ["formula"]


def test_years_and_levels_go_their_own_way(path):
    take(path, 5)
    found = take(path, 1, level="commune")
    assert found.state(2022, "commune") == "draft"
    assert found.state(2022, "department") == "published"
    found = take(path, 2, year=2023)
    assert found.state(2023, "department") == "sent"


def test_same_steps_same_bytes(tmp_path):
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    take(first, 5)
    write_register(read_register(first), second)
    assert first.read_bytes() == second.read_bytes()
    assert read_register(second).entries == read_register(first).entries


def test_a_register_that_was_tampered_with_is_refused(path):
    take(path, 5)
    book = load_workbook(path)
    sheet = book["Trạng thái kết quả"]
    sheet.delete_rows(4)  # the petitions
    book.save(path)
    with pytest.raises(ReleaseError) as caught:
        read_register(path)
    assert caught.value.problems[0].row == 4
    with pytest.raises(ReleaseError):
        advance(path, year=2023, level="department", state="draft", date="2024-01-01", role="compiler", what="x")


def test_an_open_register_is_not_written_twice(path):
    take(path, 1)
    path.with_name("~$" + path.name).write_text("x", encoding="utf-8")
    assert refused(path) == []
    assert not path.with_name(f"{path.stem} (2).xlsx").exists()


def test_the_line_carries_state_date_role_and_document(path):
    found = take(path, 4)
    line = found.line(2022, "department", "vi")
    assert "đã ký duyệt" in line
    assert "10/02/2023" in line
    assert "người có thẩm quyền phê duyệt" in line
    assert "Quyết định số 10/QĐ-UBND" in line
    assert "10 February 2023" in found.line(2022, "department", "en")
    assert ResultsRegister().line(2020, "commune", "en").startswith("Results of communes, 2020: draft")
