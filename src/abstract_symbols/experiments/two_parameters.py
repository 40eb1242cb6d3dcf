"""Experiments of the chapter "Two parameters per head"."""

from companion.experiments import Experiment

from ..runs.training import Run
from .common import ABA, DOUBLING, QUADRUPLING, doubling, multipliers, ten_seeds

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        name="aba-abb",
        title="Plain attention and + a on αβα against αββ",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={"Transformer": {}, "Transformer + a": {"a": True}},
        grid={"n": DOUBLING},
        published="aba_vs_abb_reg_vs_identity_perturb",
        legend={"Transformer": "regular, lr 0.001", "Transformer + a": "with identity perturb, lr 0.001"},
    ),
    Experiment(
        name="architectures",
        title="Seven networks on αβα against αββ",
        kind=Run,
        base={"task": "aba-abb"},
        series={
            "Fully-connected": {"network": "mlp"},
            "RNN": {"network": "rnn"},
            "LSTM": {"network": "lstm"},
            "Transformer": {"network": "transformer"},
            "Transformer + a": {"network": "transformer", "a": True},
            "Transformer + b": {"network": "transformer", "b": True},
            "Transformer + a and b": {"network": "transformer", "a": True, "b": True},
        },
        grid={"n": doubling(4, 8192)},
        published="diff_architectures_gotu",
        legend={
            "Fully-connected": "Depth-3 FCNet, lr 0.001",
            "RNN": "RNN, lr 0.001",
            "LSTM": "LSTM, lr 0.001",
            "Transformer": "Transformer, lr 0.001",
            "Transformer + a": "Transformer + KQ identity, lr 0.001",
            "Transformer + b": "Transformer + VO identity, lr 0.001",
            "Transformer + a and b": "Transformer + KQ, VO identity, lr 0.001",
        },
    ),
    Experiment(
        name="lstm",
        title="An LSTM on αβα against αββ, to twice the published number of strings",
        kind=Run,
        shares="architectures",
        base={"task": "aba-abb", "network": "lstm"},
        series={"LSTM": {}},
        grid={"n": doubling(4, 16384)},
        published="diff_architectures_gotu",
        legend={"LSTM": "LSTM, lr 0.001"},
    ),
    Experiment(
        name="aabb-abab",
        title="Plain attention and + a on ααββ against αβαβ",
        kind=Run,
        base={"task": "aabb-abab", "network": "transformer"},
        series={"Transformer": {}, "Transformer + a": {"a": True}},
        grid={"n": QUADRUPLING},
        published="various_tasks_1_gotu",
        legend={"Transformer": "AABB vs. ABAB, lr 0.001"},
    ),
    Experiment(
        name="program",
        title="Programs that print a number: α=1;β=-1;print(α) against …print(β)",
        kind=Run,
        base={"task": "program", "network": "transformer"},
        series={"Transformer": {}, "Transformer + a": {"a": True}},
        grid={"n": DOUBLING},
        published="teaser1",
        legend={"Transformer + a": "Transformer + KQ identity"},
    ),
    *multipliers("program", "Programs that print a number, with a",
                 {"task": "program", "network": "transformer", "a": True}, "teaser1", "Transformer + KQ identity",
                 DOUBLING[2:7], DOUBLING[1:7]),
    *multipliers("aba", "αβα against αββ with a", {**ABA, "a": True}, "aba_vs_abb_reg_vs_identity_perturb",
                 "with identity perturb, lr 0.001", DOUBLING[:6], DOUBLING[:6], shares="architectures"),
    Experiment(
        name="mimetic",
        title="Mimetic initialisation, αZ + βI, on αβα against αββ",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={"Transformer": {}, "Transformer + a": {"a": True},
                **{f"α = {alpha:g}, β = {beta:g}": {"mimetic_alpha": alpha, "mimetic_beta": beta}
                   for alpha, beta in ((0.7, 0.7), (1.0, 1.0), (1.0, 10.0))}},
        grid={"n": DOUBLING},
        published="transformer_mimetic_n_gotu",  # which α and β it has is not known
        legend={"Transformer": "regular init, lr 0.001", "α = 0.7, β = 0.7": "mimetic init, lr 0.001"},
    ),
    Experiment(
        name="dropout",
        title="Dropout on the embedded strings, on αβα against αββ, at most 250 epochs",
        kind=Run,
        shares="architectures",
        base=ABA,
        series={"Transformer": {}, **{f"dropout {p:g}": {"dropout": p, "epochs": 250} for p in (0.05, 0.1)}},
        grid={"n": DOUBLING[4:9]},
        seeds=3,
        published="aba_vs_abb_reg_vs_identity_perturb",
        legend={"Transformer": "regular, lr 0.001"},
    ),
)

EXPERIMENTS += (ten_seeds(EXPERIMENTS, "program", ("Transformer", "Transformer + a"), (64, 128, 256)),)
