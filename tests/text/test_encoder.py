"""Vectors of texts: the same in any batch, in the order of the texts."""

import numpy as np
import pytest

from recsys.text import encoder
from recsys.text.encoder import WIDTH, encode

TEXTS = ("the rain falls", "Regen fällt auf die leere Stadt", "THE RAIN FALLS", "雨が降る", "the rain falls")


def test_a_text_has_the_same_vector_in_any_batch() -> None:
    """Texts are encoded together and equal ones once; case does not count."""
    together = encode(TEXTS)

    assert together.shape == (len(TEXTS), WIDTH)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    for text, row in zip(TEXTS, together, strict=True):
        assert encode([text])[0] @ row == pytest.approx(1, abs=1e-5)
    assert np.array_equal(together[0], together[2])
    assert np.array_equal(together[0], together[4])


def test_the_encoder_runs_on_one_thread() -> None:
    """On more threads than cores it takes twenty times the CPU time."""
    assert encoder._encoder().threads == 1


def test_no_texts_have_no_vectors() -> None:
    """Nothing is loaded for them."""
    assert encode([]).shape == (0, WIDTH)
