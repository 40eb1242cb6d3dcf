"""Measurements as a results file, with the machine that they were made on."""

import csv
import platform
from pathlib import Path

import torch

from companion import paths
from companion.sweeps import code_commit, provenance


def machine(device: str) -> dict:
    """Returns what the numbers were measured on."""
    return {**provenance(device), "machine": platform.machine(), "threads": torch.get_num_threads(),
            "python": platform.python_version(), "commit": code_commit()}


def write(name: str, rows: list[dict], device: str) -> Path:
    """Replace book/results/bench-NAME.csv by these rows, each with the machine's description; returns its path."""
    path = paths.results() / f"bench-{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    described = [{**row, **machine(device)} for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, described[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(described)
    return path
