"""The simulated province: design, margins, spread between agencies, marks; and the files that hold it."""

import datetime
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research import resources, wording
from sipas_research.results import DataKind
from sipas_research.survey.agency_files import read_agencies
from sipas_research.survey.questionnaire_files import load_questionnaire
from sipas_research.survey.read import check_responses
from sipas_research.survey.specs import SampleDesign, SurveySpec
from sipas_research.survey.twin import calibrate, make_twin, write_twin
from sipas_research.survey.twin_truth import design, parse_truth, read_truth

FOLDER = resources.data("twin")
FACTORS = {"access": 4, "procedure": 5, "civil_servant": 6, "result": 3, "feedback": 4}
FACTOR_ITEMS = [f"{name}_{k + 1}" for name, count in FACTORS.items() for k in range(count)]


@pytest.fixture(scope="module")
def truth():
    return read_truth(FOLDER / "truth.toml")


@pytest.fixture(scope="module")
def twin(truth):
    return make_twin(truth)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_twin(tmp_path_factory.mktemp("tinh mô phỏng"))


def share(table, items, year):
    """Weighted share of answers 4-5 over all answered cells: a ratio of weighted totals."""
    rows = table[table["year"] == year]
    answers = rows[items].astype(float).where(rows[items] != 9).to_numpy()
    weight = np.broadcast_to(rows[["weight"]].to_numpy(), answers.shape)
    return weight[answers >= 4].sum() / weight[~np.isnan(answers)].sum()


def turned(table, survey):
    """Answers to negative statements turned, as scoring does."""
    scored = table.copy()
    for question in load_questionnaire(survey).items():
        if question.direction == -1:
            scored[question.id] = (6 - table[question.id]).where(table[question.id] != 9, 9)
    return scored


def intraclass(values, groups):
    """ICC(1) of a one-way analysis of variance with unequal groups (Shrout and Fleiss 1979; Donner 1986)."""
    table = pd.DataFrame({"value": values, "group": groups}).dropna()
    grouped = table.groupby("group")["value"]
    size = grouped.size()
    mean_size = (size.sum() - (size**2).sum() / size.sum()) / (len(size) - 1)
    between = (size * (grouped.mean() - table["value"].mean()) ** 2).sum() / (len(size) - 1)
    within = ((table["value"] - grouped.transform("mean")) ** 2).sum() / (size.sum() - len(size))
    return (between - within) / (between + (mean_size - 1) * within)


@pytest.mark.parametrize(("year", "value", "printed"), [(2020, 0.8397, "83,97%"), (2021, 0.8707, "87,07%")])
def test_index_follows_the_published_margins(twin, year, value, printed):
    found = share(twin.citizens, FACTOR_ITEMS, year)
    assert abs(found - value) < 0.00005
    assert wording.percent(found, "vi") == printed


def test_every_year_meets_its_design_index(twin, truth):
    for year in truth.years:
        assert abs(share(twin.citizens, FACTOR_ITEMS, year) - truth.by_year("margins.index", year)) < 0.00005
    assert 0.81 < share(twin.citizens, FACTOR_ITEMS, 2018) < share(twin.citizens, FACTOR_ITEMS, 2019) < 0.83
    assert 0.84 < share(twin.citizens, FACTOR_ITEMS, 2022) < 0.86


def test_three_components_fall_and_two_rise_between_2020_and_2021(twin):
    change = {
        name: 100 * (share(twin.citizens, items, 2021) - share(twin.citizens, items, 2020))
        for name in FACTORS
        for items in [[i for i in FACTOR_ITEMS if i.startswith(name)]]
    }
    for falling in ("access", "result", "feedback"):
        assert -1.0 < change[falling] < -0.3, change
    assert change["procedure"] > 5.5, change
    assert change["civil_servant"] > change["procedure"], change


def test_scales_lie_near_their_own_margins(twin, truth):
    for survey, table in (("citizens", twin.citizens), ("staff", twin.staff)):
        for scale, years in truth.part(f"margins.{survey}").items():
            items = [item.id for item in truth.items(survey) if item.scale == scale]
            scored = turned(table, survey)
            for year, wanted in years.items():
                assert abs(share(scored, items, int(year)) - wanted) < 0.006, (scale, year)


def test_negative_statements_are_held_as_they_were_answered(twin, truth):
    for survey, item in (("citizens", "oversight_4"), ("staff", "discipline_4")):
        directions = {question.id: question.direction for question in load_questionnaire(survey).items()}
        assert {row.id: row.direction for row in truth.items(survey)} == directions
        table = getattr(twin, survey)
        neighbour = item.replace("_4", "_3")
        pair = table[[item, neighbour]].astype(float).where(table[[item, neighbour]] != 9)
        assert pair.corr().iloc[0, 1] < -0.3


def test_without_calibration_the_margins_are_missed():
    raw = make_twin(design())
    assert abs(share(raw.citizens, FACTOR_ITEMS, 2021) - 0.8707) > 0.005


