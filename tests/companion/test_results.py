"""Results files: whole rows whose fields give their keys; whatever is broken is named, and nothing is overwritten."""

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_grids import Toss, Walk

from companion.experiments import experiment
from companion.results import ResultsFile, load, read_rows
from companion.runs import columns
from companion.sweeps import run

COLUMNS = columns(Walk)


@pytest.fixture
def path(complete, tmp_path, toys):
    """A results file of its own that a test may spoil: the complete one."""
    return Path(shutil.copy(complete / "walks.csv", tmp_path))


@pytest.fixture
def tosses(tmp_path, toys):
    """The file of runs of another kind, all done."""
    assert run("tosses", device="cpu", workers=1, results=tmp_path) == 0
    return experiment("tosses").path(tmp_path)


def a_row(of, **changes):
    return {"key": of.key, **asdict(of), "test_loss": 0.1, "spread": 0.2, "steps": 3, "seconds": 1.5, "device": "cpu",
            "torch": "2.0", "commit": "tested", **changes}


# ---- what is written is read -------------------------------------------------------------------------------------

numbers = st.floats() | st.integers(0, 1000).map(float)
some_walks = st.builds(Walk, st.sampled_from(["short", 'an "odd", one', "ά"]), st.integers(1, 10**6),
                       st.integers(0, 10**6), lr=st.floats(1e-6, 10), boots=st.none() | st.booleans())
some_rows = st.builds(lambda of, loss, spread, text: a_row(of, test_loss=loss, spread=spread, device=text),
                      some_walks, numbers, numbers, st.sampled_from(["cpu", 'an "odd", name', "NVIDIA H200", "ά"]))


