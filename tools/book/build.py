"""Execute the chapters that changed, then build the pages that changed.

    python tools/book/build.py book
    python tools/book/build.py chapter same-different --profile full
    python tools/book/build.py notebooks
    python tools/book/build.py pdf
    python tools/book/build.py book --project examples/another-paper

It works in the folder of a project (see companion.paths): the nearest one from here upwards, or --project.
A chapter is executed again when anything its outputs depend on has other bytes than when it was executed last: see
`inputs`. When only its prose changed, the executed notebook gets the new prose. The record is _build/chapters.json,
which also tells how long each chapter took. (A cache that looks at code cells only would serve stale pages after an
edit in src/.)
"""

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import notebooks
import references
import yaml

from companion import paths

HERE = Path(__file__).resolve().parents[2]  # where these tools and companion are, which every project stands on
TOOLS = HERE / "tools"
# In the folder of the project
BUILD = Path("_build")
EXECUTED = notebooks.EXECUTED
HTML = BUILD / "html"
SINGLE = BUILD / "singlehtml"
PDF, ONE_FILE, EXCERPT = BUILD / "book.pdf", BUILD / "book.html", BUILD / "excerpt"
ARCHIVE = HTML / "notebooks.zip"
RECORD = BUILD / "chapters.json"
TIMINGS = BUILD / "timings.csv"
PROFILES = ("quick", "full")
LAST = "status"  # this chapter tells how long the others took, so it comes after them


# What there is


def chapters() -> list[str]:
    """Names of the chapters in the order of _toc.yml: book/NAME.py each."""
    toc = yaml.safe_load(Path("_toc.yml").read_text())
    names = [toc["root"]]

    def walk(node: dict) -> None:
        for part in node.get("parts", []):
            walk(part)
        for entry in node.get("chapters", []) + node.get("sections", []):
            names.append(entry["file"])
            walk(entry)

    walk(toc)
    for name in names:
        if not Path("book", f"{name}.py").exists():
            sys.exit(f"_toc.yml lists '{name}', but there is no book/{name}.py")
    return names


def digests(*patterns: str, root: Path = Path()) -> dict[str, str]:
    """{path below the root: digest of its content} for the files that match."""
    paths = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    generated = ("__pycache__", ".egg-info")
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if not any(mark in str(path) for mark in generated)
    }


def sources() -> dict[str, str]:
    """Digests of all code that chapters import."""
    return digests(*[f"{folder}/**/*" for folder in paths.project().sources]) | digests("src/companion/**/*", root=HERE)


def shared_inputs() -> dict[str, str]:
    """Digests of what the outputs of every chapter depend on."""
    return {
        "the version of Python": platform.python_version(),
        **sources(),
        **digests("book/results/*.csv", "book/published/*", "book/claims.yml", "requirements.txt"),
        **digests("tools/book/execute.py", "tools/book/notebooks.py", root=HERE),
    }


def inputs(name: str, profile: str, shared: dict[str, str], last: dict | None = None) -> dict[str, str]:
    """All that the outputs of a chapter depend on. Its prose is not among it.

    `last` is what is remembered of it: a source that has the same bytes is not read again.
    """
    if last and last.get("text") == text(name):
        code = last["inputs"]["its code"]
    else:
        code = notebooks.code_digest(notebooks.source(name))
    own = digests(str(TIMINGS)) if name == LAST else {}
    return {"the profile": profile, "its code": code, **shared, **own}


def text(name: str) -> dict[str, str]:
    """A digest of the chapter's source, with its prose."""
    return digests(f"book/{name}.py")


# What was done


