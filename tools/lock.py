"""Writes requirements.txt: one exact version of every package, from the ranges in pyproject.toml. Prints what changed.

Versions that requirements.txt already has are kept, so that only what is named moves:

    make lock                                   # after an edit of pyproject.toml
    make lock ARGS="--upgrade sphinx-design"    # this package to the newest version that fits
    make lock ARGS="--upgrade-all"

uv does the work, for Python 3.11 and newer on Linux and macOS. It reads metadata only and installs nothing.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# One exact version of every package in .venv. Written by `make lock` from the ranges in pyproject.toml: edit those.
# Left out: what a build of torch brings along (nvidia-*, triton), because that differs by machine; pip and setuptools.
"""
# A lock that named these would bind everyone to one build of torch; with pip a machine's own build brings its own.
OF_THE_MACHINE = re.compile(r"(nvidia-|cuda-|triton\b|pip\b|setuptools\b|wheel\b)")
ELSEWHERE = re.compile(r"== '(pypy|emscripten|win32)'")  # interpreters and systems that the project does not run on


def normal(name: str) -> str:
    """Returns the one spelling of a distribution's name: lower case, hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, str]:
    """Returns {name: version} of a requirements file; several versions for several Pythons are joined by " | "."""
    versions: dict[str, str] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;#]+)", text, re.MULTILINE):
        versions[normal(name)] = f"{versions[normal(name)]} | {version}" if normal(name) in versions else version
    return versions


def cleaned(compiled: str) -> str:
    """Returns the requirements file for uv's output: no packages of the machine, and this package itself at the end."""
    lines = [line.rstrip() for line in compiled.splitlines() if re.match(r"[\w.-]+==", line)]
    lines = [line.replace("abstract-symbols (pyproject.toml)", "abstract-symbols") for line in lines
             if not OF_THE_MACHINE.match(line) and not ELSEWHERE.search(line)]
    return HEADER + "\n" + "\n".join(lines) + "\n\n-e .\n"


def changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Returns a table "name old -> new" of the versions that differ, a line each."""
    differ = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    width = max(map(len, differ), default=0)
    return [f"{name:{width}}  {old.get(name, '(new)')} -> {new.get(name, '(gone)')}" for name in differ]


def main() -> None:
    """Refreshes requirements.txt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upgrade", metavar="NAME", nargs="+", default=[], help="these to their newest versions")
    parser.add_argument("--upgrade-all", action="store_true", help="all packages to their newest versions")
    wanted = parser.parse_args()

    lock = ROOT / "requirements.txt"
    before = lock.read_text(encoding="utf-8")
    unknown = {normal(name) for name in wanted.upgrade} - locked(before).keys()
    if unknown:
        sys.exit(f"{', '.join(sorted(unknown))}: not in requirements.txt. Add it to pyproject.toml first.")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.txt"
        output.write_text(before.replace("-e .", ""), encoding="utf-8")  # uv prefers the versions that it finds here
        options = ["--upgrade"] if wanted.upgrade_all else [f"--upgrade-package={name}" for name in wanted.upgrade]
        subprocess.run([sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal",
                        "--python-version=3.11", "--annotation-style=line", "--no-header", "--quiet",
                        f"--output-file={output}", *options], cwd=ROOT, check=True)
        after = cleaned(output.read_text(encoding="utf-8"))
    lock.write_text(after, encoding="utf-8")
    print("\n".join(changes(locked(before), locked(after))) or "requirements.txt has not changed.")


if __name__ == "__main__":
    main()
