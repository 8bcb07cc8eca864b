"""Tables of coefficients as a fitted model gives them, written from model text with drawn values."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sipas_research.results import DataKind

COLUMNS = [
    "lhs", "op", "rhs", "level", "group", "label", "estimate", "std_error", "statistic", "p_value", "conf_low",
    "conf_high", "std_lv", "std_all", "note",
]  # fmt: skip


@dataclass(frozen=True)
class FakeFit:
    """What a diagram needs of a fit."""

    frame: pd.DataFrame
    data_kind: DataKind = DataKind.USER

    def tidy(self) -> pd.DataFrame:
        return self.frame


def coefficient(lhs, op, rhs, std, *, p=0.0001, fixed=False, group="", level=1, estimate=None):
    p = math.nan if fixed else p
    estimate = estimate if estimate is not None else 1.0 if fixed and op == "=~" else std
    values = [estimate, 0.0 if fixed else 0.05, math.nan, p, math.nan, math.nan, std, std, "fixed" if fixed else ""]
    return dict(zip(COLUMNS, [lhs, op, rhs, level, group, "", *values], strict=True))


def table(rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def terms(text):
    for line in filter(None, (line.strip() for line in text.splitlines())):
        op = next(o for o in ("=~", "~~", "~") if o in line)
        left, right = line.split(op)
        for lhs, (place, rhs) in itertools.product(left.split("+"), enumerate(right.split("+"))):
            yield lhs.strip(), op, rhs.strip(), op == "=~" and place == 0


def fitted(text, *, kind=DataKind.USER, group="", level=1, seed=1):
    """Return a fit of model text: exogenous latent variables correlate, marker loadings are fixed."""
    rng = np.random.default_rng(seed)
    rows = list(terms(text))
    ends = {r[0] for r in rows if r[1] == "~"} | {r[2] for r in rows if r[1] == "=~"}
    known = {frozenset(r[0:3:2]) for r in rows if r[1] == "~~"}
    free = [n for n in dict.fromkeys(r[0] for r in rows if r[1] == "=~") if n not in ends]
    rows += [(a, "~~", b, False) for a, b in itertools.combinations(free, 2) if frozenset((a, b)) not in known]
    low, high = {"=~": (0.5, 0.9), "~": (-0.2, 0.6), "~~": (-0.1, 0.7)}, (0.0001, 0.002, 0.03, 0.3)
    found = []
    for lhs, op, rhs, fixed in rows:
        std, p = float(rng.uniform(*low[op])), float(rng.choice(high))
        found.append(coefficient(lhs, op, rhs, std, p=p, fixed=fixed, group=group, level=level))
    for name in dict.fromkeys(n for r in rows for n in (r[0], r[2])):
        std = float(rng.uniform(0.2, 0.8)) if name in ends else 1.0
        found.append(coefficient(name, "~~", name, std, group=group, level=level))
        found.append(coefficient(name, "~1", "", 0.1, group=group, level=level))
    return FakeFit(table(found), kind)


def measured(**sizes):
    return "\n".join(f"{name} =~ " + " + ".join(f"{name}{i}" for i in range(1, n + 1)) for name, n in sizes.items())


FACTORS = {"access": 4, "procedure": 5, "staff": 6, "result": 3, "feedback": 4}
LEVERS = {"pay": 4, "training": 4, "digital": 4, "oversight": 4}
MODELS = {
    "nine factors": measured(access=4, procedure=5, staff=6, result=4, feedback=4, pay=5, training=4, digital=5,
                             oversight=4),
    "levers": measured(**FACTORS, **LEVERS, sat=3)
    + "\naccess + procedure + staff + result + feedback ~ pay + training + digital + oversight"
    + "\nsat ~ access + procedure + staff + result + feedback + digital + oversight"
    + "\naccess ~~ procedure + staff + result + feedback\nprocedure ~~ staff + result + feedback"
    + "\nstaff ~~ result + feedback\nresult ~~ feedback",
    "three factors": measured(visual=3, textual=3, speed=3),
    "second order": measured(visual=3, textual=3, speed=3) + "\ng =~ visual + textual + speed",
    "second order in a structure": measured(access=4, procedure=4, staff=5, trust=3, sat=3)
    + "\nquality =~ access + procedure + staff\nsat ~ quality + digital\ntrust ~ sat + quality\ndigital ~~ quality",
    "democracy": "ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\n"
    "dem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8",
    "observed": "trust ~ quality + price\nloyalty ~ trust + quality + image\nbuy ~ loyalty + trust + price\n"
    "quality ~~ price + image\nprice ~~ image",
    "causes": measured(visual=3, textual=3, speed=3) + "\nvisual + textual + speed ~ age + sex\nage ~~ sex\n"
    "visual ~~ textual + speed\ntextual ~~ speed\nx1 ~ sex",
    "one": "f =~ x1 + x2 + x3 + x4\nx1 ~~ x2",
    "bifactor": "g =~ " + " + ".join(f"x{i}" for i in range(1, 13)) + "\ns1 =~ x1 + x2 + x3 + x4\n"
    "s2 =~ x5 + x6 + x7 + x8\ns3 =~ x9 + x10 + x11 + x12",
    "crossed": "f1 =~ a1 + a2 + a3 + b1\nf2 =~ b1 + b2 + b3\nf3 =~ c1 + c2 + c3 + a1\na1 ~~ c2\na2 ~~ a3",
    "circle": measured(f1=3, f2=3, f3=3) + "\nf2 ~ f1 + f3\nf3 ~ f2 + z\nf1 ~~ z",
}  # fmt: skip
LONG = {
    "access": "Khả năng tiếp cận dịch vụ hành chính công",
    "procedure": "Thủ tục hành chính",
    "staff": "Công chức trực tiếp giải quyết công việc",
    "result": "Kết quả cung ứng dịch vụ hành chính công",
    "feedback": "Tiếp nhận, xử lý góp ý, phản ánh, kiến nghị",
    "pay": "Chính sách đãi ngộ",
    "training": "Đào tạo, bồi dưỡng",
    "digital": "Hạ tầng số và trang thiết bị",
    "oversight": "Giám sát, thanh tra, kiểm tra",
    "sat": "Hài lòng chung",
}
