"""The paper's tasks by name."""

from .templates import TemplateTask

TASKS = {
    "same-different": {"αα": +1, "αβ": -1},
    "aba-abb": {"αβα": +1, "αββ": -1},
    "copy": {"α": "α"},
}


def task(name: str) -> TemplateTask:
    """A task of the paper by its name.

    Raises: ValueError for an unknown name.
    Source: section 5; `same-different` and `aba-abb` have labels ±1, `copy` is section 4's symbolic task.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; known are {', '.join(TASKS)}")
    return TemplateTask(TASKS[name], name=name)