def load_record() -> dict:
    """{"chapters": {name: what it was executed with}, "pages": what they were built from}."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {"chapters": {}, "pages": {}}


def save_record(record: dict) -> None:
    """Replace the record in one step, so that a killed build leaves a whole one."""
    BUILD.mkdir(exist_ok=True)
    unfinished = RECORD.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(record, indent=1, ensure_ascii=False))
    unfinished.replace(RECORD)


def reason_to_execute(name: str, profile: str, record: dict, shared: dict[str, str]) -> str:
    """Why a chapter must be executed: '' if the outputs in its notebook are what its inputs give."""
    last = record["chapters"].get(name)
    if not last:
        return "it has not been executed yet"
    if digests(f"{EXECUTED}/{name}.ipynb") != last["notebook"]:
        return "its executed notebook is gone or was edited"
    return changed(last["inputs"], inputs(name, profile, shared, last))


def changed(before: dict[str, str], now: dict[str, str]) -> str:
    """Names of what differs between two dictionaries of digests, '' if nothing does."""
    names = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"changed: {', '.join(names[:3])}{more}" if names else ""


# Doing it


def execute(name: str, profile: str) -> dict | None:
    """Execute one chapter in a process of its own; return what to remember of it, None if it failed.

    The inputs are read before: a file edited while the chapter runs makes it stale, as it should.
    """
    before, source, start = inputs(name, profile, shared_inputs()), text(name), time.monotonic()
    succeeded = run_cells(name, profile)
    seconds = round(time.monotonic() - start, 1)
    if not succeeded:
        print(f"== {name} FAILED after {seconds} s", flush=True)
        return None
    print(f"== {name} done in {seconds} s", flush=True)
    return {
        "profile": profile,
        "seconds": seconds,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": before,
        "text": source,
        "notebook": digests(f"{EXECUTED}/{name}.ipynb"),
    }


def run_cells(name: str, profile: str) -> bool:
    """Run a chapter's cells and write its notebook; whether that succeeded."""
    return subprocess.run([sys.executable, TOOLS / "book" / "execute.py", name, profile]).returncode == 0


def execute_all(reasons: dict[str, str], profile: str, jobs: int) -> None:
    """Execute these chapters, several at once, the longest first. A failed one is forgotten, the others are kept."""
    record = load_record()
    order = longest_first(list(reasons), record)
    for name in order:
        record["chapters"].pop(name, None)
        print(f"== Executing {name} ({profile}): {reasons[name]}", flush=True)
    save_record(record)
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(execute, name, profile): name for name in order}
        for done in as_completed(running):
            record["chapters"][running[done]] = done.result()
            save_record(record)
    failed = [name for name in reasons if not record["chapters"][name]]
    if failed:
        sys.exit(f"These chapters failed, see above: {', '.join(failed)}. No pages were built.")


def longest_first(names: list[str], record: dict) -> list[str]:
    """The chapters by the seconds that they took; those not known come first, by the length of their source."""

    def length(name: str) -> tuple[float, int]:
        last = record["chapters"].get(name) or {}
        return last.get("seconds", float("inf")), Path("book", f"{name}.py").stat().st_size

    return sorted(names, key=length, reverse=True)


def bring_up_to_date(names: list[str], jobs: int, profile: str = "quick") -> None:
    """Execute those chapters whose outputs are not current, and give new prose to the others."""
    stale = 0
    for some in ([name for name in names if name != LAST], [name for name in names if name == LAST]):
        record, shared = load_record(), shared_inputs()
        write_timings(record)
        reasons = {name: reason_to_execute(name, profile, record, shared) for name in some}
        reasons = {name: reason for name, reason in reasons.items() if reason}
        renew_prose([name for name in some if name not in reasons], record)
        if reasons:
            execute_all(reasons, profile, jobs)
        stale += len(reasons)
    print(f"== {len(names) - stale} of {len(names)} chapters were up to date", flush=True)


def renew_prose(names: list[str], record: dict) -> None:
    """Give the executed notebooks of these chapters the prose they have now. Their code is as it was."""
    for name in names:
        last, now = record["chapters"][name], text(name)
        if now != last["text"]:
            print(f"== New prose for {name}", flush=True)
            notebooks.splice(name)
            last |= {"text": now, "notebook": digests(f"{EXECUTED}/{name}.ipynb")}
            save_record(record)


