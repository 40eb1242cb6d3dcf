"""What a chapter says beside its figures: numbers in words, tables, the scoreboard of claims, and `Chapter` itself."""

from .chapter import Chapter
from .scoreboard import scoreboard
from .tables import fit_table, fold, points_table, scaling_table, table, values_table
from .words import about, command, compute_time, coverage, crossing, n50_sentence, number, short, spread

__all__ = [
    "Chapter", "about", "command", "compute_time", "coverage", "crossing", "fit_table", "fold", "n50_sentence", "number",
    "points_table", "scaling_table", "scoreboard", "short", "spread", "table", "values_table",
]
