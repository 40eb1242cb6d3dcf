"""The paper's tasks by name."""

from .templates import TemplateTask

TASKS = {
    "same-different": {"αα": +1, "αβ": -1},
    "aba-abb": {"αβα": +1, "αββ": -1},
    "aabb-abab": {"ααββ": +1, "αβαβ": -1},
    "program": {"α=1;β=-1;print(α)": +1, "α=1;β=-1;print(β)": -1},
    "same-relation": {"ααββ": +1, "αβγδ": +1, "ααβγ": -1, "αβγγ": -1},
    "same-order": {"αβγαβγ": +1, "αβγαγβ": -1},
    "copy": {"α": "α"},
    "program-symbolic": {'α="γ";β="δ";print(α)': "γ", 'α="γ";β="δ";print(β)': "δ"},
}


def task(name: str) -> TemplateTask:
    """A task of the paper by its name.

    Raises: ValueError for an unknown name.
    Source: section 5 (labels ±1) and section 4 (the symbolic `copy` and `program-symbolic`).
    Ours, after the psychometric tasks of section 1: `same-relation` (are both pairs alike in being same or different?)
    and `same-order` (does the second half repeat the first, or exchange two symbols?).
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; known are {', '.join(TASKS)}")
    return TemplateTask(TASKS[name], name=name)
