"""Experiments of the chapter "Programs that print a symbol"."""

from companion.experiments import Experiment

from ..runs.distributions import AnswerRun
from .common import doubling

EXPERIMENTS = (
    Experiment(
        name="program-symbolic",
        title='Programs that print a symbol: α="γ";β="δ";print(α)',
        kind=AnswerRun,
        base={"task": "program-symbolic", "network": "transformer"},
        series={"Transformer": {}, "Transformer + a and b": {"a": True, "b": True}},
        grid={"n": doubling(4, 262144)},
        published="teaser2",
        legend={"Transformer + a and b": "Transformer + KQ,VO identity"},
    ),
)
