"""Tables of the chapter on measurement: how many factors, total variance, adequacy by item, conventions, sentences."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import sipas_research as sr
from sipas_research import report, resources
from sipas_research.report import Finding, Table

pytestmark = pytest.mark.filterwarnings("ignore::sipas_research.errors.SipasWarning")
LANGUAGES = ("vi", "en")


@pytest.fixture(scope="module")
def citizens():
    project = sr.load_study(resources.data("twin", "study.toml"))
    return project.current(project.responses("citizens"))


@pytest.fixture(scope="module")
def retention(citizens):
    return sr.factor_retention(citizens, draws=20)


@pytest.fixture(scope="module")
def solution(citizens):
    return sr.efa(citizens, 5, method="pa", rotation="promax_spss")


@pytest.fixture(scope="module")
def spoiled(citizens):
    """The citizens with one question answered by a die."""
    noise = np.random.default_rng(2).integers(1, 6, len(citizens)).astype(float)
    return replace(citizens, frame=citizens.frame.assign(access_2=noise))


def assert_readable(table, language):
    assert isinstance(table, Table)
    words = " ".join([table.caption, *[c.label for c in table.columns], *sum(table.printed(), ()), table.note_line])
    assert not re.search(r"\bnan\b|None|[a-z]+_[a-z0-9_]+", words), words[:600]
    assert ("DỮ LIỆU MÔ PHỎNG" if language == "vi" else "SIMULATED DATA") in table.caption
    assert json.loads(json.dumps(table.payload()))["id"] == table.id
    assert sum(c.width for c in table.columns if c.width) <= 1.001


@pytest.mark.parametrize("language", LANGUAGES)
def test_retention_names_every_criterion_and_chooses_none(citizens, retention, language):
    table = report.retention_table(retention, citizens, language, designed=5)
    assert_readable(table, language)
    assert [row[1] for row in table.rows[:-1]] == [made.n_factors for made in retention.suggestions]
    assert table.rows[-1][1] == 5
    assert len(report.retention_table(retention, citizens, language).rows) == len(retention.suggestions)
    behind = report.parallel_table(retention, citizens, language)
    assert_readable(behind, language)
    most = max(made.n_factors for made in retention.suggestions)
    assert len(behind.rows) == most + 3
    assert behind.rows[0][1] == pytest.approx(retention.eigenvalues[0])
    drawn = report.retention_figure(retention, citizens, language)
    assert str(retention.parallel_pca.n_factors) in drawn.alt


def test_total_variance_follows_spss(citizens, solution):
    table = report.variance_table(solution, citizens, "vi")
    assert_readable(table, "vi")
    size = len(solution.items)
    first = table.rows[0]
    assert first[1] == pytest.approx(solution.eigenvalues[0])
    assert first[2] == pytest.approx(solution.eigenvalues[0] / size)
    last = table.rows[len(solution.factors) - 1]
    assert last[6] == pytest.approx(solution.communality.mean())
    structure = solution.structure.to_numpy()
    assert [row[7] for row in table.rows[:5]] == pytest.approx((structure**2).sum(axis=0))
    assert "chồng lên nhau" in table.note_line
    assert table.rows[5][4:] == ("",) * 4
    upright = sr.efa(citizens, 5, method="pa", rotation="varimax")
    plain = report.variance_table(upright, citizens, "vi")
    assert "chồng lên nhau" not in plain.note_line
    sums = [row[7] for row in plain.rows[:5]]
    assert sum(sums) == pytest.approx(sum(row[4] for row in plain.rows[:5]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pattern_matrix_says_what_spss_does(citizens, solution, language):
    kept = report.efa_table(solution, citizens, language)
    assert_readable(kept, language)
    assert "kappa 4" in kept.note_line
    assert ("Pattern Matrix" if language == "vi" else "Pattern matrix") in kept.title
    oblimin = report.efa_table(sr.efa(citizens, 5), citizens, language, name="modern")
    assert oblimin.id == "tbl-efa-modern"
    assert "Direct Oblimin" in oblimin.note_line
    varimax = report.efa_table(sr.efa(citizens, 5, rotation="varimax"), citizens, language)
    assert ("Rotated Factor Matrix" if language == "vi" else "Rotated factor matrix") in varimax.title
    single = report.efa_table(sr.efa(citizens, 1), citizens, language)
    assert_readable(single, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_adequacy_by_item_shows_the_largest_anti_image(citizens, language):
    found = sr.kmo(citizens)
    table = report.item_adequacy_table(found, citizens, language)
    assert_readable(table, language)
    first = found.anti_image.iloc[0].drop(found.items[0])
    assert table.rows[0][2] == pytest.approx(found.anti_image.iloc[0, 0])
    assert abs(table.rows[0][3]) == pytest.approx(first.abs().max())
    assert table.rows[0][3] == pytest.approx(first[first.abs().idxmax()])


@pytest.mark.parametrize("language", LANGUAGES)
def test_second_program_and_conventions(citizens, solution, language):
    table = report.efa_agreement_table(sr.factor_analyzer_check(solution), citizens, language)
    assert_readable(table, language)
    assert table.rows[0][1].startswith("<")
    conventions = report.measurement_conventions_table(citizens, language)
    assert_readable(conventions, language)
    assert all(all(row) for row in conventions.rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_left_after_screening_comes_from_the_other_half(citizens, spoiled, language):
    found = sr.screen_items(spoiled)
    table = report.screened_loadings_table(found, spoiled, language)
    assert_readable(table, language)
    assert table.n == found.after.n
    assert "1.2" not in {row[0] for row in table.rows}
    assert report.screened_loadings_table(sr.screen_items(citizens), citizens, language) is None
    said = report.measurement_findings(sr.reliability(spoiled), sr.efa(spoiled, 5), spoiled, language, screening=found)
    assert "1.2" in said[1].text


@pytest.mark.parametrize("language", LANGUAGES)
def test_findings_join_what_the_chapter_computed(citizens, retention, solution, language):
    fit = sr.cfa(sr.factor_model(citizens), citizens)
    validity = sr.validity(fit, bootstrap=50)
    said = report.measurement_findings(
        sr.reliability(citizens),
        solution,
        citizens,
        language,
        retention=retention,
        screening=sr.screen_items(citizens),
        validity=validity,
    )
    assert [f.role for f in said] == ["main", "finding", "limit"]
    assert "HTMT" in said[1].text
    assert sr.wording.number(validity.factors["cr_standardized"].min(), 3, language) in said[1].text


def test_reasons_travel_through_the_new_builders(citizens):
    reason = Finding("reason-efa", "vì một lẽ", "vi", citizens.data_kind, role="reason")
    assert report.retention_table(reason, citizens, "vi") is reason
    assert report.variance_table(reason, citizens, "vi") is reason
    assert report.efa_agreement_table(reason, citizens, "vi") is reason
    assert report.parallel_table(reason, citizens, "vi") is None
    assert report.retention_figure(reason, citizens, "vi") is None
    assert report.item_adequacy_table(reason, citizens, "vi") is None
    assert report.screened_loadings_table(reason, citizens, "vi") is None
    said = report.measurement_findings(
        sr.reliability(citizens), reason, citizens, "vi", retention=reason, screening=reason, validity=reason
    )
    assert "không chạy được phân tích nhân tố" in said[1].text


def test_figures_of_simulated_answers_keep_the_mark_beside_other_forms(citizens, solution):
    others = replace(citizens, data_kind=sr.DataKind.USER)
    tables = (
        report.alpha_table(sr.reliability(citizens), others, "vi"),
        report.efa_table(solution, others, "vi"),
        report.variance_table(solution, others, "vi"),
        report.phi_table(solution, others, "vi"),
        report.adequacy_table(sr.kmo(citizens), sr.bartlett_sphericity(citizens), others, "vi"),
    )
    assert all("DỮ LIỆU MÔ PHỎNG" in table.caption for table in tables)
