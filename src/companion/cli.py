"""The command line of a project: `python -m companion list | run NAME … | verify`."""

import argparse
import sys
from collections.abc import Callable

from . import sweeps
from .claims import scoreboard
from .experiments import experiments
from .formats import between, bounded
from .results import read_rows


def parser(program: str = "python -m companion", description: str = "The project's experiments and claims.",
           ) -> tuple[argparse.ArgumentParser, argparse._SubParsersAction]:
    """Returns a parser with the commands that every project has, and the place for more of them."""
    whole = argparse.ArgumentParser(prog=program, description=description)
    commands = whole.add_subparsers(dest="command", required=True)
    command = commands.add_parser("list", help="every experiment, its grid, what is done and what the rest costs")
    command.set_defaults(perform=_list)
    run = commands.add_parser("run", help="perform the runs that the results of experiments lack")
    run.set_defaults(perform=_run)
    run.add_argument("names", nargs="+", metavar="NAME",
                     help="an experiment that `list` shows; several are done in this order")
    run.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    run.add_argument("--minutes", type=float, help="stop starting runs after this many minutes")
    run.add_argument("--workers", type=int, help="processes of one thread each (default: all cores; 1 on a GPU)")
    run.add_argument("--series", nargs="+", default=(), help="only these series (default: all)")
    run.add_argument("--from", type=float, default=float("-inf"), metavar="X", dest="first",
                     help="smallest n, or other x of the experiment")
    run.add_argument("--upto", type=float, default=float("inf"), metavar="X",
                     help="largest n, or other x of the experiment")
    run.add_argument("--scheduler", metavar="ADDRESS", help="let the workers of this Dask scheduler do the work")
    command = commands.add_parser("verify", help="check every results file, and judge every claim from them")
    command.set_defaults(perform=_verify)
    return whole, commands


def execute(whole: argparse.ArgumentParser, arguments: list[str] | None = None) -> int:
    """Run the command that was asked for; return the exit status. A bad value ends with one line on what is right."""
    chosen = whole.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.perform
    try:
        return command(chosen)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; every finished run is kept, the same command goes on from there", file=sys.stderr)
        return 130


def _list(arguments: argparse.Namespace) -> int:
    for e in experiments().values():
        progress = sweeps.progress(e.name)
        grid = ", ".join(f"{k} = {v[0]} … {v[-1]} ({len(v)})" for k, v in e.grid.items())
        seeds = e.seeds if isinstance(e.seeds, int) else ", ".join(f"{s}: {n}" for s, n in e.seeds.items())
        others = f", from {e.first_seed} on" if e.first_seed else ""
        print(f"{e.name}: {e.title}\n  {' | '.join(e.series)}; {grid}; seeds: {seeds}{others}")
        for series, (done, total) in progress.done.items():
            print(f"  {series}: {done} of {total} runs done")
        if progress.missing:
            print(f"  {progress}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    missing = sweeps.run(*arguments.names, device=arguments.device, minutes=arguments.minutes,
                         workers=arguments.workers, scheduler=arguments.scheduler, series=arguments.series,
                         first=arguments.first, upto=arguments.upto)
    names = ", ".join(arguments.names)
    print(f"{names}: {missing} runs missing; the same command goes on" if missing else f"{names}: complete")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    for e in experiments().values():
        print(f"{e.path().name}: {len(read_rows(e.path(), e.kind))} rows, each whole and with its own key")
    for j in scoreboard():
        words = [f"{j.claim.id}: {j.verdict}"]
        if m := j.measured:
            words += [bounded(m.ours, m.bounds), between(m.low, m.high, m.bounds)]
            words += [f"against {bounded(m.paper, m.bounds)} in the paper" if m.paper is not None else "", m.evidence]
        print(" ".join(filter(None, [*words, f"({j.coverage})", j.reason])))
    return 0