@given(st.lists(some_rows, min_size=1, max_size=4, unique_by=lambda row: row["key"]))
@settings(max_examples=40)
def test_what_is_appended_is_read_back(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "some.csv"
        for row in rows:
            with ResultsFile(path, Walk) as file:
                file.append([row])
        back = read_rows(path, Walk)
        assert repr(back) == repr([{c: row[c] for c in COLUMNS} for row in rows])  # nan is not equal to itself
        with ResultsFile(path, Walk) as file:
            file.append(rows)
        assert repr(read_rows(path, Walk)) == repr(back), "a row that is there is not added again"


def test_a_folder_without_the_file_has_no_rows(tmp_path, toys):
    assert read_rows(tmp_path / "none.csv", Walk) == []
    assert load("walks", tmp_path).empty
    assert list(load("walks", tmp_path).columns) == ["series", *COLUMNS]


def test_loaded_rows_say_their_series_and_leave_out_rows_of_no_series(path):
    with ResultsFile(path, Walk) as file:
        file.append([a_row(Walk("short", n=4, seed=99))])
    table = load("walks", path.parent)
    assert len(table) == len(read_rows(path, Walk)) - 1 == 18
    assert (table["series"] == table["walker"].map({"short": "Short", "tall": "Tall"})).all()


def test_a_results_file_has_the_columns_of_its_kind(tosses):
    header = "key,coin,seed,bias,tosses,wind,share,heads,seconds,device,torch,commit"
    assert tosses.read_text().startswith(header + "\n")
    rows = read_rows(tosses, Toss)
    assert len(rows) == 12 and {row["key"] for row in rows} == {r.key for r in experiment("tosses").runs()}
    for row in rows:
        assert type(row["heads"]) is int and row["share"] == row["heads"] / 10
        assert row["wind"] == (1.0 if row["coin"] == "cent" else None)
    assert set(load("tosses", tosses.parent)["series"]) == {"penny", "cent"}


def test_rows_of_any_kind_are_appended_once(tosses):
    new = Toss("dime", 0)
    row = {"key": new.key, **asdict(new), "share": 0.5, "heads": 50, "seconds": 0.0, "device": "cpu", "torch": "2.0",
           "commit": "tested"}
    for _ in range(2):
        with ResultsFile(tosses, Toss) as file:
            file.append([row])
    assert read_rows(tosses, Toss)[12:] == [row]
    assert len(load("tosses", tosses.parent)) == 12, "a row of no series"


def test_a_file_is_parsed_again_only_when_it_has_changed(path, monkeypatch):
    parsed, read_text = [], Path.read_text

    def counting(self, **options):
        parsed.append(self)
        return read_text(self, **options)

    monkeypatch.setattr(Path, "read_text", counting)
    rows = read_rows(path, Walk)
    rows.clear()
    assert len(read_rows(path, Walk)) == 18 and parsed == [path], "and the rows handed out are the caller's own"
    with ResultsFile(path, Walk) as file:
        file.append([a_row(Walk("short", n=4, seed=7))])
    assert len(read_rows(path, Walk)) == 19 and parsed == [path, path]


# ---- one writer --------------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_readers_are_not(path):
    with ResultsFile(path, Walk), pytest.raises(ValueError, match=r"walks\.csv: another process"):
        ResultsFile(path, Walk).__enter__()
    with ResultsFile(path, Walk) as file, pytest.raises(ValueError, match="another process"):
        assert len(read_rows(path, Walk)) == 18 == len(file.rows)
        with ResultsFile(path, Walk):
            pass
    with ResultsFile(path, Walk) as file:
        assert len(file.rows) == 18


def test_a_disk_that_is_full_leaves_no_half_row(path, monkeypatch):
    import companion.results

    write, before = companion.results.os.write, path.read_bytes()
    with ResultsFile(path, Walk) as file, monkeypatch.context() as patch:
        patch.setattr(companion.results.os, "write", lambda descriptor, content: write(descriptor, content[:9]))
        with pytest.raises(OSError, match="no space for 1 more rows"):
            file.append([a_row(Walk("short", n=4, seed=7))])
    assert path.read_bytes() == before and len(read_rows(path, Walk)) == 18


# ---- whatever is broken ------------------------------------------------------------------------------------------

INDEX = {column: i for i, column in enumerate(COLUMNS)}


def in_line(number, change):
    """A spoiler: one line's cells are changed."""
    def spoil(content):
        lines = content.split(b"\n")
        lines[number - 1] = b",".join(change(lines[number - 1].split(b",")))
        return b"\n".join(lines)

    return spoil


def in_cell(number, column, text):
    i = INDEX[column]
    return in_line(number, lambda cells: [*cells[:i], text, *cells[i + 1:]])


def without(column):
    i = INDEX[column]

    def spoil(content):
        rows = (line.split(b",") for line in content.split(b"\n"))
        return b"\n".join(b",".join(cells[:i] + cells[i + 1:]) for cells in rows)

    return spoil


def test_a_file_from_before_a_field_was_added_gets_the_column_and_keeps_its_rows(path):
    before = read_rows(path, Walk)
    path.write_bytes(without("boots")(path.read_bytes()))
    assert [r["key"] for r in read_rows(path, Walk)] == [r["key"] for r in before]
    new = Walk("short", n=4, seed=7, boots=True)
    with ResultsFile(path, Walk) as file:
        file.append([a_row(new)])
    assert path.read_text().split("\n")[0] == ",".join(COLUMNS)
    assert read_rows(path, Walk)[:-1] == before and read_rows(path, Walk)[-1]["boots"] is True
    assert sorted(p.name for p in path.parent.iterdir() if p.is_file()) == ["walks.csv", "walks.lock"]


BROKEN = {  # what is done to the bytes; line and column that the message must name; words in it
    "cut off": (lambda b: b[:-9], 19, "torch", "cut off"),
    "cut off in the first cell": (lambda b: b + b"0a41", 20, "key", "cut off"),
    "cut off before the end of line": (lambda b: b[:-1], 19, "commit", "cut off"),
    "cut off header": (lambda b: b[:9], 1, "walke", "unknown column"),
    "empty header": (lambda b: b"\n", 1, "key", "missing from the header"),
    "too few cells": (in_line(4, lambda cells: cells[:5]), 4, "lr", "5 cells instead of"),
    "too many cells": (in_line(4, lambda cells: [*cells, b"1"]), 4, "commit", "cells instead of"),
    "empty line": (in_line(7, lambda cells: []), 7, "", "0 cells"),
    "zeros instead of a row": (lambda b: b + b"\0" * 40 + b"\n", 20, "", "1 cells"),
    "not a number": (in_cell(3, "test_loss", b"0.1x"), 3, "test_loss", "'0.1x'"),
    "not an integer": (in_cell(3, "seed", b"0.5"), 3, "seed", "'0.5'"),
    "neither true nor false": (in_cell(3, "boots", b"yes"), 3, "boots", "'yes'"),
    "no metric": (in_cell(3, "test_loss", b""), 3, "test_loss", "empty cell"),
    "no whole number": (in_cell(3, "steps", b""), 3, "steps", "empty cell"),
    "no word": (in_cell(3, "device", b""), 3, "device", "empty cell"),
    "changed field": (in_cell(3, "lr", b"0.01"), 3, "key", "a cell was changed"),
    "changed key": (in_cell(3, "key", b"0" * 16), 3, "key", "0" * 16),
    "bytes that are no text": (lambda b: b.replace(b"short", b"sh\xffrt", 1), None, "key", ""),
    "row twice": (lambda b: b + b.split(b"\n")[5 - 1] + b"\n", 20, "key", "on line 5"),
    "unknown column": (in_cell(1, "commit", b"comit"), 1, "comit", "unknown column"),
    "column twice": (in_cell(1, "umbrella", b"boots"), 1, "boots", "twice"),
    "no column of keys": (without("key"), 1, "key", ""),
    "no column of a field": (without("n"), 1, "n", ""),
    "no column of a metric": (without("test_loss"), 1, "test_loss", ""),
}


@pytest.mark.parametrize("breakage", BROKEN)
def test_a_broken_file_is_named_with_line_and_column_and_nothing_is_overwritten(breakage, path):
    spoil, line, column, words = BROKEN[breakage]
    good = path.read_bytes()
    broken = spoil(good)
    if line is None:
        line = 1 + next(i for i, text in enumerate(good.split(b"\n")) if b"short" in text)
    path.write_bytes(broken)
    for attempt in (lambda: read_rows(path, Walk), lambda: load("walks", path.parent),
                    lambda: ResultsFile(path, Walk).__enter__(),
                    lambda: run("walks", device="cpu", workers=1, results=path.parent)):
        with pytest.raises(ValueError) as error:
            attempt()
        message = str(error.value)
        assert message.startswith(f"{path}, line {line}, column {column}{':' if column else ''}")
        assert words in message and "\n" not in message
        assert path.read_bytes() == broken


@pytest.mark.parametrize(("column", "cell", "named"), [
    ("heads", "1.5", "column heads: .*'1.5'"), ("share", "", "column share: empty cell"),
    ("wind", "strong", "column wind: .*'strong'"), ("bias", "0.3", "column key: .*a cell was changed")])
def test_a_broken_cell_of_any_kind_is_named(column, cell, named, tosses):
    header, first, *rest = tosses.read_text().split("\n")
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    tosses.write_text("\n".join([header, ",".join({**cells, column: cell}.values()), *rest]))
    with pytest.raises(ValueError, match=f"line 2, {named}"):
        read_rows(tosses, Toss)


def test_a_file_of_another_kind_is_refused_and_left_alone(tosses):
    before = tosses.read_bytes()
    for attempt in (lambda: read_rows(tosses, Walk), lambda: ResultsFile(tosses, Walk).__enter__()):
        with pytest.raises(ValueError, match="tosses.csv, line 1, column coin: unknown column"):
            attempt()
    assert tosses.read_bytes() == before


def test_a_file_of_no_bytes_is_begun_anew(path):
    good, rows = path.read_bytes(), read_rows(path, Walk)
    path.write_bytes(b"")
    assert read_rows(path, Walk) == [] and load("walks", path.parent).empty
    with ResultsFile(path, Walk) as file:
        assert path.read_bytes() == good.split(b"\n")[0] + b"\n"
        file.append(rows)
    assert path.read_bytes() == good


def test_a_repaired_file_is_taken_at_once(path):
    good = path.read_bytes()
    path.write_bytes(good[:-9])
    with pytest.raises(ValueError, match="cut off"):
        run("walks", device="cpu", workers=1, results=path.parent)
    path.write_bytes(good)
    assert run("walks", device="cpu", workers=1, results=path.parent) == 0
