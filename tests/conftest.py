"""What all tests share: settings for stable numbers, who runs beside whom, a loud word about what could not run."""

import os
import shutil
import sys

import hypothesis
import pytest

# Before torch is imported or a kernel started: one thread and one hash order, else last digits differ.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PYTHONHASHSEED"] = "0"
for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ[name] = "1"  # no test reaches for a network

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
INSTALL_IT = "Debian: apt-get install chromium"
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

# Two tests at once on a busy machine are slow now and then, which is no fault of the code: no deadline.
hypothesis.settings.register_profile("house", deadline=None, max_examples=20)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("ci" if IN_CI else "house")


@pytest.fixture(scope="session")
def chromium_path():
    """Where Chromium is. Without it browser tests are skipped; in CI they fail."""
    if not CHROMIUM:
        (pytest.fail if IN_CI else pytest.skip)(f"Chromium is not installed ({INSTALL_IT})")
    return CHROMIUM


@pytest.fixture(autouse=True)
def figures_are_closed():
    """pyplot keeps each figure until it is closed, and warns of the twenty-first."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


TOGETHER = ("tests/book", "tests/browser", "tests/companion", "tests/data", "tests/notebooks")


def pytest_xdist_make_scheduler(config, log):
    """Files whose tests share a fixture of their module, or a kernel, stay in one process; other tests are dealt out
    singly, so that no process waits while the other works through a long file."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.split("::")[0] if nodeid.startswith(TOGETHER) else nodeid

    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter):
    """Say it where nobody overlooks it: above the closing line."""
    if not CHROMIUM and not IN_CI:
        left_out = [r for r in terminalreporter.getreports("skipped") if "tests/browser" in r.nodeid]
        if left_out:
            terminalreporter.write_sep("!", "THE PAGES WERE NOT TESTED", red=True, bold=True)
            terminalreporter.line(f"{len(left_out)} tests need a browser and Chromium is not installed.")
            terminalreporter.line(f"Install it ({INSTALL_IT}), then say 'make test' again.")
