"""A small questionnaire and raw tables for the tests of mapping and checking."""

from pathlib import Path

import numpy as np
import pandas as pd

from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.questionnaire import Alias, Answer, Question, Questionnaire, Scale
from sipas_research.survey.raw_table import RawTable, is_simulated
from sipas_research.survey.specs import SurveySpec
from sipas_research.wording import Bilingual

LEVELS = ("Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng")
ENGLISH = ("Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied")
SATISFACTION = (
    *(Answer(code, Bilingual(vi, en)) for code, (vi, en) in enumerate(zip(LEVELS, ENGLISH, strict=True), start=1)),
    Answer(9, Bilingual("Không trả lời / không biết", "No answer / don't know"), missing=True),
)
TEXTS = {
    "access_1": "Nơi ngồi chờ có đủ chỗ ngồi",
    "access_2": "Trang thiết bị phục vụ đầy đủ",
    "access_3": "Trang thiết bị dễ sử dụng",
    "result_1": "Kết quả đúng quy định",
    "result_2": "Kết quả có thông tin đầy đủ",
}


def likert(question_id, **options):
    return Question(
        question_id,
        Bilingual(TEXTS[question_id]),
        "likert",
        scale=question_id.split("_")[0],
        answers=SATISFACTION,
        **options,
    )


QUESTIONNAIRE = Questionnaire(
    "small",
    Bilingual("Phiếu nhỏ", "Small form"),
    "citizen",
    "2017-2021",
    (
        Scale("access", Bilingual("Tiếp cận", "Access"), "factor"),
        Scale("result", Bilingual("Kết quả", "Result"), "factor"),
    ),
    (
        Question("respondent_id", Bilingual("Mã phiếu", "Form number"), "text"),
        Question("year", Bilingual("Năm", "Year"), "number", minimum=2000, maximum=2100),
        Question("agency", Bilingual("Đơn vị được đánh giá", "Agency"), "text", required=True),
        Question("weight", Bilingual("Quyền số", "Weight"), "number", minimum=0),
        Question(
            "sex",
            Bilingual("Giới tính", "Sex"),
            "category",
            answers=(Answer(1, Bilingual("Nam", "Male")), Answer(2, Bilingual("Nữ", "Female"))),
        ),
        Question("start_time", Bilingual("Giờ bắt đầu", "Start"), "datetime"),
        Question("end_time", Bilingual("Giờ kết thúc", "End"), "datetime"),
        Question(
            "ethnic_origin",
            Bilingual("Dân tộc", "Ethnic origin"),
            "category",
            answers=(Answer(1, Bilingual("Kinh")), Answer(2, Bilingual("Tày"))),
            personal="sensitive",
            enabled=False,
        ),
        likert("access_1", aliases=(Alias("cau7", 2021), Alias("cau5", 2020), Alias("Câu 7"))),
        likert("access_2"),
        likert("access_3"),
        likert("result_1"),
        likert("result_2"),
    ),
)
ITEMS = tuple(TEXTS)
REGISTER = AgencyRegister(
    (
        Agency("so_01", Bilingual("Sở mô phỏng 01"), "department", aliases=("SMP 1",)),
        Agency("so_02", Bilingual("Sở mô phỏng 02"), "department"),
        Agency("huyen_01", Bilingual("Huyện mô phỏng 01"), "district"),
    )
)


def answers(n_rows=60, seed=1):
    """Valid answers: items that go together, three agencies in turn."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=n_rows)
    frame = pd.DataFrame({"respondent_id": [f"p{i:03d}" for i in range(n_rows)], "year": 2021.0})
    frame["agency"] = [REGISTER.agencies[i % 3].code for i in range(n_rows)]
    frame["weight"] = rng.uniform(0.5, 2.0, n_rows)
    frame["sex"] = rng.integers(1, 3, n_rows).astype(float)
    for item in ITEMS:
        frame[item] = np.clip(np.rint(3.5 + level + 0.5 * rng.normal(size=n_rows)), 1, 5)
    return frame


def table(frame, **options):
    """A raw table with object columns wherever there is text, as reading makes them."""
    cells = frame.reset_index(drop=True)
    cells = pd.DataFrame({c: _as_read(cells[c]) for c in cells})
    return RawTable(options.pop("name", "phieu.csv"), cells, simulated=is_simulated(cells), **options)


def _as_read(column):
    if pd.api.types.is_float_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return column
    return pd.Series([None if pd.isna(v) else v for v in column], dtype=object)


def spec(**options):
    base = {
        "name": "citizens",
        "file": Path("phieu.csv"),
        "questionnaire": QUESTIONNAIRE,
        "agencies": REGISTER,
        "data_kind": DataKind.USER,
        "max_rejected_share": 0.5,
    }
    return SurveySpec(**{**base, **options})
