"""What a run is: a frozen dataclass whose fields decide its numbers, and whose key is a hash of them.

A kind of runs is a subclass of `Job`. Its key never changes: rows that were measured years ago keep theirs, since a
field that has its default value does not count.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache, cached_property
from typing import Any, ClassVar, cast


def pick_device(device: str) -> str:
    """Returns "cpu" or "cuda" for "auto", "cpu" or "cuda".

    Raises:
        ValueError: another word, or a GPU that is not there.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f"unknown device {device!r}; known are auto, cpu, cuda")
    if device == "cpu":
        return device
    import torch  # only where runs are performed: reading rows and judging claims takes a second without it

    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device 'cuda': PyTorch sees no GPU here; use --device cpu")
    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def _numbers(kind: type) -> list[tuple[str, type]]:
    """The fields of a kind of runs that hold numbers, and of which type (None aside)."""
    found: list[tuple[str, type]] = []
    for f in fields(kind):
        kinds = (f.type, *getattr(f.type, "__args__", ()))
        found += [(f.name, number) for number in (bool, float, int) if number in kinds][:1]
    return found


_encode = json.JSONEncoder(sort_keys=True).encode


@cache
def _defaults(kind: type) -> dict[str, Any]:
    return {f.name: f.default for f in fields(kind)}


@dataclass(frozen=True)
class Job:
    """Base of the kinds of runs: a frozen dataclass whose fields decide the numbers that `perform` gives.

    A kind names its `METRICS` (→ type) and says how one run is measured (`measure`). It may say what runs must share to
    be performed together (`group_key`), how many at once (`group_size`), and what one costs (`cost`).
    """

    METRICS: ClassVar[dict[str, type]] = {}

    def __post_init__(self) -> None:
        values = vars(self)
        for name, kind in _numbers(cast(Any, type(self))):  # 100, 100.0 and NumPy's 100 are one run, and have one key
            value = values[name]
            if value is None or (type(value) is kind and value == value):  # not NaN
                continue
            if kind(value) != value:
                raise ValueError(f"{name}={value!r}: must be of type {kind.__name__}")
            object.__setattr__(self, name, kind(value))

    @cached_property
    def key(self) -> str:
        """16 hex digits, a hash of the fields that differ from their defaults: a new field leaves old keys alone."""
        return self.key_of(vars(self))

    @classmethod
    def key_of(cls, row: Mapping[str, Any]) -> str:
        """Returns the key of a run with these fields; one that is not there has its default value."""
        defaults = _defaults(cast(Any, cls))
        stated = {name: row[name] for name, default in defaults.items() if name in row and row[name] != default}
        return hashlib.sha256(_encode(stated).encode()).hexdigest()[:16]

    @property
    def group_key(self) -> tuple:
        """What runs must share to be performed together; unless a kind says otherwise, each is performed alone."""
        return tuple(asdict(self).values())

    def group_size(self, device: str) -> int:
        """Returns how many runs with this group key are performed at once."""
        return 1

    def cost(self) -> float:
        """Returns a rough relative cost."""
        return 1.0

    def measure(self, device: str) -> dict[str, Any]:
        """Returns the metrics of this run."""
        raise TypeError(f"{type(self).__name__} does not say what it measures; define measure(device)")

    @classmethod
    def perform(cls, runs: "list[Any]", device: str) -> list[dict[str, Any]]:
        """Returns the metrics of runs with one group key, measured one after the other unless a kind knows better."""
        return [run.measure(device) for run in runs]


def columns(kind: type[Job]) -> dict[str, type]:
    """Returns the columns of a results file with runs of a kind, and their types."""
    return {"key": str, **{f.name: f.type for f in fields(kind)}, **kind.METRICS,  # type: ignore[dict-item]
            "seconds": float, "device": str, "torch": str, "commit": str}
