"""Experiments of the chapter "Random tasks"."""

from companion.experiments import Experiment

from ..runs.kernel import DrawnRun, StringsRun
from ..runs.training import Run
from .common import ALL_REAL_TASKS, DOUBLING, LENGTHS, PSYCHOMETRIC

RANDOM_NUMBERS = {f"r = {r}": {"task": f"random-r{r}-k5-w3-R0"} for r in (2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15)}
RANDOM_DRAWS = {f"k = {k}, w = {w}, r = {name[4:]}": {"task": options["task"].replace("k5-w3", f"k{k}-w{w}")}
                for k, w in ((5, 2), (6, 2), (6, 3), (8, 2), (10, 2)) for name, options in RANDOM_NUMBERS.items()}
RANDOM_REGULAR = {f"R = {regular}": {"task": f"random-r2-k5-w3-R{regular}"} for regular in (0, 1, 2)}
RANDOM_LENGTHS = {f"k = {k}": {"task": f"random-r2-k{k}-w3-R0"} for k in (3, 5, 7, 9, 12)}
RANDOM_WILDCARDS = {f"w = {w}": {"task": f"random-r2-k5-w{w}-R0"} for w in (2, 3, 4, 5)}
RANDOM_TASKS = {name: options for name, options in
                {**RANDOM_NUMBERS, **RANDOM_REGULAR, **RANDOM_LENGTHS, **RANDOM_WILDCARDS}.items()
                if name not in ("R = 0", "k = 5", "w = 3")}  # which are r = 2
TRAINED_TASKS = {  # with labels ±1, by a plain transformer
    **{name: options for name, options in ALL_REAL_TASKS.items() if name not in ("same relation", "same order")},
    **{f"majority of {k}": LENGTHS[f"Length {k}"] for k in (4, 6, 8)},
    **PSYCHOMETRIC,
}

EXPERIMENTS = (
    Experiment(
        name="random-templates",
        title="Random templates: their number r",
        kind=Run,
        base={"network": "transformer"},
        series=RANDOM_NUMBERS,
        grid={"n": (8, 32, *DOUBLING[4:])},
        published="randomtemplate_ntempl_1_gotu",
        legend={name: name.replace("r =", "number of templates") for name in RANDOM_NUMBERS},
    ),
    Experiment(
        name="random-templates-k6-w2",
        title="Random templates of six positions and two wildcards: their number r",
        kind=Run,
        base={"network": "transformer"},
        shares="random-templates",
        series={f"r = {r}": RANDOM_DRAWS[f"k = 6, w = 2, r = {r}"] for r in (2, 4, 7, 15)},
        grid={"n": DOUBLING[7:]},
        seeds=3,
        published="randomtemplate_ntempl_1_gotu",
        legend={f"r = {r}": f"number of templates {r}" for r in (2, 4, 7, 15)},
    ),
    Experiment(
        name="random-regular",
        title="Random templates: the number R of regular tokens",
        kind=Run,
        base={"network": "transformer"},
        shares="random-templates",
        series=RANDOM_REGULAR,
        grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
        published="randomtemplate_Rsize_1_gotu",
        legend={name: name.replace("R =", "regular alphabet size") for name in RANDOM_REGULAR},
    ),
    Experiment(
        name="random-length",
        title="Random templates: their length k",
        kind=Run,
        base={"network": "transformer"},
        shares="random-templates",
        series=RANDOM_LENGTHS,
        grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
        published="randomtemplate_length_by_length",
        legend={name: name.replace("k =", "template length") for name in RANDOM_LENGTHS},
    ),
    Experiment(
        name="random-wildcards",
        title="Random templates: the number w of wildcards",
        kind=Run,
        base={"network": "transformer"},
        shares="random-templates",
        series=RANDOM_WILDCARDS,
        grid={"n": (8, 32, *DOUBLING[5:10], 8192)},
        published="randomtemplate_Wsize_1_gotu",
        legend={name: name.replace("w =", "wildcard alphabet size") for name in RANDOM_WILDCARDS},
    ),
    Experiment(
        name="random-fresh",
        title="Twelve random tasks of a kind that was not tried before",
        kind=DrawnRun,
        base={"task": "random-r2-k6-w5-R0", "network": "transformer"},
        series={"Transformer": {}},
        grid={"n": DOUBLING[7:10]},
        seeds=12,
    ),
    Experiment(
        name="predicted-strings",
        title="The strings that the template matrix predicts",
        kind=StringsRun,
        base={},
        series={**RANDOM_TASKS, **TRAINED_TASKS},
        grid={"beta": (2.0,)},
        seeds={**dict.fromkeys(RANDOM_TASKS, 5), **dict.fromkeys(TRAINED_TASKS, 1)},
    ),
    Experiment(
        name="predicted-strings-kernels",
        title="The strings that the template matrix predicts, by the kernel's parameters",
        shares="predicted-strings",
        kind=StringsRun,
        base={},
        series={name: RANDOM_TASKS[name] for name in ("r = 2", "k = 3", "k = 7", "w = 2", "w = 4", "w = 5")},
        grid={"beta": (1.0, 2.0, 4.0), "gamma": (0.5, 1.0), "b1": (1.0, 2.0)},
    ),
    Experiment(
        name="predicted-strings-draws",
        title="The strings that the template matrix predicts, by the way in which random templates are drawn",
        shares="predicted-strings",
        kind=StringsRun,
        base={},
        series=RANDOM_DRAWS,
        grid={"beta": (2.0,)},
    ),
)
