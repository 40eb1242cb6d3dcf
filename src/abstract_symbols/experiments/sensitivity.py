"""Experiments of the chapter "How sensitive"."""

from companion.experiments import Experiment

from ..runs.training import Run
from .common import ABA, DOUBLING, ten_seeds

RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="lr-n",
        title="Learning rates",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={f"lr = {lr:g}": {"lr": lr} for lr in (*RATES, 3e-2, 1e-1)},
        grid={"n": DOUBLING[2:]},
        seeds=3,
        published="transformer_lr_n_1_gotu",
        legend={f"lr = {lr:g}": f"lr {lr:g}" for lr in (*RATES, 3e-2, 1e-1)},
    ),
    Experiment(
        name="n-lr",
        title="The learning rate, by n",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={f"n = {n}": {"n": n} for n in DOUBLING[2:]},
        grid={"lr": (*RATES, 3e-2, 1e-1)},
        seeds=3,
        published="transformer_lr_n_2_gotu",
        legend={f"n = {n}": f"n {n}" for n in DOUBLING[2:]},
    ),
    Experiment(
        name="batch-n",
        title="Batch sizes",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={f"batch {batch}": {"batch": batch} for batch in (8, 16, 32, 64, 128, 256, 512, 1024)},
        grid={"n": DOUBLING[2:9]},
        seeds=3,
        published="transformer_batchsize_n_1_gotu",
        legend={f"batch {batch}": f"batch size {batch}" for batch in (8, 16, 32, 64, 128, 256, 512, 1024)},
    ),
    Experiment(
        name="lr-batch",
        title="The learning rate, by batch size, at n = 512",
        kind=Run,
        shares="architectures",
        base={**ABA, "n": 512},
        series={f"batch {batch}": {"batch": batch} for batch in (8, 32, 128, 512)},
        grid={"lr": RATES},
        seeds=3,
    ),
    *(Experiment(
        name=f"lr-{name}-{n}",
        title=f"The learning rate, by {what}, at n = {n}",
        kind=Run,
        shares="architectures",
        base={**ABA, "n": n},
        series={f"{letter} = {value}": {} if value == default else {field: value} for value in values},
        grid={"lr": rates},
        seeds=3,
        published=f"transformer_lr_{figure}_1_n1024_gotu" if n == 1024 else None,
        legend={f"{letter} = {value}": f"{words} {value}" for value in values},
    ) for name, what, letter, field, default, values, rates, figure, words, sizes in (
        ("depth", "depth", "depth", "depth", 2, (1, 2, 4, 8, 16), RATES, "depth", "depth", (512, 1024)),
        ("heads", "number of heads", "heads", "heads", 16, (1, 4, 16, 64), RATES, "numheads", "number of heads",
         (512, 1024)),
        ("dimension", "embedding dimension", "d", "d_emb", 128, (32, 128, 512), RATES[1:], "embeddim",
         "embed dim", (1024,)),
    ) for n in sizes),
)

EXPERIMENTS += (
    ten_seeds(EXPERIMENTS, "lr-depth-1024", ("depth = 1", "depth = 2"), (1e-3,)),
    ten_seeds(EXPERIMENTS, "lr-heads-1024", ("heads = 1", "heads = 16"), (1e-3,)),
)
