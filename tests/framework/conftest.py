"""Small surveys to estimate with: the reference file, and made-up ones of any size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sipas_research.results import DataKind
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.questionnaire import Answer, Question, Questionnaire, Scale
from sipas_research.survey.responses import Responses
from sipas_research.survey.specs import SampleDesign
from sipas_research.wording import Bilingual

REFERENCE = Path(__file__).parents[1] / "reference" / "index"
FIVE = (*(Answer(c, Bilingual(str(c))) for c in range(1, 6)), Answer(9, Bilingual("Không trả lời"), missing=True))


def make_questionnaire(scales, roles=None):
    """A questionnaire with five-point items; ``scales`` maps a scale id to its items."""
    roles = roles or {}
    likert = [Question(i, Bilingual(i), "likert", scale=s, answers=FIVE) for s, items in scales.items() for i in items]
    facts = [
        Question("respondent_id", Bilingual("Mã phiếu"), "text"),
        Question("agency", Bilingual("Đơn vị"), "text"),
        Question("stratum", Bilingual("Tầng"), "text"),
        Question("collector", Bilingual("Điều tra viên"), "text"),
        Question("site", Bilingual("Điểm"), "text"),
        Question("year", Bilingual("Năm"), "number"),
        Question("weight", Bilingual("Quyền số"), "number"),
        Question("frame_size", Bilingual("Khung mẫu"), "number"),
        Question("date", Bilingual("Ngày"), "date"),
        Question(
            "channel", Bilingual("Kênh"), "category", answers=tuple(Answer(c, Bilingual(f"k{c}")) for c in (1, 2, 3))
        ),
    ]
    named = tuple(Scale(s, Bilingual(s), roles.get(s, "factor")) for s in scales)
    return Questionnaire("test", Bilingual("Phiếu thử"), "citizen", "", named, tuple(likert + facts))


def make_responses(frame, scales, *, roles=None, agencies=(), design=None):
    questionnaire = make_questionnaire(scales, roles)
    return Responses(
        frame, questionnaire, AgencyRegister(tuple(agencies)), design or SampleDesign(), DataKind.SIMULATED, "thu.csv"
    )


@pytest.fixture
def build():
    return make_responses


@pytest.fixture
def reference():
    """A function of the sampling design that returns the reference survey."""
    frame = pd.read_csv(REFERENCE / "survey.csv")
    factors = ("access", "procedure", "staff", "result", "feedback")
    scales = {f: tuple(c for c in frame if c.startswith(f)) for f in factors}
    levels = frame.groupby("agency")["level"].first()
    frame = frame.assign(agency=frame["agency"].astype(str)).drop(columns="level")
    register = [Agency(str(code), Bilingual(f"Đơn vị {code}"), level) for code, level in levels.items()]
    return lambda **design: make_responses(frame, scales, agencies=register, design=SampleDesign(**design))


@pytest.fixture
def small():
    """A function of sizes that returns a survey: two factors of two items each, agencies a, b, ... in reverse order."""

    def make(sizes, *, seed=1, design=None, missing=0.0, answers=(2, 3, 4, 5)):
        rng = np.random.default_rng(seed)
        codes = [f"dv_{i:02d}" for i in range(len(sizes))]
        rows = sum(sizes)
        frame = pd.DataFrame({"agency": np.repeat(codes, sizes)})
        frame["weight"] = rng.uniform(0.5, 2.0, rows)
        frame["frame_size"] = np.repeat([s * 4.0 for s in sizes], sizes)
        frame["channel"] = pd.array(rng.integers(1, 4, rows), dtype="Int64")
        for item in ("a1", "a2", "b1", "b2"):
            values = rng.choice(answers, rows).astype(float)
            frame[item] = np.where(rng.uniform(size=rows) < missing, np.nan, values)
        register = [Agency(c, Bilingual(c), "department") for c in reversed(codes)]
        return make_responses(
            frame, {"a": ("a1", "a2"), "b": ("b1", "b2")}, agencies=register, design=design or SampleDesign()
        )

    return make