def test_thresholds_alone_move_the_answers(twin, truth):
    line = next(row for row in truth.text.splitlines() if row.startswith("access_1 = { 2018"))
    moved = line.replace("2018 = ", "2018 = 9").replace("9-", "-9")
    other = make_twin(parse_truth(truth.text.replace(line, moved)))
    changed = (other.citizens != twin.citizens).any()
    assert changed["access_1"]
    assert list(changed.index[changed.fillna(False)]) == ["access_1"]


def test_counts_follow_the_design(twin):
    citizens = twin.citizens
    assert citizens.groupby("year").size().to_dict() == {2018: 400, 2019: 400, 2020: 400, 2021: 400, 2022: 3000}
    assert set(citizens.loc[citizens["year"] == 2022, "agency"]) == set(twin.agencies.codes())
    assert len(twin.agencies.codes("department")) == 20
    assert len(twin.agencies.codes("district")) == 11
    assert citizens.loc[citizens["year"] == 2022].groupby("agency").size().min() >= 40
    earlier = citizens[citizens["year"] < 2022]
    sites = {"Trung tâm mô phỏng"} | {f"Bộ phận Một cửa Huyện mô phỏng {k:02d}" for k in range(1, 5)}
    assert set(earlier["site"]) == sites
    assert set(earlier["agency"]) <= set(twin.agencies.codes("department")) | {f"huyen_{k:02d}" for k in range(1, 5)}
    assert twin.staff.groupby("year").size().to_dict() == {2022: 600}
    assert twin.staff.groupby("agency").size().min() >= 12
    assert citizens["respondent_id"].is_unique
    assert twin.staff["respondent_id"].is_unique


@pytest.mark.parametrize("survey", ["citizens", "staff"])
def test_weights_agree_with_the_frame(twin, survey):
    table = getattr(twin, survey)
    strata = table.groupby("stratum").agg(
        year=("year", "first"), frame=("frame_size", "first"), frames=("frame_size", "nunique"),
        weight=("weight", "first"), weights=("weight", "nunique"), forms=("weight", "size"),
    )  # fmt: skip
    assert (strata["frames"] == 1).all()
    assert (strata["weights"] == 1).all()
    assert np.allclose(strata["weight"], strata["frame"] / strata["forms"], atol=5e-5)
    assert (strata["frame"] >= strata["forms"]).all()
    if survey == "citizens":
        assert strata.groupby("year")["frame"].sum()[2021] == 3366
        last = strata.loc[strata["year"] == 2022, "weight"]
        assert last.max() > 2 * last.min()


def test_columns_are_the_questions(twin):
    for survey in ("citizens", "staff"):
        asked = [question.id for question in load_questionnaire(survey).asked]
        assert list(getattr(twin, survey).columns) == ["data_kind", *asked]
        assert "ethnic_origin" not in asked


def test_codes_are_those_of_the_questionnaire(twin):
    for survey in ("citizens", "staff"):
        table = getattr(twin, survey)
        for question in load_questionnaire(survey).asked:
            found = set(table[question.id].dropna().unique())
            if question.answers:
                assert found <= {answer.code for answer in question.answers}, question.id
                valid = set(question.valid_codes)
                assert valid <= found or question.id == "sex", f"{question.id} lacks {valid - found}"
            if question.kind == "number":
                assert (question.minimum or 0) <= min(found)
                assert question.maximum is None or max(found) <= question.maximum


def test_spread_between_agencies(twin, truth):
    rows = twin.citizens[twin.citizens["year"] == 2022]
    for name in FACTORS:
        items = [i for i in FACTOR_ITEMS if i.startswith(name)]
        means = rows[items].astype(float).where(rows[items] != 9).mean(axis=1)
        assert 0.05 < intraclass(means, rows["agency"]) < 0.15, name
        assert 0.05 < truth.part(f"model.icc.{name}") < 0.15


def test_non_response_and_careless_respondents(twin, truth):
    items = [item.id for item in truth.items("citizens")]
    answers = twin.citizens[items]
    empty, written = answers.isna().mean(), (answers == 9).mean()
    rate = empty + written.astype(float)
    assert rate.between(0.005, 0.06).all()
    assert 0.45 < (written.sum() / rate.sum()) < 0.65
    straight = answers.nunique(axis=1).eq(1) & answers.notna().all(axis=1)
    minutes = (twin.citizens["end_time"] - twin.citizens["start_time"]).dt.total_seconds() / 60
    assert 0.018 < straight.mean() < 0.035
    assert minutes[straight].median() < 4 < minutes[~straight].median()
    assert 9 < minutes.median() < 16
    assert (twin.citizens["start_time"].dt.normalize() == twin.citizens["date"]).all()
    assert twin.citizens["date"].dt.day_of_week.max() < 5
    assert 0.001 < twin.citizens["education"].isna().mean() < 0.03


