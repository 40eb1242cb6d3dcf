"""`Chapter`: what every chapter of a book does with its rows, in one call each.

It loads the rows that a profile wants, shows figures with their evidence and values, repeats runs live, lists commands
and verdicts, and hands numbers to the prose.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from .. import figures, paths, sweeps
from ..claims import VERDICTS, Judgement, claims, scoreboard
from ..experiments import experiment, of_chapter
from ..formats import bounded
from ..measures import Measured
from ..published import published
from ..results import load
from . import history, tables
from .scoreboard import scoreboard as scoreboard_table
from .verdicts import shared_scoreboard
from .words import command, compute_time, coverage, number

PROFILES = ("quick", "full")
UNMEASURED = "(not measured yet)"


class Chapter:
    """A chapter of the project's book.

    Rows are those committed (profile "quick"). With the profile "full" the chapter's own runs are performed again
    first, into _build/full; rows of other chapters' experiments are the committed ones. What has no results file is
    not performed: it waits for a machine that can.

    Example:
        chapter = Chapter("two-parameters", profile)
        chapter.curves("aba-abb")          # figure, evidence, values
        chapter.recheck("aba-abb", "n == 16 and seed < 2", within=0.02)
    Raises:
        ValueError: an unknown profile.
    """

    def __init__(self, name: str, profile: str = "quick") -> None:
        if profile not in PROFILES:
            raise ValueError(f"unknown profile {profile!r}; known are {', '.join(PROFILES)}")
        self.name, self.profile = name, profile
        self.results = paths.build() / "full" if profile == "full" else None
        self._rows: dict[str, pd.DataFrame] = {}
        figures.style()

    # ---- rows ------------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Returns the rows of an experiment, one per run; see `companion.results.load`."""
        if name not in self._rows:
            results = self.results if self.results and name in self._own else None
            if results is not None:
                sweeps.run(name, results=results)
            self._rows[name] = load(name, results)
        return self._rows[name]

    @cached_property
    def _own(self) -> set[str]:
        """The experiments that the profile "full" performs again: those the chapter declares or has claims on."""
        own = {e.name for e in of_chapter(self.name)} | {
            claim.experiment for claim in claims().values() if claim.chapter == self.name}
        return {name for name in own if experiment(name).path().exists()}

    @cached_property
    def judgements(self) -> list[Judgement]:
        """The verdicts on the chapter's claims."""
        for name in self._own if self.results else ():
            self[name]
        return scoreboard(self.name, self.results)

    def claim(self, name: str) -> Measured | None:
        """Returns what was measured for one of the chapter's claims, None where rows are missing.

        Raises:
            ValueError: the chapter has no such claim.
        """
        found = {j.claim.id: j.measured for j in self.judgements}
        if name not in found:
            raise ValueError(f"chapter {self.name!r} has no claim {name!r}; it has {', '.join(found) or 'none'}")
        return found[name]

    # ---- figures ---------------------------------------------------------------------------------------------------

    def show(self, figure: Figure, alt: str, *names: str, note: str = "Mean ± 1 standard error over seeds.") -> None:
        """Show a figure with its text alternative, and which rows of the named experiments it draws.

        Args:
            figure: drawn by `companion.figures` or matplotlib.
            alt: what it shows, in words made from the data.
            names: the experiments whose rows it draws; without any there is no line of evidence.
            note: what the marks are, in front of the evidence.
        """
        figures.show(figure, alt)
        if names:
            self.evidence(*names, note=note)

    def curves(self, name: str, metric: str = "test_loss", *, series: Sequence[str] | None = None,
               ordered: bool = False, ylabel: str = "test loss on unseen symbols", values: bool = True) -> None:
        """Show an experiment's learning curves with the paper's behind them, the evidence and the values in a fold.

        Args:
            name: the experiment.
            metric: what is drawn.
            series: only these.
            ordered: colours from dark to light, for series that are the values of one quantity.
            ylabel: what the metric is called.
            values: whether the table of values follows; not where another figure of the same rows has it.
        """
        if self._missing(name):
            return
        rows = self[name]
        drawn = figures.learning_curves(name, rows, metric, ylabel, series=series, ordered=ordered)
        self.show(drawn, figures.alt_text(name, rows, metric, series=series), name)
        if values:
            self.values(name, metric)

    def scaling(self, name: str, metric: str, what: str, *, columns: dict[str, str] | None = None,
                **drawing: Any) -> None:
        """Show a metric against the experiment's x on logarithmic axes, the evidence and the values in a fold.

        Args:
            name: the experiment.
            metric: what is drawn.
            what: the figure's subject, for its text alternative, such as "error against n".
            columns: metric → heading of the table; the drawn metric alone unless given.
            drawing: xlabel, ylabel and other arguments of `companion.figures.scaling`.
        """
        if self._missing(name):
            return
        rows = self[name]
        self.show(figures.scaling(name, rows, metric, **drawing), figures.scaling_alt(name, rows, metric, what), name)
        self.scaling_values(name, columns or {metric: metric.replace("_", " ")})

    def scaling_values(self, name: str, columns: dict[str, str]) -> None:
        """Show the values of some metrics (→ heading) in a fold, mean ± standard error over seeds."""
        display(tables.scaling_table(name, self[name], columns))

    def evidence(self, *names: str, note: str = "") -> None:
        """Show which rows of these experiments a figure or table draws."""
        lines = " ".join(coverage(name, self[name]) for name in names)
        display(Markdown(f"*{note} {lines}*".replace("* ", "*", 1)))

    def points(self, figure: Figure) -> None:
        """Show what the points of a figure say, in a fold: for a figure whose rows no other table has."""
        display(tables.points_table(figure))

    def values(self, name: str, metric: str = "test_loss") -> None:
        """Show a figure's values in a fold: ours at the best validation epoch and the last, and the paper's."""
        display(tables.values_table(name, self[name], metric))

    def n50(self, name: str, metric: str = "test_loss") -> None:
        """Show n₅₀ of every series of an experiment with its interval, and the paper's."""
        display(tables.table(tables.n50_frame(name, self[name], metric)))

    def claim_table(self, *claims: str) -> None:
        """Show what was measured for some of the chapter's claims beside the paper's numbers."""
        frame = pd.DataFrame([
            {"": j.claim.statement, "ours": _words(j.measured and j.measured.ours),
             "paper": _words(j.measured and j.measured.paper), "verdict": j.verdict}
            for claim in claims for j in self.judgements if j.claim.id == claim])
        display(tables.table(frame))

    def fit(self, *names: str, metric: str = "test_loss") -> None:
        """Show how near our mean curves are to the paper's, a table for each experiment."""
        for name in names:
            display(Markdown(f"**{experiment(name).title}**"), tables.fit_table(name, self[name], metric))

    def table(self, frame: pd.DataFrame, title: str | None = None,
              formats: Mapping[str, tables.Format] | None = None) -> None:
        """Show a table, under a title that opens it if there is one; formats as `report.table` takes them."""
        display(tables.fold(title, frame, formats) if title else tables.table(frame, formats))

    def _missing(self, name: str) -> bool:
        """Say so, in one line, where an experiment has no rows."""
        if len(self[name]):
            return False
        display(Markdown(f"*No run of this experiment is done yet: `{command()} run {name}`.*"))
        return True

    # ---- numbers ---------------------------------------------------------------------------------------------------

    def glue(self, form: str = "", /, **numbers: Any) -> None:
        """Hand numbers to the prose, which names them: {glue:text}`name`.

        Without a form, a float gets three significant digits and a whole number its thousands. A string stays as it
        is, and None says that nothing was measured.

        Args:
            form: of all these numbers, such as ".2f".
            numbers: name → number. `verdicts` hands over those of the chapter's claims.
        """
        from myst_nb import glue

        for name, value in numbers.items():
            glue(name, _words(format(value, form) if form and value is not None else value), display=False)

    def _glue_claims(self) -> None:
        for j in self.judgements:
            m = j.measured
            values = {"ours": m.ours, "low": m.low, "high": m.high, "paper": m.paper} if m else {}
            numbers = {which: None if value is None else bounded(value, m.bounds) for which, value in values.items()
                       } if m else dict.fromkeys(("ours", "low", "high", "paper"))
            self.glue(**{f"{j.claim.id}.{which}": value for which, value in numbers.items()
                         if not (m and value is None)}, **{f"{j.claim.id}.verdict": j.verdict})
        self._glue_counts(self.judgements)

    def glue_counts(self) -> None:
        """Hand the counts of all verdicts to the prose: claims, held, part, not-held, undecided, not-run."""
        self._glue_counts(shared_scoreboard())

    def _glue_counts(self, judgements: Sequence[Judgement]) -> None:
        counts = [j.verdict for j in judgements]
        self.glue(claims=len(counts), **{verdict.replace("held in ", "").replace(" ", "-"): counts.count(verdict)
                                         for verdict in VERDICTS})

    def mean(self, name: str, series: str, x: float, metric: str = "test_loss") -> float:
        """Returns an experiment's mean over seeds at one x; NaN where no run is done."""
        rows = self[name]
        return float(rows.loc[(rows["series"] == series) & (rows[experiment(name).x] == x), metric].mean())

    def glue_means(self, name: str, series: str, at: Sequence[float], prefix: str, metric: str = "test_loss",
                   digits: int = 2) -> None:
        """Hand our means and the paper's to the prose: PREFIX-x and PREFIX-x.paper for each x of `at`."""
        paper = published(name, series).set_index("x")["y"]
        for x in at:
            ours, theirs = self.mean(name, series, x, metric), paper.get(x)
            self.glue(**{f"{prefix}-{x:g}": None if math.isnan(ours) else f"{ours:.{digits}f}"})
            if theirs is not None:
                self.glue(**{f"{prefix}-{x:g}.paper": f"{theirs:.{digits}f}"})

    # ---- checks, verdicts, commands --------------------------------------------------------------------------------

    def recheck(self, name: str, where: str, *, within: float, metric: str = "test_loss",
                relative: bool = False) -> None:
        """Perform some of an experiment's committed runs again, here and now; the build stops if one differs.

        Args:
            name: the experiment.
            where: a query of pandas over its rows, such as "n == 16 and seed < 2".
            within: by how much the metric may differ from a run's row.
            metric: what is compared.
            relative: whether `within` is a share of the row's number.
        Raises:
            ValueError: no row is meant.
            ResultsDiffer: a run does not give its row's number.
        """
        print(sweeps.recheck(name, where, within, metric, relative))

    def verdicts(self) -> None:
        """Show the verdicts on the chapter's claims, and hand their numbers to the prose.

        The names are ID.ours, ID.low, ID.high, ID.paper, ID.verdict for the claim ID; claims for their number, and
        held, part, not-held, undecided, not-run for the counts.
        """
        display(scoreboard_table(self.judgements))
        self._glue_claims()

    def all_verdicts(self, *wanted: str, filters: bool = False) -> None:
        """Show the verdicts on all claims of the book, or those that are among `wanted`, with menus to choose by."""
        chosen = [j for j in shared_scoreboard() if not wanted or j.verdict in wanted]
        display(scoreboard_table(chosen, filters=filters))

    def verdict_totals(self) -> None:
        """Show how many claims of each origin have which verdict; `inside` and `compared` go to the prose.

        They are how many of the paper's numbers lie in our interval, and of how many.
        """
        judgements = list(shared_scoreboard())
        inside, compared = history.papers_inside(judgements)
        self.glue(inside=inside, compared=compared)
        display(tables.table(history.totals(judgements)))

    def claims_history(self) -> None:
        """Show which claims were stated, changed or dropped when rows of theirs were there, and count them.

        The counts go to the prose: stated, and stated-after, those of which all or some rows were there.
        """
        events = history.read_history()
        stated = events[(events["event"] == "stated") & events["claim"].isin(list(claims()))]
        self.glue(**{"stated": len(stated), "stated-after": int((stated["rows"] > 0).sum())})
        display(tables.fold("Stated, changed or dropped after rows", history.after_rows(events)))

    def commands(self, *names: str) -> None:
        """Show what repeats this page: the chapter's own commands, and that of each experiment with what it costs.

        Args:
            names: the experiments; those that the chapter declares unless given.
        """
        own = list(names) or [e.name for e in of_chapter(self.name)]
        spent = compute_time(pd.concat([self[name] for name in own]).drop_duplicates("key")) if own else "nothing"
        lines = [
            (f"make chapter C={self.name}", "executes this page from the committed rows, live checks included", ""),
            (f"make chapter C={self.name} PROFILE=full", "performs all runs of this page again, then executes it",
             f"the rows took {spent}"),
            *((f"{command()} run {name}", f"performs the runs that results/{experiment(name).path().name} lacks",
               str(sweeps.progress(name))) for name in own),
        ]
        rows = "\n".join(f"| `{words}` | {what} | {cost} |" for words, what, cost in lines)
        display(Markdown(f"| command | what it does | cost |\n|---|---|---|\n{rows}"))


def _words(value: object) -> str:
    """A number as prose has it: three significant digits, thousands with commas, a real minus sign."""
    if value is None:
        return UNMEASURED
    if isinstance(value, str):
        words = value
    elif isinstance(value, int) or hasattr(value, "dtype") and value.dtype.kind in "iu":
        words = f"{value:,}"
    else:
        words = number(float(value))  # type: ignore[arg-type]
    return re.sub(r"(?<!\w)-(?=[\d.])", "−", words)
