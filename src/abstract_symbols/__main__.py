"""`python -m abstract_symbols list | run NAME … | verify | bench`."""

import argparse
import sys
from pathlib import Path

from companion import cli, paths


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status. A bad value ends with one line that says what is right."""
    paths.use(Path(__file__).resolve().parents[2])
    parser, commands = cli.parser("python -m abstract_symbols", "The experiments and claims of this book.")
    bench = commands.add_parser("bench", help="measure the speed of training and of the kernel, and write it down")
    bench.set_defaults(perform=_bench)
    bench.add_argument("kind", nargs="?", choices=("training", "kernel"), help="one of the two (default: both)")
    bench.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    bench.add_argument("--members", type=int, default=8, help="networks trained at once (default: 8)")
    return cli.execute(parser, arguments)


def _bench(arguments: argparse.Namespace) -> int:
    root = str(paths.project().root)
    if root not in sys.path:
        sys.path.append(root)
    try:
        from benchmarks import measure
    except ModuleNotFoundError:
        raise ValueError(f"the benchmarks are not part of the package, and there is no folder {root}/benchmarks; "
                         "run this in a clone of the repository") from None
    return measure(arguments.kind, arguments.device, arguments.members)


if __name__ == "__main__":
    sys.exit(main())
