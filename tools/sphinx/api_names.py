"""A Sphinx extension: `names` of the package in the text link to their documentation, and docstrings become its text.

A literal is a name if just one documented name ends like it, steps left out and arguments of a call aside:
`template_matrix`, `language.train`, `TemplateTask.sample`, `corpus("python")`. A bare word never means a method.
"""

import re
from collections.abc import Mapping
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode


def find(literal: str, objects: Mapping[str, Any]) -> str | None:
    """The full name of the documented object that a literal names, or None."""
    wanted = re.sub(r"\(.*\)$", "", literal, flags=re.DOTALL).split(".")
    found = [name for name, entry in objects.items() if matches(wanted, name.split("."), entry.objtype)]
    return found[0] if len(found) == 1 else None


def matches(wanted: list[str], name: list[str], kind: str) -> bool:
    """Whether these steps occur in the name in this order, the last one last."""
    steps = iter(name)
    in_order = all(step in steps for step in wanted)
    return in_order and wanted[-1] == name[-1] and (len(wanted) > 1 or kind in ("function", "class"))


class LinkNames(SphinxPostTransform):
    default_priority = 400

    def run(self, **kwargs: Any) -> None:
        objects = self.env.get_domain("py").objects
        for node in list(self.document.findall(nodes.literal)):
            name = find(node.astext(), objects)
            if name and not isinstance(node.parent, nodes.reference | nodes.title):
                place = objects[name]
                target = (self.env.docname, place.docname, place.node_id)
                node.replace_self(make_refnode(self.app.builder, *target, node.deepcopy(), name))


def write_again(app: Sphinx, env: BuildEnvironment) -> set[str] | None:
    """All pages, when there are other names than in the last build: any of them may link to one."""
    names = sorted(env.get_domain("py").objects)
    before, env.api_names = getattr(env, "api_names", None), names
    return env.found_docs if before not in (None, names) else None


# What may follow a sentence of a docstring, or begin a line of it: a label, then text on the same line
LABEL = re.compile(r"(?m)(?:^ *|(?<=[.;)?]) +)(Args and raises|Args|Attributes[^:\n]*|Returns|Raises|Source):(?= +\S)")
SHOWN = {"Args": "Parameters", "Args and raises": "Parameters, raises"}  # as napoleon calls its lists of them


def to_rst(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are plain text with `code`: outside of it no character means anything. "Source:" stands out.

    "Args:", "Returns:", "Raises:" and "Source:" get a paragraph of their own, wherever in the docstring they stand.
    """
    parts = re.split(r"(`[^`]+`|\n\n(?: {4}.*\n)+)", "\n".join(lines))
    parts = [f"\n\n::{part}" if part.startswith("\n\n    ") else part for part in parts]  # an indented block is code
    parts[::2] = [re.sub(r"([\\*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
    # A paragraph's further lines may be indented; those after a line "Args:" are its list
    text = re.sub(r"(?m)^\S.*[^:\n](\n +\S.*)+", lambda found: re.sub(r"\n +", "\n", found[0]), "".join(parts))
    text = LABEL.sub(lambda found: f"\n\n**{SHOWN.get(found[1], found[1])}:**", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    # The first line of a property is its type to napoleon, up to a colon; so an empty comment comes first
    lines[:] = [*["..", ""] * (what == "property"), *text.split("\n")]


def plain_signatures(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    """Sphinx writes a long signature as a list of definitions without terms; to a screen reader it is text."""
    if body := context.get("body"):
        first, role = '<dd><em class="sig-param">', ' role="none">'
        body = body.replace(f"<dl>\n{first}", f"<dl{role}\n{first}")
        context["body"] = body.replace(first, first.replace(">", role, 1))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(LinkNames)
    app.connect("env-updated", write_again)
    app.connect("html-page-context", plain_signatures)
    app.connect("autodoc-process-docstring", to_rst, priority=100)  # before napoleon, which makes lists of arguments
    return {"parallel_read_safe": True, "parallel_write_safe": True}
