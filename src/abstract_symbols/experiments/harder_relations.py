"""Experiments of the chapter "Harder relations"."""

from companion.experiments import Experiment

from ..runs.training import Run
from .common import DOUBLING, LENGTHS, PSYCHOMETRIC, QUADRUPLING, doubling, multipliers, ten_seeds

PLAIN, MODIFIED = {"network": "transformer"}, {"network": "transformer", "a": True, "b": True}

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="majority",
        title="Is the first symbol in the majority? strings of 2, 4, 6 and 8",
        kind=Run,
        base={"network": "transformer"},
        series=LENGTHS,
        grid={"n": QUADRUPLING},
        published="majority_tasks_abridged_1",
        legend={f"Length {k}": f"majority_len={k}, lr 0.001" for k in (2, 4, 6, 8)},
    ),
    Experiment(
        name="majority-modified",
        title="Is the first symbol in the majority? with a and b",
        kind=Run,
        shares="majority",
        base=MODIFIED,
        series=LENGTHS,
        grid={"n": QUADRUPLING},
        published="majority_tasks_abridged_transformer_identity_scalings_1",
        legend={f"Length {k}": f"majority_len={k}, lr 0.001" for k in (2, 4, 6, 8)},
    ),
    Experiment(
        name="majority-pairs",
        title="Is the first symbol in the majority? plain against a and b",
        kind=Run,
        shares="majority",
        base={"network": "transformer"},
        series={f"Length {k}{words}": {"task": f"majority-{k}", **options} for k in (2, 4, 6, 8)
                for words, options in (("", {}), (" + a and b", {"a": True, "b": True}))},
        grid={"n": QUADRUPLING},
    ),
    *multipliers("majority", "Is the first of four symbols in the majority? with a and b",
                 {**MODIFIED, "task": "majority-4"}, "majority_tasks_abridged_transformer_identity_scalings_1",
                 "majority_len=4, lr 0.001", QUADRUPLING[:4], DOUBLING[3:9]),
    Experiment(
        name="counting-5",
        title="How many distinct symbols are among five?",
        kind=Run,
        base={"task": "counting-5"},
        series={"Fully-connected": {"network": "mlp"}, "Transformer": PLAIN, "Modified transformer": MODIFIED},
        grid={"n": doubling(8, 16384)},
        published="counting_5",
    ),
    *multipliers("counting", "How many distinct symbols are among five? with a and b",
                 {**MODIFIED, "task": "counting-5"}, "counting_5", "Modified transformer", DOUBLING[3:8],
                 DOUBLING[3:9], shares="counting-5"),
    Experiment(
        name="counting-7",
        title="How many distinct symbols are among seven?",
        kind=Run,
        base={"task": "counting-7"},
        series={"Fully-connected": {"network": "mlp"}, "Transformer": PLAIN, "Modified transformer": MODIFIED},
        grid={"n": doubling(8, 16384)},
        published="counting_7",
    ),
    Experiment(
        name="psychometric",
        title="Psychometric tasks, plain and with a and b",
        kind=Run,
        base={"network": "transformer"},
        series={f"{name}{words}": {**options, **modified} for name, options in PSYCHOMETRIC.items()
                for words, modified in (("", {}), (" + a and b", {"a": True, "b": True}))},
        grid={"n": QUADRUPLING},
    ),
    Experiment(
        name="word-labels",
        title="Same or different? answered with one of two words",
        kind=Run,
        base={"task": "same-different-word"},
        series={"Transformer": PLAIN, "Modified transformer": MODIFIED},
        grid={"n": DOUBLING[:10]},
    ),
)

EXPERIMENTS += (
    ten_seeds(EXPERIMENTS, "psychometric", [f"{name}{words}" for name in ("Distribution of three", "3 × 3 matrix")
                                              for words in ("", " + a and b")], (128, 512)),
    ten_seeds(EXPERIMENTS, "counting-5", ("Transformer", "Modified transformer"), (128, 256, 512)),
)
