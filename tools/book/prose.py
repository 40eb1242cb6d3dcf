"""Put one sentence on each line of the chapters' Markdown cells: a change of a sentence is then a change of a line.

    python tools/book/prose.py           # rewrites book/*.py
    python tools/book/prose.py --check   # names the chapters that are not in this form
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What holds a full stop that ends no sentence, and may hold spaces: code, roles, formulas, links.
WHOLE = re.compile(r"(`+)[^`]*\1|\$[^$]*\$|\]\([^)]*\)")
ABBREVIATION = re.compile(r"(?:\b(?:i\.i\.d|e\.g|i\.e|cf|et al|vs|Eq|Fig|Sec|approx)\.)$")
END = re.compile(r"[.!?][)\]\"'*_”’]*(?= +\S)")
CELL = re.compile(r'(^# %% \[markdown\][^\n]*\nr"""\n)(.*?)(\n"""$)', re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"(\s*)([-*+]|\d+\.)(\s+)")


def sentences(paragraph: str) -> list[str]:
    """Returns the sentences of a paragraph."""
    masked = WHOLE.sub(lambda found: "\0" * len(found.group()), paragraph)
    found, start = [], 0
    for end in END.finditer(masked):
        before, after = masked[:end.start() + 1], masked[end.end():].lstrip()
        if ABBREVIATION.search(before) or after[:1].islower():
            continue
        found.append(paragraph[start:end.end()].strip())
        start = end.end()
    return [*found, paragraph[start:].strip()]


def one_sentence_per_line(text: str) -> str:
    """Returns Markdown with one sentence per line; formulas, tables, fences, headings and labels stay as they are."""
    written: list[str] = []
    paragraph: list[str] = []
    fence = ""

    def flush() -> None:
        if paragraph:
            item = ITEM.match(paragraph[0])
            lead = item.group() if item else re.match(r"\s*", paragraph[0]).group()
            words = " ".join([paragraph[0][len(lead):], *(line.strip() for line in paragraph[1:])])
            first, *rest = sentences(words)
            written.extend([lead + first, *(" " * len(lead) + sentence for sentence in rest)])
            paragraph.clear()

    for line in text.split("\n"):
        bare = line.strip()
        if fence:
            written.append(line)
            if bare == fence or fence == "$$" and bare.startswith("$$"):
                fence = ""
        elif bare.startswith("```") or bare.startswith("$$"):
            flush()
            written.append(line)
            if bare.startswith("```"):
                fence = re.match(r"`+", bare).group()
            elif not re.search(r"\$\$(\s*\(.*\))?$", bare[2:]):
                fence = "$$"
        elif not bare or bare.startswith((":", "|", "#", "<", "%")) or re.fullmatch(r"\(.*\)=|[-*_]{3,}|\{.*\}", bare):
            flush()
            written.append(line)
        elif ITEM.match(line):
            flush()
            paragraph.append(line.rstrip())
        else:
            paragraph.append(line.rstrip())
    flush()
    return "\n".join(written)


def rewritten(path: Path) -> str:
    """Returns a chapter's source with its Markdown cells in this form."""
    return CELL.sub(lambda cell: cell[1] + one_sentence_per_line(cell[2]) + cell[3], path.read_text(encoding="utf-8"))


def main() -> int:
    """Rewrite the chapters, or with --check name those that would change."""
    changed = [path for path in sorted((ROOT / "book").glob("*.py")) if rewritten(path) != path.read_text("utf-8")]
    for path in changed:
        print(f"{path.name}: {'not one sentence per line' if '--check' in sys.argv else 'rewritten'}")
        if "--check" not in sys.argv:
            path.write_text(rewritten(path), encoding="utf-8")
    return int("--check" in sys.argv and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
