"""Lyric features: songs about the same share clusters, each language has its own, and few texts give none."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.features import Features
from recsys.dataset.lyric_features import MIN_TEXTS, WEIGHT, lyric_features
from recsys.dataset.vocab import Vocab

SUBJECTS = {
    "en": ("road car wheel mile border map", "moon star night dark lamp owl"),
    "es": ("camino coche rueda milla frontera mapa", "luna estrella noche oscuro farol búho"),
}
FREQUENT = {"en": "the and you of in to", "es": "la y tú de en que"}
N_TEXTS = 64


@pytest.fixture(scope="module")
def words() -> pl.DataFrame:
    """Words of 64 texts: two languages by two subjects, with the most frequent words of the language in each."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(N_TEXTS):
        language = ("en", "es")[number % 2]
        subject = rng.permutation(SUBJECTS[language][number // 2 % 2].split())[:4]
        counts = dict.fromkeys(subject.tolist(), 2) | dict.fromkeys(FREQUENT[language].split(), 9)
        rows += [(f"t{number:02d}", language, word, n) for word, n in counts.items()]
    return pl.DataFrame(rows, ["track_id", "language", "word", "n"], orient="row")


def test_songs_of_a_subject_share_clusters(words: pl.DataFrame) -> None:
    """The mean product of word features within language and subject is over three times that of other pairs."""
    features = lyric_features(words).filter(pl.col("name").str.starts_with("words="))
    tracks = Vocab.of(pl.Series([f"t{number:02d}" for number in range(N_TEXTS)]), kind="track")
    matrix = Features.weighted(tracks, features).matrix.toarray()

    products, kind = matrix @ matrix.T, np.arange(N_TEXTS) % 4
    is_same = kind[:, None] == kind
    assert products[is_same].mean() > 3 * products[~is_same].mean()
    assert features["weight"].is_between(0, WEIGHT).all()


def test_the_language_is_a_feature_where_it_is_known(words: pl.DataFrame) -> None:
    """A text whose language is unknown has clusters, but no language."""
    unknown = words.with_columns(language=pl.when(pl.col("track_id") != "t00").then("language"))

    features = lyric_features(unknown)

    sung = features.filter(pl.col("name").str.starts_with("sung_in="))
    assert dict(sung.select("track_id", "name").iter_rows()) == {
        f"t{number:02d}": f"sung_in={('en', 'es')[number % 2]}" for number in range(1, N_TEXTS)
    }


def test_few_texts_give_no_features_and_the_same_texts_the_same(words: pl.DataFrame) -> None:
    """Below the minimum the result is empty; clustering is reproducible."""
    few = words.filter(pl.col("track_id") < f"t{MIN_TEXTS - 1:02d}")

    assert lyric_features(few).is_empty()
    assert lyric_features(words).equals(lyric_features(words))


@pytest.mark.parametrize("texts", [["la"] * 20, ["la la love"] * 20, ["la"] * 19 + ["la love"]])
def test_texts_that_nothing_tells_apart_give_no_features(texts: list[str]) -> None:
    """One word, equal texts, one that differs: no features, and no error."""
    rows = [(f"t{row:02d}", "en", word, 1) for row, text in enumerate(texts) for word in set(text.split())]

    assert lyric_features(pl.DataFrame(rows, ["track_id", "language", "word", "n"], orient="row")).is_empty()


def test_texts_in_a_language_of_their_own_give_no_features(words: pl.DataFrame) -> None:
    """A word's frequency within a language of one text says nothing; without words there are no features either."""
    assert lyric_features(words.with_columns(language="track_id")).is_empty()
    assert lyric_features(words.clear()).is_empty()


@pytest.mark.filterwarnings("error")
def test_equal_texts_share_one_cluster(words: pl.DataFrame) -> None:
    """There are not more clusters than different texts, and k-means has nothing to warn of."""
    different = words.filter(pl.col("track_id") < "t04")  # two languages by two subjects
    copies = [different.with_columns(track_id=pl.col("track_id") + f"-{copy:02d}") for copy in range(20)]

    features = lyric_features(pl.concat(copies)).filter(pl.col("name").str.starts_with("words="))

    nearest = features.filter(pl.col("weight") == WEIGHT).with_columns(pl.col("track_id").str.head(3))
    assert len(nearest) == 80
    assert len(nearest.unique()) == features["name"].n_unique() == 4
