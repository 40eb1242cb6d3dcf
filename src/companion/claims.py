"""Claims about the paper, judged from results: measure and tolerances stand in `book/claims.yml` beforehand.

A verdict is `held` (all of the interval lies within the first tolerance), `held in part` (between the two), `not held`
(beyond the second), `undecided` (the interval has more than one of these in it, or the test could not have found what
it was to find) or `not run` (rows are missing).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import paths
from .experiments import experiment
from .measures import MEASURES, ORIGINS, Claim, Measured
from .published import published
from .results import load

VERDICTS = ("held", "held in part", "not held", "undecided", "not run")


@dataclass(frozen=True)
class Judgement:
    """A claim with its verdict.

    Attributes:
        claim: which.
        verdict: one of `VERDICTS`.
        measured: None when rows are missing.
        coverage: how many rows there are.
        reason: why it is undecided; empty otherwise.
    """

    claim: Claim
    verdict: str
    measured: Measured | None
    coverage: str
    reason: str = ""


def claims() -> dict[str, Claim]:
    """Returns every claim of `claims.yml` by id.

    Raises:
        ValueError: a claim that lacks a field, names an unknown measure or experiment, or stands twice; no PyYAML.
    """
    found: dict[str, Claim] = {}
    for entry in _entries():
        known = {name: entry.pop(name) for name in list(entry) if name in Claim.__dataclass_fields__}
        try:
            claim = Claim(**{**known, "series": tuple(known.get("series", ()))}, options=entry)
        except TypeError as error:
            raise ValueError(f"claims.yml, claim {known.get('id')!r}: {error}") from None
        if claim.id in found:
            raise ValueError(f"claims.yml: claim {claim.id!r} stands twice")
        if fault := _fault(claim):
            raise ValueError(f"claims.yml, claim {claim.id!r}: {fault}")
        found[claim.id] = claim
    return found


def _entries() -> list[dict]:
    """The entries of claims.yml."""
    try:
        import yaml
    except ImportError:
        raise ValueError("PyYAML is not installed, and claims.yml cannot be read; pip install pyyaml") from None
    loader, path = getattr(yaml, "CSafeLoader", yaml.SafeLoader), paths.book() / "claims.yml"
    if not path.exists():
        raise ValueError(f"claims.yml: there is no {path}; state the claims there, or write [] while there are none")
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), loader)
    except yaml.YAMLError as error:
        raise ValueError(f"claims.yml: {' '.join(str(error).split())}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("claims.yml: must be a list of claims, each with an id and its fields")
    return entries


def _fault(claim: Claim) -> str:
    """What is wrong with a claim, '' if nothing is. Raises: ValueError for an unknown experiment."""
    if claim.measure not in MEASURES:
        return f"unknown measure {claim.measure!r}; known are {', '.join(MEASURES)}"
    e, measure = experiment(claim.experiment), MEASURES[claim.measure]
    if claim.origin not in ORIGINS:
        return f"unknown origin {claim.origin!r}; known are {', '.join(ORIGINS)}"
    if unknown := set(claim.series) - set(e.series):
        return f"experiment {claim.experiment!r} has no series {sorted(unknown)}"
    metrics = e.kind.METRICS
    for option in ("metric", "error", "predicted"):
        if claim.options.get(option, next(iter(metrics))) not in metrics:
            return (f"experiment {claim.experiment!r} has no metric {claim.options[option]!r}; "
                    f"it has {', '.join(metrics)}")
    lacking = [name for name in measure.options if name not in claim.options]
    if lacking or not claim.series:
        return f"lacks {(lacking or ['series'])[0]}"
    if claim.measure == "below" and claim.part >= len(claim.options["at"]) * (len(claim.series) - 1):
        return f"part={claim.part} lets every test fail, so it could not be 'not held'; lower it"
    for series in claim.series if measure.published else ():
        if published(claim.experiment, series).empty:
            return f"experiment {claim.experiment!r} has no published curve for series {series!r}"
    return ""


def judge(name: str, results: Path | None = None) -> Judgement:
    """Measure a claim on the rows there are, committed or in another folder, and return its verdict.

    Raises:
        ValueError: an unknown claim.
    """
    known = claims()
    if name not in known:
        raise ValueError(f"unknown claim {name!r}; known are {', '.join(known)}")
    return _judge(known[name], load(known[name].experiment, results))


def _judge(claim: Claim, rows: pd.DataFrame) -> Judgement:
    e = experiment(claim.experiment)
    first, last = claim.options.get("within", (-np.inf, np.inf))
    chosen = rows["series"].isin(claim.series).to_numpy() & rows[e.x].between(first, last).to_numpy()
    rows = rows.loc[chosen, list(dict.fromkeys(["series", "seed", e.x, *e.kind.METRICS]))]
    expected = e.count(claim.series, first, last)
    coverage = f"{len(rows)} of {expected} runs"
    if len(rows) < expected:
        return Judgement(claim, "not run", None, coverage)
    measured = MEASURES[claim.measure].function(claim, rows)
    nearest, farthest = (_verdict(claim, distance) for distance in measured.reach or (measured.distance,) * 2)
    if measured.doubt or nearest != farthest:
        reason = measured.doubt or f"the interval reaches from {nearest!r} to {farthest!r}"
        return Judgement(claim, "undecided", measured, coverage, reason)
    return Judgement(claim, nearest, measured, coverage)


def _verdict(claim: Claim, distance: float) -> str:
    """What a distance would give alone."""
    return VERDICTS[(distance <= claim.held, distance <= claim.part, True).index(True)]


def scoreboard(chapter: str | None = None, results: Path | None = None) -> list[Judgement]:
    """Returns the verdict on every claim, or on one chapter's, in the order of `claims.yml`."""
    chosen = [claim for claim in claims().values() if chapter in (None, claim.chapter)]
    rows = {name: load(name, results) for name in dict.fromkeys(claim.experiment for claim in chosen)}
    return [_judge(claim, rows[claim.experiment]) for claim in chosen]
