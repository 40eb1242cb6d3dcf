"""What those rely on who carry the project on: pins, versions, workflows and forms that fit together."""

import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
YAML_FILES = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "_config.yml",
                     ROOT / "_toc.yml", ROOT / "CITATION.cff"])


@pytest.fixture(scope="module")
def lock():
    spec = importlib.util.spec_from_file_location("lock", ROOT / "tools" / "lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins():
    """The lines of requirements.txt that hold on this machine, as requirements."""
    lines = [Requirement(line.split("#")[0]) for line in REQUIREMENTS.splitlines() if "==" in line.split("#")[0]]
    return [line for line in lines if line.marker is None or line.marker.evaluate()]


def test_every_installed_package_has_its_exact_version_in_the_lock(lock):
    pinned = {lock.normal(pin.name): str(pin.specifier) for pin in pins()}
    installed = {lock.normal(d.name): "==" + d.version.split("+")[0] for d in importlib.metadata.distributions()}
    others = {name: version for name, version in installed.items()
              if name != "abstract-symbols" and not lock.OF_THE_MACHINE.match(name) and pinned.get(name) != version}
    assert not others, f"{others}: not in requirements.txt; name them in pyproject.toml and run 'make lock'"
    assert not pinned.keys() - installed.keys(), "in requirements.txt, but not installed: run 'make book'"


def test_every_pin_is_within_the_range_of_pyproject(lock):
    versions = {lock.normal(pin.name): pin.specifier for pin in pins()}
    asked = [*PROJECT["dependencies"], *(r for extra in PROJECT["optional-dependencies"].values() for r in extra)]
    for requirement in map(Requirement, asked):
        version = str(versions[lock.normal(requirement.name)]).removeprefix("==")
        assert requirement.specifier.contains(version), f"{requirement} excludes {version}"


def test_the_lock_names_no_place_no_build_and_installs_the_package():
    code = [line.split("#")[0].strip() for line in REQUIREMENTS.splitlines()]
    assert code[-1] == "-e ."
    for line in filter(None, code[:-1]):
        assert re.match(r"[\w.-]+==[\w.]+( ;|$)", line), f"{line!r} is more than a package and its version"


def test_what_a_build_of_torch_brings_is_not_locked(lock):
    compiled = "\n".join(["numpy==2.4.6   # via abstract-symbols (pyproject.toml)", "nvidia-cublas==13.1",
                          "triton==3.7.1 ; sys_platform == 'linux'", "setuptools==84.2", "cuda-toolkit==13",
                          "cffi==2.1 ; implementation_name == 'pypy'", "tritonclient==1.0", "# a remark"])
    code = [line for line in lock.cleaned(compiled).splitlines() if line and not line.startswith("#")]
    assert code == ["numpy==2.4.6   # via abstract-symbols", "tritonclient==1.0", "-e ."]


def test_the_lock_tells_what_changed(lock):
    old = lock.locked("Some_Name==1.0  # via b\nb==1 ; python_version < '3.12'\nb==2\ngone==3\n")
    assert old == {"some-name": "1.0", "b": "1 | 2", "gone": "3"}
    assert lock.changes(old, {"some-name": "1.1", "b": "1 | 2", "c": "4"}) == [
        "c          (new) -> 4", "gone       3 -> (gone)", "some-name  1.0 -> 1.1"]


def test_a_package_that_is_not_locked_cannot_be_upgraded(lock, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["lock.py", "--upgrade", "no-such-package"])
    with pytest.raises(SystemExit, match="no-such-package: not in requirements.txt"):
        lock.main()


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert PROJECT["version"] == citation["version"] == importlib.metadata.version("abstract-symbols")
    assert f"\n## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_a_yaml_file_parses(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_every_command_in_workflows_and_texts_is_a_target_of_the_makefile():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = [*YAML_FILES, *ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob(".github/*.md")]
    code = re.compile(r"(?:`|&& |run: |^)make ([a-z][a-z-]*)", re.MULTILINE)
    for path in texts:
        unknown = set(code.findall(path.read_text(encoding="utf-8"))) - targets
        assert not unknown, f"{path.name} says 'make {sorted(unknown)[0]}', which the Makefile does not know"


def test_every_link_between_the_texts_leads_somewhere():
    for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob(".github/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links {target}, which is not there"
