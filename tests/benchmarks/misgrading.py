"""Share of agencies that different bands misgrade over 1,000 simulated years of the simulated province.

Run by hand: ``python tests/benchmarks/misgrading.py``.
"""

import numpy as np

import sipas_research as sr
from sipas_research import resources
from sipas_research.framework.bands import make_bands
from sipas_research.framework.class_errors import misgraded
from sipas_research.wording import Bilingual

CUTS = ((0.8,), (0.85,), (0.9,), (0.8, 0.9), (0.75, 0.85, 0.95), (0.8, 0.85, 0.9, 0.95))
YEARS = 1000


def main():
    study = sr.load_study(resources.data("twin", "study.toml"))
    responses = study.current(study.responses("citizens"))
    index = sr.satisfaction_index(responses, by="agency")
    sets = {
        " ".join(f"{100 * c:.0f}" for c in cuts): make_bands(cuts, [Bilingual(str(n)) for n in range(len(cuts) + 1)])
        for cuts in CUTS
    }
    for family in ("department", "district"):
        found = misgraded(index, sets, rng=np.random.default_rng(20221), family=family, years=YEARS)
        print(f"{family}: {found.n_groups} agencies, spread of true values {found.spread:.3f} (logit)")
        print("cuts            rule       misgraded  MC error  90% of years    open   right  changed")
        for row in found.rows:
            years = f"{row.wrong_low:.3f}-{row.wrong_high:.3f}"
            print(
                f"{row.bands:<15} {row.rule:<10} {row.wrong:9.4f} {row.wrong_error:9.4f}  {years:>12} "
                f"{row.open:7.3f} {row.right:7.3f} {row.changed:8.4f}"
            )


if __name__ == "__main__":
    main()