def write_timings(record: dict) -> None:
    """What the status page shows of the other chapters."""
    lines = ["chapter,profile,seconds,finished"]
    for name, done in record["chapters"].items():
        if done and name != LAST:
            lines.append(f"{name},{done['profile']},{done['seconds']},{done['finished']}")
    BUILD.mkdir(exist_ok=True)
    TIMINGS.write_text("\n".join([lines[0], *sorted(lines[1:])]) + "\n")


def shown(names: Iterable[str]) -> dict:
    """All that the pages are made from."""
    site = digests("_config.yml", "_toc.yml", "requirements.txt", "CITATION.cff", "book/references.bib",
                   "book/_static/**/*", "book/playground/*") | digests("tools/**/*", root=HERE)
    return {"site": site, "notebooks": digests(*[f"{EXECUTED}/{name}.ipynb" for name in names]),
            "docstrings": sources()}  # Sphinx sees for itself which pages need them


def build_pages() -> None:
    """Build the pages with Jupyter Book, unless they show exactly these notebooks."""
    names, record = chapters(), load_record()
    before, now = record["pages"], shown(names)
    if before == now and all((HTML / f"{name}.html").exists() for name in names):
        print("== The pages are up to date", flush=True)
        return
    save_record({**record, "pages": {}})
    # Sphinx warns about a page only when it reads it. After a build that did not end well, or a change that
    # touches every page, it reads them all.
    if before.get("site") != now["site"]:
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        shutil.rmtree(HTML, ignore_errors=True)
    stage(names)
    print("== Building the pages", flush=True)
    jupyter_book("html")
    save_record({**record, "pages": now})


def jupyter_book(builder: str) -> None:
    """Run one of Jupyter Book's builders on the executed notebooks."""
    command = [
        Path(sys.executable).parent / "jupyter-book", "build", EXECUTED, "--path-output", ".", "--builder", builder,
        "--config", "_config.yml", "--toc", Path("_toc.yml").resolve(), "-W", "--keep-going", "-n",
    ]
    extensions = {"PYTHONPATH": os.pathsep.join([str(TOOLS / "sphinx"), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | extensions) as process:
        for line in process.stdout or ():
            line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
            if re.match(r"(reading sources|writing output)\.\.\. ?\[", line):
                print("  ", line, flush=True)
    if process.returncode != 0:
        sys.exit("The pages were not built: every warning above is an error.")


def stage(names: Iterable[str]) -> None:
    """Put what pages need beside the executed notebooks, and nothing else."""
    for path in EXECUTED.glob("*.ipynb"):
        if path.stem not in names:
            path.unlink()
    for path in (Path("book/_static"), Path("book/references.bib")):
        if path.is_dir():
            shutil.copytree(path, EXECUTED / path.name, dirs_exist_ok=True)
        elif path.exists():
            shutil.copy2(path, EXECUTED)


def build_pdf(names: list[str], pdf: Path = PDF, one_file: Path = ONE_FILE) -> None:
    """Print these chapters to a PDF and one HTML file, unless both show exactly their notebooks."""
    sys.path.append(str(TOOLS / "sphinx"))  # the cover cites as the first page does
    import print_book

    print_book.chromium()  # its absence is told before anything is built
    record = load_record()
    now = {**shown(chapters()), "printed": names}
    if record.get(str(pdf)) == now and pdf.exists() and one_file.exists():
        print("== The PDF is up to date", flush=True)
        return
    stage(chapters())
    print("== Building one page of all chapters", flush=True)
    shutil.rmtree(SINGLE, ignore_errors=True)
    jupyter_book("singlehtml")
    print("== Printing it", flush=True)
    toc, config = (yaml.safe_load(Path(name).read_text()) for name in ("_toc.yml", "_config.yml"))
    print_book.print_book(SINGLE, toc, config, names, pdf, one_file)
    save_record({**load_record(), str(pdf): now})


HOW_TO_RUN = """\
The executed notebooks of the book, with the packages and the results they read.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt jupyterlab
    .venv/bin/jupyter lab book

Python 3.11 or newer. Every notebook runs by itself, in about a minute at most. Set `profile = "full"` in the cell of
parameters to train a chapter's networks again. The licence is in LICENSE, how to cite in CITATION.cff.
"""


def write_archive(names: Iterable[str]) -> None:
    """All executed notebooks and what they need to run, as a zip file: the same bytes for the same content."""
    needed = [*sources(), *digests("book/results/*.csv", "book/published/*", "book/claims.yml", "requirements.txt",
                                   "pyproject.toml", "README.md", "LICENSE", "CITATION.cff")]
    content = {name: (Path(name) if Path(name).exists() else HERE / name).read_bytes() for name in needed}
    content |= {f"book/{name}.ipynb": (EXECUTED / f"{name}.ipynb").read_bytes() for name in names}
    content["HOW-TO-RUN.txt"] = HOW_TO_RUN.encode()
    folder = tomllib.loads(Path("pyproject.toml").read_text())["project"]["name"]
    unfinished = ARCHIVE.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"{folder}/{name}")  # dated 1980, whatever the clock says
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content[name])
    unfinished.replace(ARCHIVE)


