"""How fast the package is: training against a plain loop, the kernel, exact ridge regression against the dense solve.

Ratios are measured inside one run. `make bench`, or `python -m abstract_symbols bench`, writes what it finds to
book/results/bench-KIND-DEVICE.csv; it needs PyTorch, NumPy, SciPy, pandas and joblib.
"""

from companion.runs import pick_device

from . import kernel, training
from .write import write


def measure(kind: str | None = None, device: str = "auto", members: int = 8) -> int:
    """Measure, print and write down one kind of benchmark, or both; returns the exit status 0.

    Args:
        kind: "training" or "kernel"; both unless given.
        device: "auto", "cpu" or "cuda".
        members: networks trained at once.
    Raises:
        ValueError: an unknown device, or no members.
    """
    device = pick_device(device)
    measures = {"training": lambda: training.measure(device, members), "kernel": lambda: kernel.measure(device)}
    for name in [kind] if kind else measures:
        rows = measures[name]()
        for row in rows:
            print("  ".join(f"{k}={v}" for k, v in row.items() if v is not None))
        print(f"written to {write(f'{name}-{device}', rows, device)}")
    return 0
