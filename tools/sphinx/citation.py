"""A Sphinx extension: the directive `citation`, how to cite the paper and this companion, as BibTeX.

What it shows comes from book/references.bib and CITATION.cff; nobody types it twice.
"""

import re
from pathlib import Path

import yaml
from assets import project
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

BIBLIOGRAPHY, COMPANION = Path("book/references.bib"), Path("CITATION.cff")
PAPER = "boixadsera2024abstract"


def entries(project: Path) -> dict[str, str]:
    """{what is cited: its BibTeX} for the project in a folder."""
    return {"The paper": paper(project / BIBLIOGRAPHY), "This companion": companion(project / COMPANION)}


def paper(bibliography: Path) -> str:
    """The paper's entry, as references.bib has it."""
    found = re.search(r"@\w+\{" + PAPER + r",.*?\n\}", bibliography.read_text(encoding="utf-8"), re.DOTALL)
    if not found:
        raise ValueError(f"{bibliography.name} has no entry '{PAPER}', which the citation box shows: add it")
    return found.group()


def companion(citation: Path) -> str:
    """CITATION.cff as an entry of type software."""
    cff = yaml.safe_load(citation.read_text(encoding="utf-8"))
    # An author without given names is a group: braces keep BibTeX from taking its words for names.
    authors = [", ".join(filter(None, [a.get("family-names"), a.get("given-names")])) or f"{{{a['name']}}}"
               for a in cff["authors"]]
    fields = {"title": f"{{{cff['title']}}}", "author": f"{{{' and '.join(authors)}}}",
              "version": f"{{{cff['version']}}}", "note": f"{{Software, {cff['license']} licence}}"}
    if "date-released" in cff:
        fields["year"] = f"{{{str(cff['date-released'])[:4]}}}"
    lines = [f"  {name:<7} = {value}," for name, value in fields.items()]
    return "\n".join(["@software{abstractsymbolscompanion,", *lines, "}"])


class Citation(Directive):
    """Both entries, each with its name above and, on a page, a copy button."""

    def run(self) -> list[nodes.Node]:
        environment = self.state.document.settings.env
        folder = project(environment.app)
        for path in (BIBLIOGRAPHY, COMPANION):
            environment.note_dependency(str(folder / path))
        box = nodes.container(classes=["citation-box"])
        for what, text in entries(folder).items():
            box += nodes.paragraph("", "", nodes.strong("", what))
            box += nodes.literal_block(text, text, language="bibtex")
        return [box]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("citation", Citation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
