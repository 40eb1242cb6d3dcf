"""Text for language models: English prose that ships with Python itself, or WikiText where a hub can be reached.

The embedded corpus is always there: the language reference (`pydoc_data.topics`) and the docstrings of the standard
library. It is split by document, and no paragraph has eight words in a row that occur in another one: what would
repeat an earlier one is left out, so that nothing in validation or test can be remembered from training.
"""

import ast
import hashlib
import re
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .scalings import library

PARTS = ("train", "validation", "test")
SHINGLE = 8  # words in a row that no two documents share
LEFT_OUT = {"test", "tests", "idlelib", "idle_test", "turtledemo", "tkinter", "distutils", "lib2to3", "ensurepip",
            "pydoc_data", "site-packages", "dist-packages", "__pycache__"}  # tests, or not in every distribution
CORPORA = ("python", "wikitext-2", "wikitext-103")
END = "<|endoftext|>"


@dataclass(frozen=True)
class Corpus:
    """Documents by part and name: part ("train", "validation", "test") → {name: text}."""

    name: str
    documents: dict[str, dict[str, str]]

    @cached_property
    def digest(self) -> str:
        """12 hex digits of all text: another Python release has another embedded corpus."""
        text = "\0".join(f"{part}\0{name}\0{text}" for part in PARTS for name, text in self.documents[part].items())
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def corpus(name: str = "python") -> Corpus:
    """A corpus by name: "python", the embedded one, or "wikitext-2" or "wikitext-103" (their own splits).

    Raises: ValueError for an unknown name, or when WikiText cannot be fetched.
    """
    if name not in CORPORA:
        raise ValueError(f"unknown corpus {name!r}; known are {', '.join(CORPORA)}")
    return _python() if name == "python" else _wikitext(name)


@cache
def _python() -> Corpus:
    from pydoc_data.topics import topics

    found = {f"topic {name}": text for name, text in topics.items()}
    found |= docstrings(Path(sysconfig.get_paths()["stdlib"]))
    parts: dict[str, dict[str, str]] = {part: {} for part in PARTS}
    for name in sorted(found):
        parts[part_of(name)][name] = found[name]
    return Corpus("python", without_repeats(parts))


def part_of(name: str) -> str:
    """The part that a document belongs to, by a hash of its name: 80, 10 and 10 %."""
    bucket = hashlib.sha256(name.encode()).digest()[0] / 256
    return "train" if bucket < 0.8 else "validation" if bucket < 0.9 else "test"


def docstrings(root: Path) -> dict[str, str]:
    """A document for each module below a folder that has docstrings: all of them, in the source's order."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        below = path.relative_to(root)
        if LEFT_OUT & set(below.parts) or path.name.startswith("_sysconfigdata"):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = sorted((n for n in ast.walk(tree) if isinstance(n, kinds)), key=lambda n: getattr(n, "lineno", 0))
        texts = [text for n in nodes if (text := ast.get_docstring(n))]
        if texts:
            found[f"module {'.'.join(below.with_suffix('').parts)}"] = "\n\n".join(texts)
    return found


def shingles(text: str) -> set[tuple[str, ...]]:
    """All runs of `SHINGLE` words in a text, case and punctuation aside; of a shorter text the text itself."""
    words = tuple(re.findall(r"\w+", text.lower()))
    return {words[i:i + SHINGLE] for i in range(max(1, len(words) - SHINGLE + 1))}


def without_repeats(parts: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The documents without the paragraphs of which a shingle stands in an earlier one: training first."""
    seen: set[tuple[str, ...]] = set()
    kept: dict[str, dict[str, str]] = {part: {} for part in PARTS}
    for part in PARTS:
        for name, text in parts[part].items():
            paragraphs = []
            for paragraph in re.split(r"\n\s*\n", text.strip()):
                mine = shingles(paragraph)
                if not mine & seen:
                    paragraphs.append(paragraph.strip("\n"))
                    seen |= mine
            if paragraphs:
                kept[part][name] = "\n\n".join(paragraphs)
    return kept


def _wikitext(name: str) -> Corpus:
    """WikiText, its raw text cut at the articles' headings."""
    datasets = library("datasets")
    try:
        tables = datasets.load_dataset("Salesforce/wikitext", f"{name}-raw-v1")
    except Exception as error:  # the library raises many kinds where no hub answers
        raise ValueError(f"corpus {name!r}: no hub with Salesforce/wikitext can be reached ({type(error).__name__}). "
                         "Go online and unset HF_HUB_OFFLINE, or use the corpus 'python', which needs no network"
                         ) from error
    return Corpus(name, {part: articles(tables[part]["text"]) for part in PARTS})


def articles(lines: Iterable[str]) -> dict[str, str]:
    """Articles of WikiText's lines: a line " = Title = " begins one."""
    found: dict[str, str] = {}
    title = "start"
    for line in lines:
        heading = re.fullmatch(r" = ([^=].*[^=]|[^=]) = \n?", line)
        if heading:
            title = heading[1] if heading[1] not in found else f"{heading[1]} ({len(found)})"
        if line.strip() or title in found:
            found[title] = found.get(title, "") + line
    return found


def tokenizer(source: Corpus, vocabulary: int = 2048) -> Any:
    """A byte-level BPE of so many tokens, trained on the corpus's training part: a tokenizer of transformers.

    Every text survives it unchanged (bytes are tokens); `END` separates documents.
    """
    bpe = library("tokenizers").ByteLevelBPETokenizer()
    bpe.train_from_iterator(source.documents["train"].values(), vocab_size=vocabulary, min_frequency=2,
                            special_tokens=[END], show_progress=False)
    return library().PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token=END, bos_token=END,
                                             clean_up_tokenization_spaces=False)


def blocks(texts: Iterable[str], tokens: Any, length: int) -> Tensor:
    """Texts as rows of token ids (rows, length), one text after the other, `END` behind each; the rest is dropped."""
    ids = [i for encoded in tokens(list(texts))["input_ids"] for i in (*encoded, tokens.eos_token_id)]
    return torch.tensor(ids[:len(ids) // length * length]).view(-1, length)
