"""The committed rows: each file is whole, each key is that of its row's fields, and no key ever changes."""

import pkgutil

import pytest

from abstract_symbols.runs.distributions import OutputDistributionRun
from abstract_symbols.runs.kernel import EigenvalueRun, GramRun, RidgeRun, StringsRun
from abstract_symbols.runs.training import Run
from companion import paths
from companion.experiments import experiments, of_chapter
from companion.results import load, read_rows

EXPERIMENTS = experiments()


@pytest.mark.parametrize(("of", "key"), [
    (Run("same-different", "transformer", n=64, seed=3), "d805fe3b40cd4d1c"),
    (Run("aba-abb", "mlp", n=4, seed=0, lr=0.01, gram=True, width=64), "7f94a61012c7dc32"),
    (Run("same-different", "transformer", n=64, seed=3, a=True, b=True), "0a417a6cf65833e2"),
    (OutputDistributionRun("same-different", "mlp", n=64, seed=0, evaluation=3000), "54c14685d30af7ff"),
    (GramRun("same-different", seed=0, n=1000, alphabet=10), "c2168a7afb453982"),
    (RidgeRun("aba-abb", seed=0, n=10_000, ridge=1e-4, noise=0), "2300989549c59f72"),
    (EigenvalueRun("same-different", seed=0, beta=2), "c9b554638079d3a9"),
    (StringsRun("random-r3-k5-w3-R0", seed=1, beta=4, b1=1), "111fba21f0646c09"),
])
def test_keys_of_committed_rows_are_for_ever(of, key):
    assert of.key == key


@pytest.mark.parametrize("path", sorted({e.path() for e in EXPERIMENTS.values()}), ids=lambda path: path.stem)
def test_every_file_reads_and_each_of_its_keys_is_that_of_its_fields(path):
    (kind,) = {e.kind for e in EXPERIMENTS.values() if e.path() == path}
    rows = read_rows(path, kind)
    assert len({row["key"] for row in rows}) == len(rows)


def test_every_committed_file_belongs_to_an_experiment():
    measured = {path.stem for path in paths.results().glob("*.csv") if not path.stem.startswith("bench-")}
    assert measured <= {e.path().stem for e in EXPERIMENTS.values()}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_runs_that_can_be_and_a_published_file_if_it_names_one(name):
    e = EXPERIMENTS[name]
    smallest = {run.group_key[:2] + (series,): run for run, series in reversed(e.runs().items())}
    assert {series for *_, series in smallest} == set(e.series)
    assert all(Run.member(of).network for of in smallest.values() if isinstance(of, Run))
    assert e.published is None or (paths.book() / "published" / f"{e.published}.csv").exists()
    assert set(load(name)["series"]) <= set(e.series)


def test_every_module_of_grids_is_a_chapters_and_declares_each_experiment_once():
    import abstract_symbols.experiments as grids

    chapters = [m.name.replace("_", "-") for m in pkgutil.iter_modules(grids.__path__) if m.name != "common"]
    assert all((paths.book() / f"{chapter}.py").exists() for chapter in chapters)
    declared = [e.name for chapter in chapters for e in of_chapter(chapter)]
    assert sorted(declared) == sorted(EXPERIMENTS)


@pytest.mark.parametrize("name", ["program", "aba", "majority", "counting"])
def test_claims_on_the_other_multiplier_have_seeds_of_their_own(name):
    tried, fresh = EXPERIMENTS[f"{name}-multipliers"], EXPERIMENTS[f"{name}-multiplier-30"]
    seen = {r.seed for r, series in tried.runs().items() if series == "c_KQ = 30"}
    judged = {r.seed for r in fresh.runs()}
    assert (len(seen), len(judged)) == (3, 5) and not seen & judged
    assert {r.c_kq for r in fresh.runs()} == {30} and fresh.path() == tried.path()
