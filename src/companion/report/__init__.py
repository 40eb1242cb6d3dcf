"""What a chapter says beside its figures: numbers in words, tables, the scoreboard of claims, and `Chapter` itself."""

from .benchmarks import bench_files, bench_table, show_benchmarks
from .chapter import Chapter
from .scoreboard import scoreboard
from .status import build_times, coverage_table, versions
from .tables import fit_table, fold, n50_frame, n50_in_words, points_table, scaling_table, table, values_table
from .verdicts import shared_scoreboard
from .words import about, command, compute_time, coverage, crossing, number, short, spread

__all__ = [
    "Chapter", "about", "bench_files", "bench_table", "build_times", "command", "compute_time", "coverage",
    "coverage_table", "crossing", "fit_table", "fold", "n50_frame", "n50_in_words", "number", "points_table",
    "scaling_table", "scoreboard", "shared_scoreboard", "short", "show_benchmarks", "spread",
    "table", "values_table", "versions",
]
