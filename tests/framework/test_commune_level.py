"""Communes are a level like any other: in the register's file and in the index by level."""

import numpy as np
import pandas as pd

from sipas_research.framework.index import satisfaction_index
from sipas_research.survey.agencies import Agency, AgencyRegister
from sipas_research.survey.agency_files import read_agencies, write_agencies_xlsx
from sipas_research.wording import Bilingual

REGISTER = AgencyRegister(
    (
        Agency("so", Bilingual("Sở mô phỏng"), "department"),
        Agency("xa_1", Bilingual("Xã mô phỏng 1"), "commune", "2025-07-01"),
        Agency("xa_2", Bilingual("Phường mô phỏng 2"), "commune", "2025-07-01"),
        Agency("huyen", Bilingual("Huyện mô phỏng"), "district", "", "2025-06-30"),
    ),
    "don_vi.xlsx",
)


def test_index_by_level_with_communes_from_a_file(build, tmp_path):
    register = read_agencies(write_agencies_xlsx(REGISTER, tmp_path / "don_vi.xlsx"))
    assert register == REGISTER
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"agency": np.repeat(["xa_1", "xa_2", "so", "huyen"], 30)})
    for item in ("a1", "a2"):
        frame[item] = rng.integers(2, 6, len(frame)).astype(float)
    index = satisfaction_index(build(frame, {"a": ("a1", "a2")}, agencies=register.agencies), by="level")
    assert index.groups == ("department", "district", "commune")
    shown = {row.group: row for row in index.rows if row.term == "index"}
    both = frame["agency"].isin(["xa_1", "xa_2"])
    expected = float((frame.loc[both, ["a1", "a2"]] >= 4).to_numpy().mean())
    assert shown["commune"].n == 60
    assert abs(shown["commune"].estimate - expected) < 1e-12
    # A district's answers stay the district's.
    district = float((frame.loc[frame["agency"] == "huyen", ["a1", "a2"]] >= 4).to_numpy().mean())
    assert abs(shown["district"].estimate - district) < 1e-12
