"""Execute the chapters that changed, then build the pages that changed.

    python tools/build.py book
    python tools/build.py chapter same-different --profile full
    python tools/build.py notebooks
    python tools/build.py pdf

A chapter is executed again when anything it depends on has other bytes than when it was executed last:
see `inputs`. The record is _build/chapters.json, which also tells how long each chapter took. (A cache
that looks at code cells only would serve stale pages after an edit in src/.)
"""

import argparse
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
EXECUTED = BUILD / "executed"
HTML = BUILD / "html"
SINGLE = BUILD / "singlehtml"
PDF, ONE_FILE = BUILD / "book.pdf", BUILD / "book.html"
ARCHIVE = HTML / "notebooks.zip"
RECORD = BUILD / "chapters.json"
REFERENCES = ROOT / "tests" / "notebooks"
TIMINGS = BUILD / "timings.csv"
PROFILES = ("quick", "full")
LAST = "status"  # this chapter tells how long the others took, so it comes after them


# What there is


def chapters():
    """Names of the chapters in the order of _toc.yml: book/NAME.py each."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    names = [toc["root"]]

    def walk(node):
        for part in node.get("parts", []):
            walk(part)
        for entry in node.get("chapters", []) + node.get("sections", []):
            names.append(entry["file"])
            walk(entry)

    walk(toc)
    for name in names:
        if not (ROOT / "book" / f"{name}.py").exists():
            sys.exit(f"_toc.yml lists '{name}', but there is no book/{name}.py")
    return names


def digests(*patterns):
    """{path: digest of its content} for the files that match, below the root."""
    paths = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    generated = ("__pycache__", ".egg-info")
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
        if not any(mark in str(path.relative_to(ROOT)) for mark in generated)
    }


def inputs(name, profile):
    """All that the outputs of a chapter depend on."""
    files = digests(
        f"book/{name}.py", "src/**/*", "book/results/*", "book/published/*", "book/claims.yml",
        "requirements.txt", "tools/execute.py",
    )  # fmt: skip
    if name == LAST:
        files |= digests(str(TIMINGS.relative_to(ROOT)))
    return {"the profile": profile, "the version of Python": platform.python_version(), **files}


# What was done


def load_record():
    """{"chapters": {name: what it was executed with}, "pages": what they were built from}."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {"chapters": {}, "pages": {}}


def save_record(record):
    """Replace the record in one step, so that a killed build leaves a whole one."""
    BUILD.mkdir(exist_ok=True)
    unfinished = RECORD.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(record, indent=1, ensure_ascii=False))
    unfinished.replace(RECORD)


def reason_to_execute(name, profile, record):
    """Why a chapter must be executed: '' if its notebook is what its inputs give."""
    last = record["chapters"].get(name)
    if not last:
        return "it has not been executed yet"
    if digests(f"_build/executed/{name}.ipynb") != last["notebook"]:
        return "its executed notebook is gone or was edited"
    return changed(last["inputs"], inputs(name, profile))


def changed(before, now):
    """Names of what differs between two dictionaries of digests, '' if nothing does."""
    names = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"changed: {', '.join(names[:3])}{more}" if names else ""


# Doing it


def execute(name, profile):
    """Execute one chapter in a process of its own; return what to remember of it, None if it failed.

    The inputs are read before: a file edited while the chapter runs makes it stale, as it should.
    """
    before, start = inputs(name, profile), time.monotonic()
    process = subprocess.run([sys.executable, ROOT / "tools" / "execute.py", name, profile])
    seconds = round(time.monotonic() - start, 1)
    if process.returncode != 0:
        print(f"== {name} FAILED after {seconds} s", flush=True)
        return None
    print(f"== {name} done in {seconds} s", flush=True)
    return {
        "profile": profile,
        "seconds": seconds,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": before,
        "notebook": digests(f"_build/executed/{name}.ipynb"),
    }


