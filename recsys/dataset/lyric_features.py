"""
Lyric features: the language that a track is sung in and its nearest clusters of words, as features for recommenders.

Words are weighted by tf-idf within their language, so that neither the language's most frequent words nor the language
itself decide which texts are alike, reduced by latent semantic analysis, and clustered (`cluster_features`). Only texts
whose consent to training is granted are used.
"""

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F64, Csr
from recsys.dataset.cluster_features import NO_FEATURES, cluster_features
from recsys.dataset.feature_vectors import latent_vectors, tfidf, unit_rows
from recsys.dataset.features import Features
from recsys.dataset.vocab import Vocab

WORDS = "words"  # name of the features of clusters
SUNG_IN = "sung_in"  # name of the features of languages
N_COMPONENTS = 48  # of latent semantic analysis
WEIGHT = 1.0  # of the language and of the nearest cluster, as of a genre
MIN_TEXTS = 16  # minimum number of tracks for clustering


def lyric_features(words: pl.DataFrame) -> pl.DataFrame:
    """
    Return the lyric features of tracks.

    Args:
        words: The result of `sql/internal/words_of_tracks.sql`: track_id, language (null if unknown), word, n.

    Returns:
        track_id, name ('words=07', or 'sung_in=en' where it is known), weight (0..1); no rows if fewer than 16 tracks
        have words that tell them from others of their language.
    """
    languages = words.select("track_id", "language").unique("track_id").sort("track_id")
    points = _points(words, languages)
    has_words = points.any(axis=1)
    if has_words.sum() < MIN_TEXTS:
        return pl.DataFrame(schema=NO_FEATURES)
    ids = languages["track_id"].filter(pl.Series(has_words, dtype=pl.Boolean))
    clusters = cluster_features(ids, points[has_words], name=WORDS, max_weight=WEIGHT)
    sung = languages.drop_nulls("language")
    return pl.concat(
        [clusters, sung.select("track_id", name=f"{SUNG_IN}=" + pl.col("language"), weight=pl.lit(WEIGHT))]
    )


def _points(words: pl.DataFrame, languages: pl.DataFrame) -> F64:
    """Return the point of each row of `languages`, of norm 1; 0 for a text without a word that tells it from others."""
    if languages.is_empty():
        return np.zeros((0, 0))
    tracks = Vocab.of(languages["track_id"], kind="track")
    counts = Features.weighted(tracks, words.select("track_id", name="word", weight="n")).matrix.astype(np.float64)
    weights = _tfidf_by_language(counts, languages["language"].fill_null("").to_numpy())
    return unit_rows(latent_vectors(weights, N_COMPONENTS))


def _tfidf_by_language(counts: Csr, language: np.ndarray) -> Csr:
    """Return the tf-idf weights of words, with document frequencies among the texts of the same language."""
    rows = [np.flatnonzero(language == code) for code in np.unique(language)]
    weights = sp.vstack([tfidf(counts[of_language]) for of_language in rows], format="csr")
    return weights[np.argsort(np.concatenate(rows))]
