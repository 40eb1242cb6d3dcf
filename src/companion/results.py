"""Results files: rows that are appended whole, each with a key that its own fields give, never changed afterwards.

One row is one run: its key, its fields, its metrics, and the circumstances (seconds, device, torch, commit).
"""

import csv
import fcntl
import io
import os
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pandas as pd

from .experiments import experiment
from .runs import Job, columns


def _text(cell: str) -> str:
    if not cell:
        raise ValueError("empty cell")
    return cell


def _truth(cell: str) -> bool:
    if cell not in ("True", "False"):
        raise ValueError(f"{cell!r} is neither True nor False")
    return cell == "True"


def _converter(kind: type) -> Callable[[str], object]:
    """How a cell of a column becomes its value; the ValueError of a bad one says what is wrong with it."""
    if kind in (str, int, float, bool):
        return {str: _text, bool: _truth}.get(kind, kind)
    convert = _converter(next(k for k in kind.__args__ if k is not type(None)))  # type: ignore[attr-defined]
    return lambda cell: convert(cell) if cell else None


def read_rows(path: Path, kind: type[Job]) -> list[dict]:
    """Returns the rows of a results file with runs of a kind, each cell parsed and each key checked against its fields.

    A file is parsed once, and again only when it has changed. One of no bytes, as a crash at its creation leaves it,
    has no rows.

    Raises:
        ValueError: with file, line and column, for a row that is cut off, corrupted or there twice.
    """
    try:
        state = path.stat()
    except OSError:
        return []
    return list(_read(path.resolve(), cast(Any, kind), state.st_mtime_ns, state.st_size, path))


@lru_cache(maxsize=256)
def _read(_: Path, kind: type[Job], __: int, size: int, path: Path) -> tuple[dict, ...]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text:
        return ()
    lines = text.split("\n")
    header = _header(path, lines, kind)
    types = columns(kind)
    converters = {column: _converter(types[column]) for column in header}
    rows: list[dict] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:-1], start=2):
        row = _read_row(path, number, line, kind, converters)
        if row["key"] in seen:
            raise ValueError(f"{path}, line {number}, column key: {row['key']} is already on line {seen[row['key']]}")
        seen[row["key"]] = number
        rows.append(row)
    return tuple(rows)


def _header(path: Path, lines: list[str], kind: type[Job]) -> list[str]:
    """The columns of a results file, of which all are known and none is missing."""
    header = next(csv.reader([lines[0]]))
    known = columns(kind)
    if unknown := [c for c in header if c not in known]:
        raise ValueError(f"{path}, line 1, column {unknown[0]}: unknown column in the header")
    if twice := [c for i, c in enumerate(header) if c in header[:i]]:
        raise ValueError(f"{path}, line 1, column {twice[0]}: stands twice in the header")
    if lines[-1] != "":
        raise ValueError(f"{path}, line {len(lines)}, column {header[min(lines[-1].count(','), len(header) - 1)]}: "
                         "the row is cut off (no end of line); remove it and run again")
    optional = {f.name for f in fields(kind) if f.default is not MISSING}
    if lacking := [c for c in known if c not in header and c not in optional]:
        raise ValueError(f"{path}, line 1, column {lacking[0]}: missing from the header")
    return header


def _read_row(path: Path, number: int, line: str, kind: type[Job],
              converters: dict[str, Callable[[str], object]]) -> dict:
    cells = next(csv.reader([line]), [])
    if len(cells) != len(converters):
        header = list(converters)
        column = header[len(cells) - 1] if 0 < len(cells) < len(header) else header[-1]
        raise ValueError(f"{path}, line {number}, column {column}: {len(cells)} cells instead of {len(header)}; "
                         "restore or remove the row and run again")
    row: dict[str, object] = {}
    try:
        for (column, convert), cell in zip(converters.items(), cells, strict=True):
            row[column] = convert(cell)
    except ValueError as error:
        raise ValueError(f"{path}, line {number}, column {column}: {error if cell else 'empty cell'}; restore or "
                         "remove the row") from None
    if (key := kind.key_of(row)) != row["key"]:
        raise ValueError(f"{path}, line {number}, column key: {row['key']} does not belong to the row's fields "
                         f"({key}); a cell was changed")
    return row


def _line(cells: Iterable) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(["" if c is None else c for c in cells])
    return buffer.getvalue().encode()


class ResultsFile:
    """A results file held for appending: one writer at a time, whole rows, each on disk before the next.

    Raises: ValueError when another process holds it, or when a row in it is broken (nothing is written then).
    """

    def __init__(self, path: Path, kind: type[Job]) -> None:
        self.path, self.kind = path, kind
        self.defaults = {**dict.fromkeys(columns(kind)), **{f.name: f.default for f in fields(kind)}}

    def __enter__(self) -> "ResultsFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.lock)
            raise ValueError(f"{self.path}: another process is adding rows; wait for it or stop it") from None
        try:
            self._open()
        except BaseException:
            os.close(self.lock)
            raise
        return self

    def _open(self) -> None:
        self.rows = read_rows(self.path, self.kind)
        header = self.path.read_bytes().split(b"\n")[0] if self.path.exists() else b""
        if header + b"\n" != _line(self.defaults):  # a new file, or one from before a field was added
            self._replace(b"".join([_line(self.defaults), *(_line(self._cells(row)) for row in self.rows)]))

    def __exit__(self, *_: object) -> None:
        os.close(self.lock)

    def _cells(self, row: dict) -> list:
        return [row.get(column, default) for column, default in self.defaults.items()]

    def _replace(self, content: bytes) -> None:
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def append(self, rows: list[dict]) -> None:
        """Add the rows whose keys are not there yet: one write, then fsync."""
        keys = {row["key"] for row in self.rows}
        new = [row for key, row in {row["key"]: row for row in rows}.items() if key not in keys]
        content = b"".join(_line(self._cells(row)) for row in new)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, content) < len(content):  # the disk is full: leave no half row
                os.ftruncate(descriptor, before)
                raise OSError(f"{self.path}: no space for {len(new)} more rows")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.rows += new


def load(name: str, results: Path | None = None) -> pd.DataFrame:
    """Returns an experiment's rows so far, one per run, with their `series` (legend word).

    Args:
        name: the experiment.
        results: a folder instead of the committed results.
    Raises:
        ValueError: an unknown experiment, or a broken results file (file, line, column).
    """
    e = experiment(name)
    rows = [{"series": e.keys[row["key"]], **row} for row in read_rows(e.path(results), e.kind) if row["key"] in e.keys]
    return pd.DataFrame(rows, columns=["series", *columns(e.kind)])