def test_records_are_consistent(twin, truth):
    records = twin.agency_years
    assert len(records) == 31 * 5
    assert not records.isna().any().any()
    citizens = twin.citizens.groupby(["year", "agency"]).size()
    assert records.set_index(["year", "agency"])["forms"].loc[citizens.index].eq(citizens).all()
    assert records.groupby("year")["frame_size"].sum()[2021] == 3366
    assert (records["petitions_answered"] <= records["petitions_received"]).all()
    assert (records["files_on_time"] <= records["files_resolved"]).all()
    levers = [*truth.part("model.staff_levers"), *truth.part("model.citizen_levers")]
    assert {f"{kind}_{name}" for kind in ("spending", "unit_cost") for name in levers} <= set(records.columns)
    for policy in truth.part("policies"):
        exposure = records.set_index(["agency", "year"])[f"policy_{policy['id']}"]
        start = datetime.date.fromisoformat(policy["start"])
        assert exposure[policy["agencies"][0], start.year - 1] == 0
        assert 0 < exposure[policy["agencies"][0], start.year] < 1
        assert set(exposure[exposure > 0].index.get_level_values(0)) == set(policy["agencies"])


def test_the_mark_and_no_real_name(files):
    real = ["Lạng Sơn", "Bắc Sơn", "Chi Lăng", "Lộc Bình", "Đình Lập", "Sở Nội vụ", "Sở Tài chính", "Sở Y tế"]
    register = resources.data("lang_son", "agencies.csv")
    if register.exists():
        real += pd.read_csv(register, encoding="utf-8-sig", dtype=str)["name_vi"].tolist()
    for path in files:
        content = path.read_bytes().decode("utf-8", errors="ignore")
        assert [name for name in real if name.casefold() in content.casefold()] == [], path.name
    for name in ("agencies.csv", "citizens.csv", "staff.csv", "agency_years.csv"):
        path = next(p for p in files if p.name == name)
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        table = pd.read_csv(path, encoding="utf-8-sig")
        assert table.columns[0] == "data_kind"
        assert set(table["data_kind"]) == {"simulated"}


def test_sav_holds_the_same_answers_with_labels(files):
    import pyreadstat

    for survey in ("citizens", "staff"):
        path = next(p for p in files if p.name == f"{survey}.sav")
        frame, meta = pyreadstat.read_sav(path, user_missing=True)
        plain = pd.read_csv(path.with_suffix(".csv"), encoding="utf-8-sig")
        numeric = plain.select_dtypes("number").columns
        assert list(frame.columns) == list(plain.columns)
        pd.testing.assert_frame_equal(frame[numeric].astype(float), plain[numeric].astype(float))
        assert meta.file_label == "DỮ LIỆU MÔ PHỎNG"
        item = load_questionnaire(survey).items()[0]
        assert meta.column_names_to_labels[item.id] == item.text.vi
        assert meta.variable_value_labels[item.id][5.0] == item.answers[4].label.vi
        assert meta.missing_ranges[item.id] == [{"lo": 9.0, "hi": 9.0}]


def digest(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha256(content if path.suffix == ".sav" else content.replace(b"\r\n", b"\n")).hexdigest()


def test_writing_again_gives_the_committed_files(files):
    assert len(files) == 8
    assert {path.name: digest(path) for path in files} == {path.name: digest(FOLDER / path.name) for path in files}


def test_an_edited_study_file_is_kept(tmp_path):
    (tmp_path / "study.toml").write_text("# của tôi", encoding="utf-8")
    write_twin(tmp_path)
    assert (tmp_path / "study.toml").read_text(encoding="utf-8") == "# của tôi"


def test_another_seed_meets_the_same_margins():
    other = make_twin(calibrate(design(7)))
    assert abs(share(other.citizens, FACTOR_ITEMS, 2021) - 0.8707) < 0.00005
    assert other.truth.seed == 7
    assert share(other.citizens, ["access_1"], 2022) != share(make_twin().citizens, ["access_1"], 2022)


@pytest.mark.parametrize("survey", ["citizens", "staff"])
def test_both_file_types_are_read_without_a_problem(survey):
    frames = []
    for suffix in (".csv", ".sav"):
        path = FOLDER / f"{survey}{suffix}"
        design_columns = SampleDesign("weight", "stratum", "", "frame_size")
        spec = SurveySpec(
            survey, path, load_questionnaire(survey), read_agencies(FOLDER / "agencies.csv"), DataKind.SIMULATED,
            design=design_columns,
        )  # fmt: skip
        report = check_responses(path, spec)
        assert report.problems == ()
        assert report.n_rejected == 0
        assert report.responses.data_kind is DataKind.SIMULATED
        frames.append(report.responses.frame)
    pd.testing.assert_frame_equal(frames[0], frames[1], check_dtype=False)