def execute_all(reasons, profile, jobs):
    """Execute these chapters, several at once. A failed one is forgotten, the others are kept."""
    record = load_record()
    for name, reason in reasons.items():
        record["chapters"].pop(name, None)
        print(f"== Executing {name} ({profile}): {reason}", flush=True)
    save_record(record)
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(execute, name, profile): name for name in reasons}
        for done in as_completed(running):
            record["chapters"][running[done]] = done.result()
            save_record(record)
    failed = [name for name in reasons if not record["chapters"][name]]
    if failed:
        sys.exit(f"These chapters failed, see above: {', '.join(failed)}. No pages were built.")


def bring_up_to_date(names, jobs):
    """Execute those chapters whose quick outputs are not current."""
    stale = 0
    for some in ([name for name in names if name != LAST], [name for name in names if name == LAST]):
        record = load_record()
        write_timings(record)
        reasons = {name: reason_to_execute(name, "quick", record) for name in some}
        reasons = {name: reason for name, reason in reasons.items() if reason}
        if reasons:
            execute_all(reasons, "quick", jobs)
        stale += len(reasons)
    print(f"== {len(names) - stale} of {len(names)} chapters were up to date", flush=True)


def write_timings(record):
    """What the status page shows of the other chapters."""
    lines = ["chapter,profile,seconds,finished"]
    for name, done in record["chapters"].items():
        if done and name != LAST:
            lines.append(f"{name},{done['profile']},{done['seconds']},{done['finished']}")
    BUILD.mkdir(exist_ok=True)
    TIMINGS.write_text("\n".join([lines[0], *sorted(lines[1:])]) + "\n")


def shown(names):
    """All that the pages are made from."""
    site = digests("_config.yml", "_toc.yml", "requirements.txt", "CITATION.cff", "book/references.bib",
                   "book/_static/**/*", "book/playground/*", "book/points/*", "tools/**/*")  # fmt: skip
    return {"site": site, "notebooks": digests(*[f"_build/executed/{name}.ipynb" for name in names]),
            "docstrings": digests("src/**/*.py")}  # Sphinx sees for itself that the page `api` needs them


def build_pages():
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


def jupyter_book(builder):
    """Run one of Jupyter Book's builders on the executed notebooks."""
    command = [
        Path(sys.executable).parent / "jupyter-book", "build", EXECUTED, "--path-output", ROOT, "--builder", builder,
        "--config", ROOT / "_config.yml", "--toc", ROOT / "_toc.yml", "-W", "--keep-going", "-n",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            line = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
            if re.match(r"(reading sources|writing output)\.\.\. ?\[", line):
                print("  ", line, flush=True)
    if process.returncode != 0:
        sys.exit("The pages were not built: every warning above is an error.")


def stage(names):
    """Put what pages need beside the executed notebooks, and nothing else."""
    for path in EXECUTED.glob("*.ipynb"):
        if path.stem not in names:
            path.unlink()
    shutil.copytree(ROOT / "book" / "_static", EXECUTED / "_static", dirs_exist_ok=True)
    shutil.copy2(ROOT / "book" / "references.bib", EXECUTED)


def build_pdf():
    """Print the book to a PDF and one HTML file, unless both show exactly these notebooks."""
    import print_book

    print_book.chromium()  # its absence is told before anything is built
    names, record = chapters(), load_record()
    now = shown(names)
    if record.get("pdf") == now and PDF.exists() and ONE_FILE.exists():
        print("== The PDF is up to date", flush=True)
        return
    stage(names)
    print("== Building one page of all chapters", flush=True)
    shutil.rmtree(SINGLE, ignore_errors=True)
    jupyter_book("singlehtml")
    print("== Printing it", flush=True)
    toc, config = (yaml.safe_load((ROOT / name).read_text()) for name in ("_toc.yml", "_config.yml"))
    print_book.print_book(SINGLE, toc, config, PDF, ONE_FILE)
    save_record({**record, "pdf": now})


HOW_TO_RUN = """\
The executed notebooks of the book, with the package and the results they read.

    python -m venv .venv && .venv/bin/pip install -r requirements.txt jupyterlab
    .venv/bin/jupyter lab book

Python 3.11 or newer. Every notebook runs by itself, in about a minute at most. Set `profile = "full"` in the cell of
parameters to train a chapter's networks again. The licence is in LICENSE, how to cite in CITATION.cff.
"""


def write_archive(names):
    """All executed notebooks and what they need to run, as a zip file: the same bytes for the same content."""
    needed = digests("src/**/*", "book/results/*.csv", "book/published/*", "book/claims.yml", "requirements.txt",
                     "pyproject.toml", "LICENSE", "CITATION.cff")  # fmt: skip
    content = {name: (ROOT / name).read_bytes() for name in needed}
    content |= {f"book/{name}.ipynb": (EXECUTED / f"{name}.ipynb").read_bytes() for name in names}
    content["HOW-TO-RUN.txt"] = HOW_TO_RUN.encode()
    unfinished = ARCHIVE.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            entry = zipfile.ZipInfo(f"abstract-symbols/{name}")  # dated 1980, whatever the clock says
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, content[name])
    unfinished.replace(ARCHIVE)


