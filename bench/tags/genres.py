"""
Genres of real recordings from features: 28,356 tracks with six playlist genres, split by artist.

The features are those of the platform's catalogue of a streaming service and the release year; both the head and
gradient boosting get the same. A track in several playlists has the genre of the first. Artists are split by a hash:
tenths 0 to 7 train, 8 and 9 test (settings were chosen with 0 to 5 against 6 and 7).
"""

from zlib import crc32

import numpy as np
import polars as pl

from bench.options import data_folder
from recsys.arrays import F32, F64
from recsys.dataset.vocab import Vocab
from recsys.tags.head import HeadSettings
from recsys.tags.inputs import TrackInputs
from recsys.tags.labels import labels_of
from recsys.tags.train import TagSettings, TrainingData, train

FEATURES = (
    *("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence", "tempo"),
    *("loudness", "duration_min", "release_year"),
)
TENTHS = {"train": range(8), "test": range(8, 10)}


def inputs_of(part: str, n: int) -> TrackInputs:
    """Return at most n tracks of a part, drawn at random, with their genre among the facts."""
    rows = pl.read_parquet(data_folder() / "spotify_audio_features" / "spotify_songs_30k.parquet")
    tracks = rows.unique("track_id", keep="first", maintain_order=True)
    tenth = [crc32(f"s{artist or ''}".encode()) % 10 for artist in tracks["track_artist"]]
    chosen = tracks.filter(pl.Series(tenth).is_in(list(TENTHS[part])))
    drawn = chosen.sample(min(n, len(chosen)), seed=7).sort("track_id")
    facts = drawn.select(
        "track_id",
        artist_id="track_artist",
        training_consent=pl.lit("granted"),
        genre="playlist_genre",
        language=pl.lit("unknown"),
        country=pl.lit("unknown"),
    )
    features: F32 = drawn.select(FEATURES).to_numpy().astype(np.float32)
    return TrackInputs(Vocab.of(drawn["track_id"], kind="track"), {"features": (features,)}, facts)


def training_data(inputs: TrackInputs) -> TrainingData:
    """Return the tracks with their genre as label."""
    rows = inputs.facts.select("track_id", kind=pl.lit("genre"), tag="genre")
    return TrainingData.of(labels_of(rows, inputs.tracks.ids())[0], inputs, TagSettings())


def one_hot(inputs: TrackInputs) -> F32:
    """Return the genre of each track, shape (n, n_genres), float32; genres are sorted."""
    names = np.unique(inputs.facts["genre"].to_numpy())
    hot: F32 = (inputs.facts["genre"].to_numpy()[:, None] == names).astype(np.float32)
    return hot


def by_head(training: TrackInputs, test: TrackInputs, head: HeadSettings) -> F64:
    """Return the calibrated probabilities of our head. Shape (n_test, n_genres)."""
    return train(training_data(training), TagSettings(head=head)).predict(test)


def by_boosting(training: TrackInputs, test: TrackInputs) -> F64:
    """Return the probabilities of gradient boosting with its defaults (scikit-learn). Shape (n_test, n_genres)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(training.blocks["features"][0], training.facts["genre"].to_numpy())
    found: F64 = model.predict_proba(test.blocks["features"][0])
    return found
