"""A fixture: the corpus of three short documents in place of Python's documentation."""

import sys

import pytest
from language_models import LITTLE

from abstract_symbols.language.training import tokenised


@pytest.fixture
def little(monkeypatch):
    """Every run finds the little corpus, tokenised anew."""
    monkeypatch.setattr(sys.modules["abstract_symbols.language.training"], "corpus", lambda name: LITTLE)
    tokenised.cache_clear()
    yield LITTLE
    tokenised.cache_clear()
