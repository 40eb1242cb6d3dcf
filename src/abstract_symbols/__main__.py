"""`python -m abstract_symbols list | run NAME … | verify | bench`."""

import argparse
import sys

from . import experiments, runs


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status. A bad value ends with one line that says what is right."""
    parser = argparse.ArgumentParser(prog="python -m abstract_symbols", description="The companion's experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every experiment, its grid, what is done and what the rest costs")
    run = commands.add_parser("run", help="perform the runs that the results of experiments lack")
    run.add_argument("names", nargs="+", metavar="NAME",
                     help="an experiment that `list` shows; several are done in this order")
    run.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    run.add_argument("--minutes", type=float, help="start nothing new after so long")
    run.add_argument("--workers", type=int, help="processes of one thread each (default: all cores; 1 on a GPU)")
    run.add_argument("--series", nargs="+", default=(), help="only these series (default: all)")
    run.add_argument("--from", type=float, default=float("-inf"), metavar="X", dest="first",
                     help="only runs from this n on, or whatever is on the figure's horizontal axis")
    run.add_argument("--upto", type=float, default=float("inf"), metavar="X",
                     help="only runs up to this n")
    run.add_argument("--scheduler", metavar="ADDRESS", help="let the workers of this Dask scheduler do the work")
    commands.add_parser("verify", help="check every results file, and judge every claim from them")
    bench = commands.add_parser("bench", help="measure the speed of training and of the kernel, and write it down")
    bench.add_argument("kind", nargs="?", choices=("training", "kernel"), help="one of the two (default: both)")
    bench.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    bench.add_argument("--members", type=int, default=8, help="networks trained at once (default: 8)")
    args = parser.parse_args(arguments)
    try:
        return {"list": _list, "run": _run, "verify": _verify, "bench": _bench}[args.command](args)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; every finished run is kept, the same command goes on from there", file=sys.stderr)
        return 130


def _list(args: argparse.Namespace) -> int:
    for e in experiments.EXPERIMENTS.values():
        progress = experiments.progress(e.name)
        grid = ", ".join(f"{k} = {v[0]} … {v[-1]} ({len(v)})" for k, v in e.grid.items())
        seeds = e.seeds if isinstance(e.seeds, int) else ", ".join(f"{s}: {n}" for s, n in e.seeds.items())
        others = f", from {e.first_seed} on" if e.first_seed else ""
        print(f"{e.name}: {e.title}\n  {' | '.join(e.series)}; {grid}; seeds: {seeds}{others}")
        for series, (done, total) in progress.done.items():
            print(f"  {series}: {done} of {total} runs done")
        if progress.missing:
            print(f"  {progress}")
    return 0


def _run(args: argparse.Namespace) -> int:
    missing = experiments.run(*args.names, device=args.device, minutes=args.minutes, workers=args.workers,
                              scheduler=args.scheduler, series=args.series, first=args.first, upto=args.upto)
    names = ", ".join(args.names)
    print(f"{names}: {missing} runs missing; the same command goes on" if missing else f"{names}: complete")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from .claims import scoreboard

    for e in experiments.EXPERIMENTS.values():
        print(f"{e.path().name}: {len(experiments.read_rows(e.path(), e.kind))} rows, each whole and with its own key")
    for j in scoreboard():
        value = f" {j.measured.ours:.3g} [{j.measured.low:.3g}, {j.measured.high:.3g}]" if j.measured else ""
        paper = f", paper {j.measured.paper:.3g}" if j.measured and j.measured.paper is not None else ""
        print(f"{j.claim.id}: {j.verdict}{value}{paper} ({j.coverage})")
    return 0


def _bench(args: argparse.Namespace) -> int:
    from . import bench

    device = runs.pick_device(args.device)
    measures = {"training": lambda: bench.training(device, args.members), "kernel": lambda: bench.kernel(device)}
    for kind in [args.kind] if args.kind else measures:
        rows = measures[kind]()
        for row in rows:
            print("  ".join(f"{k}={v}" for k, v in row.items() if v is not None))
        print(f"written to {bench.write(f'{kind}-{device}', rows, device)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