def write_references(names):
    """Write the small notebooks that nbval compares with: code cells and what they print or show as text."""
    REFERENCES.mkdir(parents=True, exist_ok=True)
    for name in names:
        notebook = nbformat.read(EXECUTED / f"{name}.ipynb", as_version=4)
        notebook.cells = [
            cell
            for cell in notebook.cells
            if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])
        ]
        for number, cell in enumerate(notebook.cells, start=1):
            tags = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("nbval-")]
            cell.metadata = {"tags": tags} if tags else {}
            cell.id, cell.execution_count = f"cell-{number:03d}", number
            cell.outputs = [text_of(output, number) for output in cell.outputs]
        notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
        nbformat.write(notebook, REFERENCES / f"{name}.ipynb")
        print(f"== Wrote tests/notebooks/{name}.ipynb")
    for path in REFERENCES.glob("*.ipynb"):
        if path.stem not in names:
            path.unlink()
            print(f"== Removed {path.relative_to(ROOT)}: no such chapter")


def text_of(output, number):
    """An output without pictures, of the cell with this number."""
    if "data" in output:
        output.data = {kind: data for kind, data in output.data.items() if kind.startswith("text/")}
        output.metadata = {}
    if "execution_count" in output:
        output.execution_count = number
    return output


# Commands


def book(arguments):
    bring_up_to_date(chapters(), arguments.jobs)
    build_pages()
    write_archive(chapters())
    print(f"\nThe book is ready. Open {(HTML / 'index.html').as_uri()}")


def chapter(arguments):
    """Execute this chapter in any case; of the others only those that have never been."""
    names, name, profile = chapters(), arguments.name, arguments.profile
    if name not in names:
        sys.exit(f"There is no chapter '{name}'. Say C= one of: {', '.join(names)}")
    if profile not in PROFILES:
        sys.exit(f"There is no profile '{profile}'. Say PROFILE= one of: {', '.join(PROFILES)}")
    execute_all({name: "asked for"}, profile, jobs=1)
    bring_up_to_date([other for other in names if not (EXECUTED / f"{other}.ipynb").exists()], jobs=2)
    build_pages()
    write_archive(names)
    print(f"\nPage:     {(HTML / name).with_suffix('.html').as_uri()}\nNotebook: {EXECUTED / name}.ipynb")


def notebooks(arguments):
    names = chapters()
    bring_up_to_date(names, arguments.jobs)
    write_references(names)


def pdf(arguments):
    bring_up_to_date(chapters(), arguments.jobs)
    build_pdf()
    print(f"\nThe book on paper: {PDF.as_uri()}\nIn one file:       {ONE_FILE.as_uri()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for command in (book, chapter, notebooks, pdf):
        sub = commands.add_parser(command.__name__)
        sub.set_defaults(command=command)
        sub.add_argument("--jobs", type=int, default=2, help="chapters executed at once")
        if command is chapter:
            sub.add_argument("name")
            sub.add_argument("--profile", default="quick")
    arguments = parser.parse_args()
    try:
        arguments.command(arguments)
    except KeyboardInterrupt:
        sys.exit("\nStopped. What was done is kept; the same command goes on from here.")


if __name__ == "__main__":
    main()
