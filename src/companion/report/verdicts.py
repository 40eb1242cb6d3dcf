"""The verdicts on all claims, judged once for all pages that show them."""

import hashlib
import os
import pickle
from functools import cache

from .. import paths
from ..claims import Judgement, scoreboard


@cache
def shared_scoreboard() -> tuple[Judgement, ...]:
    """Returns the verdict on every claim, from the committed rows.

    The first page that asks judges them and leaves the verdicts in _build; others read them there, as long as no claim,
    row, published curve or source has changed.
    """
    kept = paths.build() / "judgements.pickle"
    state = _state()
    try:
        before, judgements = pickle.loads(kept.read_bytes())
    except (OSError, ValueError, EOFError, AttributeError, ImportError, pickle.UnpicklingError):
        before, judgements = None, ()
    if before != state:
        judgements = tuple(scoreboard())
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(pickle.dumps((state, judgements)))
        unfinished.replace(kept)
    return judgements


def _state() -> str:
    """A digest of all that verdicts depend on."""
    project = paths.project()
    inputs = [project.book / "claims.yml", *sorted(project.book.glob("results/*.csv")),
              *sorted(project.book.glob("published/*.csv")),
              *(path for source in project.sources for path in sorted((project.root / source).rglob("*.py")))]
    digest = hashlib.sha256()
    for path in inputs:
        digest.update(str(path).encode() + path.read_bytes())
    return digest.hexdigest()