# Commands


def book(arguments: argparse.Namespace) -> None:
    bring_up_to_date(chapters(), arguments.jobs)
    build_pages()
    write_archive(chapters())
    print(f"\nThe book is ready. Open {(HTML / 'index.html').resolve().as_uri()}")


def chapter(arguments: argparse.Namespace) -> None:
    """Bring this chapter up to date; of the others only those that have never been executed."""
    names, name, profile = chapters(), arguments.name, arguments.profile
    if name not in names:
        sys.exit(f"There is no chapter '{name}'. Say C= one of: {', '.join(names)}")
    if profile not in PROFILES:
        sys.exit(f"There is no profile '{profile}'. Say PROFILE= one of: {', '.join(PROFILES)}")
    bring_up_to_date([name], 1, profile)
    missing = [other for other in names if not (EXECUTED / f"{other}.ipynb").exists()]
    if missing:
        bring_up_to_date(missing, arguments.jobs)
    build_pages()
    write_archive(names)
    page = (HTML / name).with_suffix(".html").resolve()
    print(f"\nPage:     {page.as_uri()}\nNotebook: {(EXECUTED / name).resolve()}.ipynb")


def write_references(arguments: argparse.Namespace) -> None:
    names = chapters()
    bring_up_to_date(names, arguments.jobs)
    references.write_references(names)


def pdf(arguments: argparse.Namespace) -> None:
    """All chapters, or with --only an excerpt in files of its own."""
    names, only = chapters(), arguments.only and {chapters()[0], *arguments.only}
    bring_up_to_date(names, arguments.jobs)
    files = (EXCERPT.with_suffix(".pdf"), EXCERPT.with_suffix(".html")) if only else (PDF, ONE_FILE)
    build_pdf([name for name in names if name in (only or names)], *files)
    print("\nThe book on paper: {}\nIn one file:       {}".format(*(file.resolve().as_uri() for file in files)))


COMMANDS = {"book": book, "chapter": chapter, "notebooks": write_references, "pdf": pdf}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name)
        sub.set_defaults(command=command)
        sub.add_argument("--jobs", type=int, default=2, help="chapters executed at once")
        sub.add_argument("--project", help="folder of the project, if not this one")
        if command is chapter:
            sub.add_argument("name")
            sub.add_argument("--profile", default="quick")
        if command is pdf:
            sub.add_argument("--only", nargs="+", help="names of the chapters to print")
    arguments = parser.parse_args()
    if arguments.project:
        os.environ[paths.VARIABLE] = str(Path(arguments.project).resolve())  # the chapters' kernels see it too
    try:
        os.chdir(paths.project().root)
    except ValueError as error:
        sys.exit(str(error))
    try:
        arguments.command(arguments)
    except KeyboardInterrupt:
        sys.exit("\nStopped. What was done is kept; the same command goes on from here.")


if __name__ == "__main__":
    main()
