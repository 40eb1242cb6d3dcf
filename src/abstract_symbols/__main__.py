"""`python -m abstract_symbols list | run NAME | verify | bench`."""

import argparse
import sys

from . import experiments


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status. A bad value ends with one line that says what is right."""
    parser = argparse.ArgumentParser(prog="python -m abstract_symbols", description="Run the companion's experiments.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every experiment, its grid, what is done and what the rest costs")
    run = commands.add_parser("run", help="perform the runs that an experiment's results lack")
    run.add_argument("name")
    run.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    run.add_argument("--minutes", type=float, help="start nothing new after so long")
    run.add_argument("--workers", type=int, help="processes of one thread each (default: all cores; 1 on a GPU)")
    args = parser.parse_args(arguments)
    try:
        return {"list": _list, "run": _run}[args.command](args)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _list(args: argparse.Namespace) -> int:
    for e in experiments.EXPERIMENTS.values():
        runs = e.runs()
        print(f"{e.name}: {e.title}\n  {len(experiments.load(e.name))} of {len(runs)} runs done")
    return 0


def _run(args: argparse.Namespace) -> int:
    missing = experiments.run(args.name, device=args.device, minutes=args.minutes, workers=args.workers)
    print(f"{args.name}: {missing} runs missing" if missing else f"{args.name}: complete")
    return 0


if __name__ == "__main__":
    sys.exit(main())
