"""Tasks, options and grids that the experiments of several chapters share."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from companion.experiments import Experiment

from ..runs.training import Run


def doubling(first: int, last: int) -> tuple[int, ...]:
    """Returns first, 2 first, 4 first, … up to last."""
    return tuple(first * 2**i for i in range((last // first).bit_length()))


REAL_TASKS = {"αα / αβ": {"task": "same-different"}, "αβα / αββ": {"task": "aba-abb"}}
ALL_REAL_TASKS = {**REAL_TASKS, "ααββ / αβαβ": {"task": "aabb-abab"},
                  "α=1;β=-1;print(α) / …print(β)": {"task": "program"}, "same relation": {"task": "same-relation"},
                  "same order": {"task": "same-order"}}
HALF_DECADES = tuple(round(10 ** (i / 2)) for i in range(2, 12))
DOUBLING = doubling(4, 8192)  # n of most figures
QUADRUPLING = DOUBLING[1::2]
ABA = {"task": "aba-abb", "network": "transformer"}
MULTIPLIERS = {"c_KQ = 10": {"c_kq": 10}, "c_KQ = 30": {"c_kq": 30}, "c_KQ = 100": {}}
PSYCHOMETRIC = {"Match to sample": {"task": "match-to-sample"}, "Identity rules": {"task": "identity-rules"},
                "Distribution of three": {"task": "distribution-of-three"}, "3 × 3 matrix": {"task": "matrix"}}
LENGTHS = {f"Length {k}": {"task": f"majority-{k}"} for k in (2, 4, 6, 8)}


def multipliers(name: str, title: str, base: dict, published: str, label: str, grid: tuple, fresh_grid: tuple,
                shares: str | None = None) -> tuple[Experiment, Experiment]:
    """Returns a task by the multiplier c_KQ of a, with seeds 0 to 2; then 30 alone with five seeds not seen before.

    The paper's multiplier is known to lie between 30 and 100. All experiments have 100; the claims on 30 were stated
    after seeds 0 to 2, so others judge them.
    """
    shared: dict[str, Any] = {"kind": Run, "base": base, "published": published, "shares": shares or name}
    return (
        Experiment(name=f"{name}-multipliers", title=f"{title}, by the multiplier c_KQ of a", series=MULTIPLIERS,
                   grid={"n": grid}, seeds=3, legend={"c_KQ = 100": label}, **shared),
        Experiment(name=f"{name}-multiplier-30", title=f"{title}, c_KQ = 30, five other seeds",
                   series={"c_KQ = 30": {"c_kq": 30}}, grid={"n": fresh_grid}, first_seed=3,
                   legend={"c_KQ = 30": label}, **shared),
    )


def ten_seeds(grids: Sequence[Experiment], name: str, series: Collection[str], at: tuple) -> Experiment:
    """Returns some series of one of these experiments at some of its x with ten seeds, its own seeds among them.

    It is for claims that the first seeds leave undecided.
    """
    (of,) = (e for e in grids if e.name == name)
    return replace(of, name=f"{name}-ten-seeds", title=f"{of.title}, ten seeds", grid={**of.grid, of.x: at},
                   series={label: of.series[label] for label in series}, seeds=10, shares=of.shares or name)
