"""
Happy or sad by words, and valence and arousal by words and sound.

Happy or sad: the official test of musicmood_lyrics_labels (200 songs) is looked at once per run, by the lexicon that
is shipped, by naive Bayes on tf-idf as in its publication, and by both together; all that is learned is learned on
the 1,000 training songs. Naive Bayes with the lexicon was chosen there, by cross-validation.

Valence and arousal: songs of the year-end charts that deezer_mood has, joined by title and artist as in `explicit`;
words as bags, sound as the descriptors of the billboard data, without the valence that it states. The official split
is kept.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import StandardScaler

from bench.lyrics.explicit import evenly, keyed
from recsys.arrays import F64, Bool, Csr
from recsys.lyrics.emotion import INTERCEPT, SLOPE, emotion_of, mean_rating, valence_ratings
from recsys.tags.calibration import ece

N_FOLDS = 10
LEXICON_WEIGHT = 0.6  # beside naive Bayes, both with standard deviation 1
SOUND = ("danceability", "energy", "loudness", "mode", "speechiness", "acousticness", "liveness", "tempo", "key")
NAME = ("title_key", "artist_key")
WORD_SCALE = 10.0  # of tf-idf beside standardised inputs; chosen on the validation part
ALPHAS = (3.0, 10.0, 30.0, 100.0, 300.0)


class Labelled(NamedTuple):
    """
    Songs labelled happy or sad.

    Attributes:
        words: The words of the columns of `counts`.
        counts: Shape (n, n_words).
        is_happy: Shape (n,).
        is_train: Shape (n,).
    """

    words: list[str]
    counts: Csr
    is_happy: Bool
    is_train: Bool

    def bags(self, rows: Bool) -> list[dict[str, int]]:
        """Return the words of some songs."""
        return [dict(_bag(self.words, row)) for row in self.counts[np.flatnonzero(rows)]]


def _bag(words: list[str], row: Csr) -> list[tuple[str, int]]:
    return [(words[column], int(n)) for column, n in zip(row.indices, row.data, strict=True)]


def read_bags(folder: Path) -> tuple[pl.DataFrame, list[str], Csr]:
    """Return songs in the order of rows, words in the order of columns, and counts, shape (n_songs, n_words)."""
    songs = pl.read_parquet(folder / "songs.parquet").sort("song_idx").with_row_index("row")
    vocab = pl.read_parquet(folder / "vocab.parquet").sort("word_idx").with_row_index("column")
    bags = pl.read_parquet(folder / "bow.parquet").cast({"song_idx": pl.Int64, "word_idx": pl.Int64})
    placed = bags.join(songs.select("row", "song_idx"), on="song_idx").join(
        vocab.select("column", pl.col("word_idx").cast(pl.Int64)), on="word_idx"
    )
    cells = (placed["row"].to_numpy(), placed["column"].to_numpy())
    counts = sp.csr_matrix((placed["count"].to_numpy().astype(np.float64), cells), shape=(len(songs), len(vocab)))
    return songs, vocab["word"].to_list(), counts


def read(data: Path) -> Labelled:
    """Read the songs that are labelled happy or sad."""
    songs, words, counts = read_bags(data / "musicmood_lyrics_labels")
    return Labelled(words, counts, (songs["mood"] == "happy").to_numpy(), (songs["split"] == "train").to_numpy())


def ratings_of(bags: list[dict[str, int]]) -> F64:
    """Return the valence of texts by the lexicon, 0 where it is not told. Shape (n,)."""
    return np.array([mean_rating(bag, valence_ratings()) or 0.0 for bag in bags])


def fitted_calibration(songs: Labelled) -> tuple[float, float]:
    """Return slope and intercept of the probability of happy words, by the training songs."""
    ratings = ratings_of(songs.bags(songs.is_train))[:, None]
    model = LogisticRegression(C=1e6).fit(ratings, songs.is_happy[songs.is_train])
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def measure(data: Path, n_songs: int, n_draws: int) -> None:
    """Print AUC and calibration of happy or sad, and R2 of valence and arousal."""
    songs = read(data)
    _happy_or_sad(songs, n_draws)
    _valence_and_arousal(data, n_songs, n_draws)


def _happy_or_sad(songs: Labelled, n_draws: int) -> None:
    train, test = songs.is_train, ~songs.is_train
    happy = songs.is_happy[test]
    slope, intercept = fitted_calibration(songs)
    shipped = [emotion_of(bag, "en").happy for bag in songs.bags(test)]
    known = np.array([value is not None for value in shipped])
    lexicon = np.array([0.5 if value is None else value for value in shipped])
    bayes = _naive_bayes(songs.counts[np.flatnonzero(train)], songs.is_happy[train])
    both = _with_lexicon(bayes, songs)
    by_words = bayes(songs.counts[np.flatnonzero(test)])
    probability = both(songs.counts[np.flatnonzero(test)], ratings_of(songs.bags(test)))
    print(f"Happy or sad: {train.sum():,} songs to learn from, {test.sum()} of the official test, {happy.sum()} happy")
    print("                               AUC    [95 %]          ECE    less naive Bayes [95 %]")
    _line("naive Bayes, learned", happy, 1 / (1 + np.exp(-by_words)), by_words, n_draws)
    _line("naive Bayes and lexicon", happy, probability, by_words, n_draws)
    _line("lexicon, as shipped", happy, lexicon, by_words, n_draws)
    print(f"  the lexicon tells {known.mean():.3f} of the songs; slope {slope:.2f}, intercept {intercept:.2f}")
    print(f"  shipped: slope {SLOPE:.2f}, intercept {INTERCEPT:.2f}")


def _naive_bayes(counts: Csr, is_happy: Bool) -> Callable[[Csr], F64]:
    """Return a function that returns log odds of happy words."""
    weights = TfidfTransformer().fit(counts)
    model = MultinomialNB().fit(weights.transform(counts), is_happy)

    def log_odds(texts: Csr) -> F64:
        found = model.predict_log_proba(weights.transform(texts))
        return np.asarray(found[:, 1] - found[:, 0])

    return log_odds


def _with_lexicon(bayes: Callable[[Csr], F64], songs: Labelled) -> Callable[[Csr, F64], F64]:
    """Return a function that returns calibrated probabilities by naive Bayes and lexicon, from cross-validation."""
    rows = np.flatnonzero(songs.is_train)
    counts, happy, ratings = songs.counts[rows], songs.is_happy[rows], ratings_of(songs.bags(songs.is_train))
    held_out = np.zeros(len(rows))
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=7)
    for fit, rest in folds.split(counts, happy):
        held_out[rest] = _naive_bayes(counts[fit], happy[fit])(counts[rest])
    of_bayes, of_ratings = held_out.std(), ratings.std()

    def score(log_odds: F64, ratings: F64) -> F64:
        return np.asarray(log_odds / of_bayes + LEXICON_WEIGHT * ratings / of_ratings)[:, None]

    calibration = LogisticRegression(C=1e6).fit(score(held_out, ratings), happy)
    found = cross_val_predict(calibration, score(held_out, ratings), happy, cv=folds, method="predict_proba")[:, 1]
    print(f"Happy or sad, cross-validation: AUC {roc_auc_score(happy, found):.3f} by naive Bayes and lexicon, ", end="")
    print(f"{roc_auc_score(happy, held_out):.3f} by naive Bayes, {roc_auc_score(happy, ratings):.3f} by lexicon")
    return lambda texts, rated: np.asarray(calibration.predict_proba(score(bayes(texts), rated))[:, 1])


def _line(name: str, happy: Bool, probability: F64, by_words: F64, n_draws: int) -> None:
    rng, found, beyond = np.random.default_rng(7), list[float](), list[float]()
    for _ in range(n_draws):
        rows = rng.integers(len(happy), size=len(happy))
        found.append(roc_auc_score(happy[rows], probability[rows]))
        beyond.append(found[-1] - roc_auc_score(happy[rows], by_words[rows]))
    low, high = np.percentile(found, (2.5, 97.5))
    less, more = np.percentile(beyond, (2.5, 97.5))
    auc = roc_auc_score(happy, probability)
    print(
        f"{name:29}  {auc:.3f}  [{low:.3f}, {high:.3f}]  {ece(probability, happy):.3f}"
        f"  {auc - roc_auc_score(happy, by_words):+.3f} [{less:+.3f}, {more:+.3f}]"
    )


class Joined(NamedTuple):
    """
    Songs with words, sound and labels.

    Attributes:
        songs: Artist, split, valence and arousal of each.
        counts: Shape (n, n_words).
        words: The words of the columns.
        sound: Shape (n, n_descriptors).
    """

    songs: pl.DataFrame
    counts: Csr
    words: list[str]
    sound: F64


def _joined(data: Path, n: int) -> Joined:
    songs, words, counts = read_bags(data / "lyrics_bow_yearend_1960_2016")
    moods = keyed(pl.read_parquet(data / "deezer_mood" / "tracks_valence_arousal.parquet"), "track_name", "artist_name")
    sound = keyed(pl.read_parquet(data / "billboard" / "yearend_audio_features.parquet"), "track_name", "artist_name")
    named = pl.col("title_key") != ""
    first = {"on": NAME, "maintain_order": "left"}
    found = (
        keyed(songs, "title", "artist")
        .unique(NAME, keep="first", maintain_order=True)
        .filter(named)
        .join(moods.unique(NAME, keep="first", maintain_order=True), **first)  # type: ignore[arg-type]
        .join(sound.drop("valence").group_by(NAME).agg(pl.mean(*SOUND)), **first)  # type: ignore[arg-type]
        .drop_nulls(SOUND)
    )
    found = found[evenly(found.height, n)]
    keys = found["key"].to_numpy().astype(int)[:, None] == np.arange(12)
    descriptors = np.hstack([found.select(SOUND[:-1]).to_numpy(), keys])
    return Joined(found, counts[found["row"].to_numpy()], words, descriptors)


def _valence_and_arousal(data: Path, n_songs: int, n_draws: int) -> None:
    joined = _joined(data, n_songs)
    split = joined.songs["split"].to_numpy()
    trained, tested = np.flatnonzero(split != "test"), np.flatnonzero(split == "test")
    bags = [dict(_bag(joined.words, row)) for row in joined.counts]
    moods = [emotion_of(bag, "en") for bag in bags]
    rated = np.array([[one.valence or 0.0, one.arousal or 0.0] for one in moods])
    words = TfidfTransformer(sublinear_tf=True).fit(joined.counts[trained]).transform(joined.counts).toarray()
    of_words = np.hstack([WORD_SCALE * words, _standard(rated, trained)])
    of_sound = _standard(joined.sound, trained)
    print(
        f"Valence and arousal: {len(trained)} songs to learn from, {len(tested)} of the official test, joined by name"
    )
    print(f"  R2 on the test [95 %]       {'words':23}  {'sound':23}  {'both':23}  both less the better")
    for column, target in enumerate(("valence", "arousal")):
        truth = joined.songs[target].to_numpy()
        alone = [_predicted(inputs, truth, trained, tested) for inputs in (of_words, of_sound)]
        both = _stacked([of_words, of_sound], truth, trained, tested)
        _r2_line(target, truth[tested], [*alone, both], n_draws)
        own = np.corrcoef(rated[:, column], truth)[0, 1]
        print(f"    correlation of the shipped {target} of words with the label, all songs: {own:.3f}")


def _standard(inputs: F64, trained: np.ndarray) -> F64:
    return np.asarray(StandardScaler().fit(inputs[trained]).transform(inputs))


def _predicted(inputs: F64, truth: F64, fitted: np.ndarray, rows: np.ndarray) -> F64:
    return np.asarray(RidgeCV(ALPHAS).fit(inputs[fitted], truth[fitted]).predict(inputs[rows]))


def _stacked(inputs: list[F64], truth: F64, trained: np.ndarray, tested: np.ndarray) -> F64:
    """Return predictions by a line through those of each input, which is fitted on held-out predictions."""
    held_out = np.zeros((len(trained), len(inputs)))
    fold = np.arange(len(trained)) % N_FOLDS
    for number in range(N_FOLDS):
        fitted, rest = trained[fold != number], trained[fold == number]
        held_out[fold == number] = np.stack([_predicted(features, truth, fitted, rest) for features in inputs], axis=1)
    of_test = np.stack([_predicted(features, truth, trained, tested) for features in inputs], axis=1)
    return np.asarray(RidgeCV(ALPHAS).fit(held_out, truth[trained]).predict(of_test))


def _r2_line(name: str, truth: F64, predictions: list[F64], n_draws: int) -> None:
    rng, draws = np.random.default_rng(7), list[list[float]]()
    for _ in range(n_draws):
        rows = rng.integers(len(truth), size=len(truth))
        draws.append([r2_score(truth[rows], predicted[rows]) for predicted in predictions])
    found, drawn = [r2_score(truth, predicted) for predicted in predictions], np.array(draws)
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    best = int(np.argmax(found[:2]))
    less, more = np.percentile(drawn[:, 2] - drawn[:, best], (2.5, 97.5))
    cells = "  ".join(f"{r2:.3f} [{a:+.3f}, {b:+.3f}]" for r2, a, b in zip(found, low, high, strict=True))
    print(f"  {name:26}  {cells}  {found[2] - found[best]:+.3f} [{less:+.3f}, {more:+.3f}]")
