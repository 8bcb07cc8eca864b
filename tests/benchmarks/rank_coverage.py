"""Coverage of rank sets and of the plain bootstrap of ranks.

python tests/benchmarks/rank_coverage.py [--runs N] [--picture FILE]

Twenty units. "joint": all true ranks inside at once; "worst": the unit covered least often, each set taken alone;
"top": the set for the first three holds all units that may be called first three; "width": mean number of ranks in a
set. A unit tied with others has several true ranks: a set must hold all of them. The plain bootstrap redraws the
estimates around themselves and takes percentiles of the ranks. Agencies: people's answers drawn as they are, variances
estimated, logit scale.
"""

import argparse

import numpy as np

from sipas_research.numerics.rank_sets import logit_scale, rank_sets

UNITS, TOP, DRAWS = 20, 3, 2_000
SPREAD = np.tile([0.6, 1.0, 1.4, 0.8], UNITS // 4)


def normal(truth, correlation=0.0):
    """Normal estimates with known variances that differ between units, equally correlated."""
    matrix = np.outer(SPREAD, SPREAD) * (correlation + (1 - correlation) * np.eye(UNITS))
    root = np.linalg.cholesky(matrix)

    def draw(generator):
        return truth + root @ generator.standard_normal(UNITS), matrix, None

    return truth, draw


def people(shares, count, answers=22, agreement=0.25):
    """Shares of satisfied answers of ``count`` people a unit; a person's answers go together (beta-binomial)."""
    shares = np.asarray(shares)
    size = (1 - agreement) / agreement

    def draw(generator):
        own = generator.beta(shares * size, (1 - shares) * size, size=(count, UNITS))
        given = generator.binomial(answers, own) / answers
        estimate, variance = given.mean(axis=0), given.var(axis=0, ddof=1) / count
        values, matrix = logit_scale(np.clip(estimate, 1e-6, 1 - 1e-6), np.diag(np.maximum(variance, 1e-12)))
        return values, matrix, np.full(UNITS, count - 1.0)

    return shares, draw


def scenarios():
    even = np.arange(UNITS, dtype=float)
    shares = 0.8 + 0.1 * np.linspace(-1, 1, UNITS)
    return {
        "all tied": normal(np.zeros(UNITS)),
        "four tied groups of five": normal(np.repeat([0.0, 4.0, 8.0, 12.0], 5)),
        "near ties (0.1 apart)": normal(0.1 * even),
        "one apart": normal(even),
        "ten apart": normal(10.0 * even),
        "near ties, correlation 0.6": normal(0.1 * even, 0.6),
        "agencies, 80 people, all tied": people(np.full(UNITS, 0.85), 80),
        "agencies, 80 people, 70-90%": people(shares, 80),
        "agencies, 20 people, all tied": people(np.full(UNITS, 0.85), 20),
    }


def true_ranks(values):
    above, below = values[None, :] > values[:, None], values[None, :] < values[:, None]
    return np.column_stack([1 + above.sum(axis=1), len(values) - below.sum(axis=1)])


def bootstrap(estimates, matrix, generator):
    drawn = estimates + generator.standard_normal((DRAWS // 4, UNITS)) @ np.linalg.cholesky(matrix).T
    order = np.argsort(np.argsort(-drawn, axis=1), axis=1) + 1  # no ties in continuous draws
    return np.quantile(order, [0.025, 0.975], axis=0, method="closest_observation").T


def measure(truth, draw, runs, seed=1):
    generator = np.random.default_rng(seed)
    ranks = true_ranks(truth)
    may_be_top = ranks[:, 0] <= TOP
    found = {"joint": [], "alone": [], "boot": []}
    top, width = [], {"joint": [], "boot": []}
    for _ in range(runs):
        values, matrix, df = draw(generator)
        sets = rank_sets(values, matrix, generator=generator, draws=DRAWS, df=df)
        for name, ends in (
            ("joint", sets.simultaneous),
            ("alone", sets.marginal),
            ("boot", bootstrap(values, matrix, generator)),
        ):
            found[name].append((ends[:, 0] <= ranks[:, 0]) & (ends[:, 1] >= ranks[:, 1]))
            if name in width:
                width[name].append((ends[:, 1] - ends[:, 0] + 1).mean())
        top.append(bool(np.all(sets.simultaneous[may_be_top, 0] <= TOP)))
    return {
        "joint": np.mean([f.all() for f in found["joint"]]),
        "worst": np.mean(found["alone"], axis=0).min(),
        "top": np.mean(top),
        "width": np.mean(width["joint"]),
        "boot joint": np.mean([f.all() for f in found["boot"]]),
        "boot worst": np.mean(found["boot"], axis=0).min(),
        "boot width": np.mean(width["boot"]),
    }


def draw_picture(table, path, runs):
    from matplotlib import pyplot as plt

    names = list(table)
    drawing, axes = plt.subplots(figsize=(8, 0.5 * len(names) + 1.2), layout="constrained")
    marks = {
        "joint": ("o", "#0072b2"),
        "worst": ("D", "#56b4e9"),
        "boot joint": ("o", "#d55e00"),
        "boot worst": ("D", "#e69f00"),
    }
    labels = {
        "joint": "rank sets: all units at once",
        "worst": "rank sets: worst single unit",
        "boot joint": "plain bootstrap: all units at once",
        "boot worst": "plain bootstrap: worst single unit",
    }
    for name, (marker, colour) in marks.items():
        axes.plot([table[n][name] for n in names], range(len(names)), marker, color=colour, label=labels[name])
    axes.axvline(0.95, color="#5f5f5f", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-0.03, 1.03)
    axes.set_xlabel(f"share of {runs:,} runs in which the true ranks were covered (95% stated)")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.14), ncols=2, frameon=False)
    drawing.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--picture", default="")
    chosen = parser.parse_args()
    table = {}
    print(
        f"{'':34}"
        + "".join(
            f"{name:>12}" for name in ("joint", "worst", "top", "width", "boot joint", "boot worst", "boot width")
        )
    )
    for name, (truth, draw) in scenarios().items():
        table[name] = measure(truth, draw, chosen.runs)
        print(f"{name:34}" + "".join(f"{value:12.3f}" for value in table[name].values()), flush=True)
    if chosen.picture:
        draw_picture(table, chosen.picture, chosen.runs)


if __name__ == "__main__":
    main()
