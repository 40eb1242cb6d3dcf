"""Text to train on: split by document without leakage, and a tokenizer that gives every text back."""

import pandas as pd
import pytest

from abstract_symbols.language.corpus import (
    PARTS,
    Corpus,
    articles,
    blocks,
    corpus,
    part_of,
    shingles,
    tokenizer,
    without_repeats,
)


@pytest.fixture(scope="module")
def text():
    return corpus()


@pytest.mark.slow
def test_the_embedded_corpus_is_split_by_document_without_leakage(text):
    parts = text.documents
    sizes = {part: sum(map(len, parts[part].values())) for part in PARTS}
    assert sizes["train"] > 800_000 and min(sizes.values()) > 80_000
    names = [name for part in PARTS for name in parts[part]]
    assert len(names) == len(set(names)), "no document in two parts"
    assert any(n.startswith("topic ") for n in names) and any(n.startswith("module ") for n in names)
    eight = {part: {s for document in parts[part].values() for paragraph in document.split("\n\n")
                    for s in shingles(paragraph) if len(s) == 8} for part in PARTS}
    assert min(map(len, eight.values())) > 1000
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not eight[one] & eight[other], "no paragraph shares eight words in a row"


def test_near_identical_docstrings_do_not_straddle_parts():
    one = "Return the canonical path of the specified filename, eliminating any symbolic links encountered in the path."
    near = "Returns the canonical PATH of the specified filename,\n   eliminating any symbolic links found in it"
    other = "Something else altogether, which has not been said before in any other document of this little corpus."
    kept = without_repeats({"train": {"posixpath": one}, "validation": {"ntpath": f"{near}\n\n{other}"},
                            "test": {"copy": one, "short": "Close it."}})
    assert kept == {"train": {"posixpath": one}, "validation": {"ntpath": other}, "test": {"short": "Close it."}}


def test_a_documents_part_is_its_names():
    counts = pd.Series([part_of(f"module {i}") for i in range(5000)]).value_counts(normalize=True)
    assert counts["train"] == pytest.approx(0.8, abs=0.02) and counts["test"] == pytest.approx(0.1, abs=0.02)
    assert part_of("module json.decoder") == part_of("module json.decoder")


@pytest.mark.slow
def test_the_corpus_digest_sees_every_change(text):
    changed = {part: dict(documents) for part, documents in text.documents.items()}
    name = next(iter(changed["test"]))
    changed["test"][name] += "."
    assert Corpus("python", changed).digest != text.digest
    assert Corpus("python", text.documents).digest == text.digest


def test_the_tokenizer_gives_every_text_back(text):
    tokens = tokenizer(text, 600)
    assert len(tokens) == 600
    documents = [*list(text.documents["test"].values())[:5], "naïve Ünïcode, 数学 ∀x∈X 🙂\n\ttabs  and   spaces "]
    for document in documents:
        assert tokens.decode(tokens(document)["input_ids"]) == document
    rows = blocks(documents, tokens, 16)
    flat = [i for d in documents for i in (*tokens(d)["input_ids"], tokens.eos_token_id)]
    assert rows.shape == (len(flat) // 16, 16) and rows.flatten().tolist() == flat[:rows.numel()]


def test_the_tokenizer_learns_from_the_training_part_only(text):
    other = {**text.documents, "test": {"x": "zyxwv " * 5000}}
    one, same = tokenizer(text, 400), tokenizer(Corpus("python", other), 400)
    assert one.get_vocab() == same.get_vocab()


def test_wikitext_says_when_no_hub_answers(monkeypatch):
    import datasets

    def unreachable(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(ValueError, match="'wikitext-2'.*no hub.*ConnectionError.*'python'"):
        corpus("wikitext-2")
    with pytest.raises(ValueError, match="unknown corpus 'wikitext'.*wikitext-103"):
        corpus("wikitext")


def test_wikitext_is_cut_at_its_headings(monkeypatch):
    import datasets

    lines = ["", " = First = \n", "", " Some words \n", " = = Section = = \n", " More \n", " = Second = \n", " End \n"]
    asked = []
    monkeypatch.setattr(datasets, "load_dataset", lambda *names: asked.append(names) or {p: {"text": lines}
                                                                                         for p in PARTS})
    found = corpus("wikitext-103").documents
    assert asked == [("Salesforce/wikitext", "wikitext-103-raw-v1")]
    assert found["test"] == articles(lines) == {
        "First": " = First = \n Some words \n = = Section = = \n More \n", "Second": " = Second = \n End \n"}
