"""The table of claims: statement, the paper's number, ours with its interval, the verdict."""

from collections.abc import Iterable, Sequence
from functools import cache

from IPython.display import HTML
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..claims import VERDICTS, Judgement
from ..experiments import experiment
from ..figures.style import X_WORDS
from ..formats import NONE, between, bounded, plain
from ..measures import MEASURES, ORIGINS, Claim
from .words import command

# The class of each verdict in the style sheet.
LOOKS = {"held": "held", "held in part": "part", "not held": "not-held", "undecided": "undecided", "not run": "not-run"}


def scoreboard(judgements: Iterable[Judgement], *, filters: bool = False) -> HTML:
    """Returns the table of claims; a row opens to its chapter, measure, tolerances, rows and the command for them.

    Claims of one family share a row, at the place of the first, that opens to theirs.

    Args:
        judgements: the claims, each once.
        filters: whether menus above it choose among verdicts, origins and chapters; then each claim has an address, its
            id, on the page.
    """
    judgements = list(judgements)
    menus = _menus(judgements) if filters else []
    families: dict[str | int, list[Judgement]] = {}
    for place, j in enumerate(judgements):
        families.setdefault(j.claim.family or place, []).append(j)
    return HTML(_template().render(families=[_family(str(name), members) for name, members in families.items()],
                                   menus=menus, count=len(judgements), prefix="" if filters else "claim-"))


def _family(name: str, members: Sequence[Judgement]) -> dict[str, object]:
    """What the template shows of claims of one family: its question, and how many of them have which verdict."""
    rows, verdicts = [_row(j) for j in members], [j.verdict for j in members]
    classes = {f"{kind}-{row[key]}" for row in rows for kind, key in (("v", "look"), ("c", "chapter"),
                                                                        ("o", "origin_class"))}
    return {"statement": name, "members": rows, "classes": " ".join(sorted(classes)),
            "verdicts": [{"look": LOOKS[v], "words": v, "count": verdicts.count(v)} for v in VERDICTS if v in verdicts]}


@cache
def _template() -> Template:
    loader = PackageLoader("companion", "report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("scoreboard.html.j2")


def _row(j: Judgement) -> dict[str, object]:
    """What the template shows of a claim."""
    c, e, m = j.claim, experiment(j.claim.experiment), j.measured
    measure, tolerance = _evidence(c, e.x)
    within = c.options.get("within")
    only = " --from {:g} --upto {:g}".format(*within) if within else ""
    series = " ".join(f'"{s}"' for s in c.series)
    return {
        "id": c.id, "chapter": c.chapter, "statement": c.statement, "verdict": j.verdict, "look": LOOKS[j.verdict],
        "paper": bounded(m.paper, m.bounds) if m else NONE, "ours": bounded(m.ours, m.bounds) if m else NONE,
        "interval": between(m.low, m.high, m.bounds) if m else "", "origin": c.origin, "unit": unit(c),
        "origin_class": _class_of(c.origin),
        "decided": " · ".join(words for words in (m.evidence if m else "", j.reason) if words),
        "measure": measure, "tolerance": tolerance, "series": c.series, "file": e.path().name,
        "within": " for {} from {:g} to {:g}".format(e.x, *within) if within else "", "coverage": j.coverage,
        "command": f"{command()} run {e.name} --series {series}{only}",
    }


def _class_of(origin: str) -> str:
    """The class of an origin in the style sheet."""
    return origin.replace("'", "").replace(" ", "-")


def unit(claim: Claim) -> str:
    """The unit of a claim's number: its own, the measure's, or else the metric."""
    return claim.unit or MEASURES[claim.measure].unit or plain(claim.options.get("metric", "test_loss"))


def _evidence(claim: Claim, x: str) -> tuple[str, str]:
    """A claim's measure and its tolerances, in words."""
    measure, at = MEASURES[claim.measure], claim.options.get("at")
    words = {"x": X_WORDS["lr"] if x == "lr" else x, "metric": plain(claim.options.get("metric", "test_loss")),
             **({"at": ", ".join(map(str, at))} if isinstance(at, list) else {})}
    tolerance = measure.tolerance.format(**{**claim.options, "held": claim.held, "part": claim.part, **words})
    return measure.words.format(**words), tolerance.removesuffix(", in part if it fails at 0")


def _menus(judgements: Sequence[Judgement]) -> list[dict]:
    """The menus above the table: each option with the class of the rows that it chooses, and their number."""
    verdicts, chapters = [j.verdict for j in judgements], [j.claim.chapter for j in judgements]
    origins = [j.claim.origin for j in judgements]
    return [
        {"label": "verdict", "options": [
            {"value": f"v-{LOOKS[v]}", "words": v, "count": verdicts.count(v)} for v in VERDICTS]},
        {"label": "origin", "options": [
            {"value": f"o-{_class_of(o)}", "words": o, "count": origins.count(o)} for o in ORIGINS if o in origins]},
        {"label": "chapter", "options": [
            {"value": f"c-{c}", "words": c, "count": chapters.count(c)} for c in dict.fromkeys(chapters)]},
    ]
