"""Write book/claims-history.csv: when each claim was stated and changed, and how many of its rows were committed then.

    python tools/book/claims_history.py     # in the project's folder, after a commit that touches book/claims.yml

Git is the witness: for every commit of claims.yml it is asked which rows stood in the results files before. A row
counts for a claim if it is a run of the claim's grid as it is today.
"""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from companion.claims import claims
from companion.experiments import experiment
from companion.measures import Claim

FILE = "book/claims.yml"
OUT = Path("book/claims-history.csv")
COLUMNS = ["claim", "date", "commit", "event", "rows", "of"]
# What a reader of a claim would want to know the change of, under the words for it; an origin judges nothing.
PARTS = {"statement": ("statement",), "tolerance": ("held", "part", "p", "needed", "value"),
         "measure": ("measure", "metric", "error", "over", "predicted", "paper"),
         "rows it uses": ("experiment", "series", "within", "at")}


def git(*arguments: str) -> str:
    """What git says, '' where it fails: a file that was not there yet."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout


@cache
def committed(commit: str, file: str) -> frozenset[str]:
    """The keys of the rows of a results file just before a commit."""
    rows = csv.DictReader(io.StringIO(git("show", f"{commit}^:book/results/{file}")))
    return frozenset(row["key"] for row in rows)


def there(claim: Claim, commit: str) -> tuple[int, int]:
    """How many of a claim's runs had rows just before a commit, and how many runs it has."""
    e = experiment(claim.experiment)
    first, last = claim.options.get("within", (float("-inf"), float("inf")))
    keys = {run.key for run, series in e.runs().items()
            if series in claim.series and first <= getattr(run, e.x) <= last}
    return len(keys & committed(commit, e.path().name)), len(keys)


def events() -> Iterator[tuple[str, str, str, str]]:
    """(claim, date, commit, event) for every claim that was stated, changed or dropped, oldest first.

    Branches stand beside each other in the log: a claim that one of them does not have yet is not dropped there.
    """
    last: dict[str, dict] = {}
    seen: dict[str, tuple[str, str]] = {}
    for line in git("log", "--reverse", "--format=%h %cs", "--", FILE).splitlines():
        commit, date = line.split()
        now = {entry["id"]: entry for entry in yaml.safe_load(git("show", f"{commit}:{FILE}")) or []}
        for name, entry in now.items():
            changes = ["stated"] if name not in last else [
                f"{word} changed" for word, fields in PARTS.items()
                if any(last[name].get(field) != entry.get(field) for field in fields)]
            yield from ((name, date, commit, change) for change in changes)
        seen |= dict.fromkeys((name for name in last if name not in now and name not in seen), (date, commit))
        seen = {name: when for name, when in seen.items() if name not in now}
        last |= now
    yield from ((name, *when, "dropped") for name, when in seen.items())


def main() -> None:
    if git("rev-parse", "--is-shallow-repository").strip() != "false":
        sys.exit("This checkout has no git history, or a part of it: clone it whole, then run this again.")
    known = claims()
    lines = [(name, date, commit, event, *(there(known[name], commit) if name in known else ("", "")))
             for name, date, commit, event in events()]
    with OUT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *lines])
    print(f"{OUT}: {len(lines)} events of {len({line[0] for line in lines})} claims")


if __name__ == "__main__":
    main()
