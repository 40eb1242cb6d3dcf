"""The committed measurements of speed can be shown."""

import pytest

from companion.report.benchmarks import bench_files, bench_table


@pytest.mark.parametrize("path", bench_files("kernel") + bench_files("training"), ids=lambda path: path.stem)
def test_committed_measurements_can_be_shown(path):
    shown = bench_table(path)
    assert len(shown) > 2 and {"n", "seconds"} & set(shown)
    assert not shown.map(lambda cell: cell in ("nan", "")).to_numpy().any()
