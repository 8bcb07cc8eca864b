"""An invented panel of PAPI's shape: 63 provinces, 2011-2024, gaps and breaks. Not one number is PAPI's."""

import csv

import numpy as np
import pandas as pd

from sipas_research.evidence.papi import PapiPanel, find_gaps
from sipas_research.evidence.papi_facts import papi_facts
from sipas_research.results import DataKind

GAPS = {(2014, "Đồng Tháp"), (2021, "Quảng Ninh"), (2024, "Tiền Giang")}
PART_GAPS = {(2018, "Bắc Ninh"): ("dim2_transparency", "dim4_corruption_control")}


def invented_rows(seed=1):
    """Return rows whose sums hold, as a frame with the columns of the file."""
    facts = papi_facts()
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 0.4, size=(len(facts.provinces), len(facts.dimensions)))
    rows = []
    for year in range(facts.first_year, facts.last_year + 1):
        for place, province in enumerate(facts.provinces):
            row = {"year": year, "province_code": province.code, "gso_code": province.gso_code}
            row |= {"province": province.name.vi, "province_en": province.name.en}
            row |= {"region": province.region, "north_south": "north" if place < 29 else "south"}
            row |= dict.fromkeys(facts.measures)
            if (year, province.name.vi) not in GAPS:
                lacking = PART_GAPS.get((year, province.name.vi), ())
                fill(row, year, level[place], lacking, rng)
            rows.append(row)
    return pd.DataFrame(rows)


def fill(row, year, level, lacking, rng):
    facts = papi_facts()
    for number, dimension in enumerate(facts.dimensions):
        if dimension.id not in facts.dimensions_in(year) or dimension.id in lacking:
            continue
        parts = dimension.parts_in(year)
        scores = np.clip(5.5 + level[number] + rng.normal(0, 0.3, len(parts)), 1.2, 9.8)
        row |= dict(zip(parts, scores.tolist(), strict=True))
        row[dimension.id] = float(scores.mean())
    wanted = facts.dimensions_in(year)
    if all(row[d] is not None for d in wanted):
        row[facts.total] = sum(row[d] for d in wanted)


def write_rows(frame, path):
    frame.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    return path


def panel_of(table, *, kind=DataKind.SIMULATED, regions=None):
    """Return a panel from {(year, province): {column: score}}; columns that are not given are empty."""
    facts = papi_facts()
    rows = []
    for (year, province), scores in table.items():
        known = facts.find(province)
        region = (regions or {}).get(province, known.region if known else "northern_mountains")
        row = {"year": year, "province": province, "region": region}
        rows.append(row | dict.fromkeys(facts.measures, np.nan) | scores)
    frame = pd.DataFrame(rows).sort_values("year", kind="stable", ignore_index=True)
    return PapiPanel(frame, kind, "invented.csv", find_gaps(frame))
