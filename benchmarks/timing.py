"""Seconds of a step."""

import time
from collections.abc import Callable

import torch


def seconds(step: Callable[[], object], device: str) -> float:
    """Returns the seconds that a step takes, work of the GPU included."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
