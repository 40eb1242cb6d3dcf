"""On a GPU every kind of run gives the CPU's numbers, up to the order in which float32 sums are taken."""

import pytest
import torch

from abstract_symbols.experiments import EXPERIMENTS
from abstract_symbols.kernels import TransformerKernel
from abstract_symbols.runs.copying import EmbeddingRun, ProgressRun
from abstract_symbols.runs.distributions import AnswerRun, OutputDistributionRun
from abstract_symbols.runs.features import AttentionRun, LastLayerRun
from abstract_symbols.runs.training import Run
from companion.experiments import Experiment
from companion.results import read_rows
from companion.sweeps import perform, run

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU here")

SMALL = {"d_emb": 16, "heads": 2, "d_head": 8, "d_mlp": 16}
SHORT = {"n": 24, "epochs": 6, "evaluation": 60}
TRANSFORMER = {"task": "aba-abb", "network": "transformer", **SMALL, **SHORT}
COPY = {"task": "copy", "network": "transformer", **SMALL, **SHORT}
RUNS = {
    "plain": (Run, TRANSFORMER),
    "in batches": (Run, {**TRANSFORMER, "batch": 10}),
    "a and b": (Run, {**TRANSFORMER, "a": True, "b": True}),
    "deep": (Run, {**TRANSFORMER, "depth": 4}),
    "dropout": (Run, {**TRANSFORMER, "dropout": 0.1}),
    "mimetic": (Run, {**TRANSFORMER, "mimetic_alpha": 1.0, "mimetic_beta": 1.0}),
    "sgd": (Run, {**TRANSFORMER, "optimizer": "sgd"}),
    "copy": (Run, {**COPY, "b": True}),
    "copy, pointer": (Run, {**COPY, "pointer": True}),
    "copy, reset": (Run, {**COPY, "reset": True}),
    "copy, decay": (Run, {**COPY, "decay": 10.0}),
    "copy, own unembedding": (Run, {**COPY, "unembedding": "copy", "orthogonal": True}),
    "mlp": (Run, {"task": "same-different", "network": "mlp", "gram": True, **SHORT}),
    "rnn": (Run, {"task": "aba-abb", "network": "rnn", **SHORT}),
    "lstm": (Run, {"task": "aba-abb", "network": "lstm", **SHORT}),
    "output distribution": (OutputDistributionRun, {"task": "same-different", "network": "mlp", **SHORT}),
    "last layer": (LastLayerRun, {**TRANSFORMER, "readout_only": True}),
    "attention": (AttentionRun, TRANSFORMER),
    "answers": (AnswerRun, {**TRANSFORMER, "task": "program-symbolic"}),
    "collapse": (EmbeddingRun, COPY),
    "progress": (ProgressRun, {"n": 4, "d_emb": 16}),
}


@pytest.mark.parametrize("kind, options", RUNS.values(), ids=RUNS)
def test_a_run_on_a_gpu_gives_the_numbers_of_the_cpu(kind, options):
    runs = [kind(**options, seed=seed) for seed in range(3)]
    on_cpu, on_gpu = (perform(runs, device, "tested") for device in ("cpu", "cuda"))
    for mine, theirs in zip(on_gpu, on_cpu, strict=True):
        assert (mine["device"], theirs["device"]) == (torch.cuda.get_device_name(), "cpu")
        for metric in kind.METRICS:
            assert mine[metric] == pytest.approx(theirs[metric], rel=2e-3, abs=2e-3, nan_ok=True), metric


def test_many_networks_at_once_on_a_gpu_are_those_trained_alone():
    runs = [Run(**TRANSFORMER, seed=seed) for seed in range(4)]
    together = [row["test_loss"] for row in perform(runs, "cuda", "tested")]
    alone = [perform([one], "cuda", "tested")[0]["test_loss"] for one in runs]
    assert together == pytest.approx(alone, rel=1e-3)


def test_a_sweep_on_a_gpu_writes_its_rows(tmp_path, monkeypatch):
    e = Experiment(kind=Run, name="tiny", title="Tiny", base=TRANSFORMER | {"n": 8}, series={"Transformer": {}},
                               grid={"lr": (1e-3, 1e-2)}, seeds=2)
    monkeypatch.setitem(EXPERIMENTS, "tiny", e)
    assert run("tiny", device="auto", results=tmp_path) == 0
    rows = read_rows(e.path(tmp_path), Run)
    assert len(rows) == 4 and {row["device"] for row in rows} == {torch.cuda.get_device_name()}


@pytest.mark.parametrize("beta", [0.5, 2.0, 5.0])
def test_k_attn_on_a_gpu_is_that_of_the_cpu(beta):
    pair = [0, 1, 0], [0, 1, 1]
    values = [TransformerKernel(beta, 1.0, device=device).attention(*pair) for device in ("cpu", "cuda")]
    assert values[1] == pytest.approx(values[0], rel=1e-6)
