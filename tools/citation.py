"""A Sphinx extension: the directive `citation`, how to cite the paper and this companion, as BibTeX.

What it shows comes from book/references.bib and CITATION.cff; nobody types it twice.
"""

import re
from pathlib import Path

import yaml
from docutils import nodes
from docutils.parsers.rst import Directive

ROOT = Path(__file__).resolve().parent.parent
BIBLIOGRAPHY, COMPANION = ROOT / "book" / "references.bib", ROOT / "CITATION.cff"
PAPER = "boixadsera2024abstract"


def entries():
    """{what is cited: its BibTeX}."""
    return {"The paper": paper(), "This companion": companion()}


def paper():
    """The paper's entry, as references.bib has it."""
    found = re.search(r"@\w+\{" + PAPER + r",.*?\n\}", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.DOTALL)
    if not found:
        raise ValueError(f"{BIBLIOGRAPHY.name} has no entry '{PAPER}', which the citation box shows: add it")
    return found.group()


def companion():
    """CITATION.cff as an entry of type software."""
    cff = yaml.safe_load(COMPANION.read_text(encoding="utf-8"))
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

    def run(self):
        for path in (BIBLIOGRAPHY, COMPANION):
            self.state.document.settings.env.note_dependency(str(path))
        box = nodes.container(classes=["citation-box"])
        for what, text in entries().items():
            box += nodes.paragraph("", "", nodes.strong("", what))
            box += nodes.literal_block(text, text, language="bibtex")
        return [box]


def setup(app):
    app.add_directive("citation", Citation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
