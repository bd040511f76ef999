"""
Explicit flags against words: the classifier, the lexicon alone, and the weights that are shipped.

Songs of the year-end charts 1960-2016, as bags of the words that at least twenty songs have, joined by title and artist
with the explicit flags of `billboard` and `spotify_audio_features`. The join compares titles without brackets and
accents and the first credited artist; a song with several flags is explicit if one of them says so.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from recsys.arrays import F64, I64, Bool
from recsys.lyrics.explicit import FEATURES, TermHit, features, hits_in_bag
from recsys.lyrics.language import detect
from recsys.tags.calibration import ece

FORWARD = (2000, 2005)  # first year of the test; all earlier ones train
N_FOLDS = 5
_C = 1.0  # inverse regularization, on standardised features
_GUEST = re.compile(r"\b(?:feat|featuring|ft|with|and|x)\b|[&;,]")


class Songs(NamedTuple):
    """
    Songs with a flag.

    Attributes:
        names: Title, artist and year of each.
        bags: The words of each.
        is_explicit: Its flag. Shape (n,).
        years: Its year. Shape (n,).
        artists: Number of its artist. Shape (n,).
    """

    names: list[tuple[str, str, int]]
    bags: list[dict[str, int]]
    is_explicit: Bool
    years: I64
    artists: I64

    def some(self, n: int) -> "Songs":
        """Return n of the songs, or all if there are fewer."""
        rows = evenly(len(self.names), n)
        names, bags = ([listed[row] for row in rows] for listed in (self.names, self.bags))
        return Songs(names, bags, self.is_explicit[rows], self.years[rows], self.artists[rows])


def evenly(n_all: int, n: int) -> I64:
    """Return the numbers of n of n_all rows, evenly spaced; of all if there are fewer."""
    return np.linspace(0, n_all - 1, min(n, n_all)).round().astype(np.int64)


def read(data: Path) -> Songs:
    """Read the songs and join their flags."""
    folder = data / "lyrics_bow_yearend_1960_2016"
    songs = keyed(pl.read_parquet(folder / "songs.parquet"), "title", "artist")
    flagged = songs.join(_flags(data), on=("title_key", "artist_key")).sort("song_idx")
    words = pl.read_parquet(folder / "vocab.parquet").select("word_idx", "word")
    bags = pl.read_parquet(folder / "bow.parquet").join(words, on="word_idx").cast({"song_idx": pl.Int64})
    of_song = {song: dict(part.select("word", "count").iter_rows()) for (song,), part in bags.group_by("song_idx")}
    return Songs(
        names=flagged.select("title", "artist", pl.col("year").cast(pl.Int64)).rows(),
        bags=[of_song.get(song, {}) for song in flagged["song_idx"]],
        is_explicit=flagged["is_explicit"].to_numpy(),
        years=flagged["year"].cast(pl.Int64).to_numpy(),
        artists=flagged["artist_key"].rank("dense").cast(pl.Int64).to_numpy(),
    )


def _flags(data: Path) -> pl.DataFrame:
    billboard = pl.read_parquet(data / "billboard" / "yearend_audio_features.parquet")
    spotify = pl.read_parquet(data / "spotify_audio_features" / "spotify_by_genre_6k.parquet")
    flag = (pl.col("explicit").cast(pl.String).str.to_lowercase() == "true").alias("is_explicit")
    parts = [
        keyed(table, title, artist).select("title_key", "artist_key", flag)
        for table, title, artist in ((billboard, "track_name", "artist_name"), (spotify, "track_name", "artists"))
    ]
    named = pl.concat(parts).filter(pl.col("title_key") != "")
    return named.group_by("title_key", "artist_key").agg(pl.any("is_explicit"))


def keyed(table: pl.DataFrame, title: str, artist: str) -> pl.DataFrame:
    """Add `title_key` and `artist_key`, by which songs of several sources are joined."""
    return table.with_columns(
        title_key=pl.Series([_title_key(text) for text in table[title]]),
        artist_key=pl.Series([_artist_key(text) for text in table[artist]]),
    )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def _title_key(title: str | None) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\(.*?\)|\[.*?\]| - .*$", "", _plain(title or "")))


def _artist_key(artist: str | None) -> str:
    first = _GUEST.split(_plain(artist or ""))[0].strip()
    return re.sub(r"[^a-z0-9]", "", first.removeprefix("the "))


def measure(data: Path, n_songs: int, n_draws: int) -> None:
    """Print the join, AUC and calibration by artist and forward in time, the lexicon alone, and the weights."""
    songs = read(data).some(n_songs)
    hits = [hits_in_bag(bag, "en") for bag in songs.bags]
    inputs = np.array([features(own_hits) for own_hits in hits])
    n_english = sum(detect(" ".join(bag)).code == "en" for bag in songs.bags)
    n_explicit = songs.is_explicit.sum()
    print(
        f"Explicit: {len(songs.bags):,} songs with a flag, {n_explicit} explicit; {n_english:,} are found to be English"
    )
    drawn = np.random.default_rng(7).choice(len(songs.names), size=min(8, len(songs.names)), replace=False)
    print("  joined, for example: " + "; ".join(f"{songs.names[row][0]} ({songs.names[row][1]})" for row in drawn))
    n_words = np.array([[math.log1p(sum(bag.values()))] for bag in songs.bags])
    present = (inputs > 0).astype(np.float64)
    print("                                songs  explicit  mean p AUC    [95 %]          ECE    lexicon alone")
    for name, values in (("", inputs), (" with length", np.hstack([inputs, n_words])), (" presence", present)):
        _line(f"by artist{name}", songs, _by_artist(values, songs), np.arange(len(inputs)), hits, n_draws)
        for year in FORWARD:
            trained, tested = songs.years < year, np.flatnonzero(songs.years >= year)
            predicted = _fit(values[trained], songs.is_explicit[trained])(values)
            _line(f"{year} and later{name}", songs, predicted, tested, hits, n_draws)
    weights = fitted_weights(inputs, songs.is_explicit)
    listed = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(FEATURES, weights[0], strict=True))
    print(f"weights of all songs: {listed}; intercept {weights[1]:.2f}")


def _line(name: str, songs: Songs, predicted: F64, rows: I64, hits: list[list[TermHit]], n_draws: int) -> None:
    flags, probability = songs.is_explicit[rows], predicted[rows]
    alone = np.array([sum(hit.n for hit in hits[row]) for row in rows])
    low, high = _interval(flags, probability, songs.artists[rows], n_draws)
    auc, auc_alone = roc_auc_score(flags, probability), roc_auc_score(flags, alone)
    print(
        f"{name:30} {len(rows):6}  {flags.mean():8.3f}  {probability.mean():.3f}  {auc:.3f}  [{low:.3f}, {high:.3f}]"
        f"  {ece(probability, flags):.3f}  {auc_alone:.3f}"
    )


def _fit(inputs: F64, flags: Bool) -> Callable[[F64], F64]:
    coefficients, intercept = fitted_weights(inputs, flags)
    return lambda values: 1 / (1 + np.exp(-(values @ coefficients + intercept)))


def fitted_weights(inputs: F64, flags: Bool) -> tuple[F64, float]:
    """Return weights and intercept on the features as they are, from a fit on standardised ones."""
    mean, std = inputs.mean(axis=0), inputs.std(axis=0) + 1e-9
    model = LogisticRegression(C=_C).fit((inputs - mean) / std, flags)
    coefficients = model.coef_[0] / std
    return coefficients, float(model.intercept_[0] - coefficients @ mean)


def _by_artist(inputs: F64, songs: Songs) -> F64:
    predicted = np.zeros(len(inputs))
    for trained, tested in GroupKFold(N_FOLDS).split(inputs, songs.is_explicit, songs.artists):
        predicted[tested] = _fit(inputs[trained], songs.is_explicit[trained])(inputs[tested])
    return predicted


def _interval(flags: Bool, probability: F64, artists: I64, n_draws: int) -> tuple[float, float]:
    """Return the 95 % interval of the AUC over artists."""
    rng, rows_of = np.random.default_rng(7), [np.flatnonzero(artists == artist) for artist in np.unique(artists)]
    found = []
    for _ in range(n_draws):
        rows = np.concatenate([rows_of[n] for n in rng.integers(len(rows_of), size=len(rows_of))])
        if 0 < flags[rows].sum() < len(rows):
            found.append(roc_auc_score(flags[rows], probability[rows]))
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)
