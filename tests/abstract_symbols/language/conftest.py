"""Models for all tests of this folder, which are skipped where Hugging Face's libraries are not installed."""

import pytest

pytest.importorskip("transformers", reason="the extra 'language' is not installed")

from language_models import MODELS


@pytest.fixture(params=[(name, attention) for name in MODELS for attention in ("sdpa", "eager")],
                ids=lambda p: "-".join(p))
def made(request):
    name, attention = request.param
    return MODELS[name], attention
