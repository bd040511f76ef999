"""Inputs of heads: what is missing, which embeddings count, and encodings."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.dataset.vocab import Vocab
from recsys.tags import learn, train
from recsys.tags.encoding import MIN_QUANTILES, Encoding
from recsys.tags.inputs import TrackInputs, vectors_of
from recsys.tags.labels import labels_of
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

from .conftest import SMALL


def inputs_of(*parts: np.ndarray) -> TrackInputs:
    """Return recordings with one block of the given parts."""
    facts = pl.DataFrame({"track_id": [f"{row:03d}" for row in range(len(parts[0]))]})
    block = tuple(part.astype(np.float32) for part in parts)
    return TrackInputs(Vocab.of(facts["track_id"], kind="track"), {"block": block}, facts)


def test_recordings_that_are_taken_down_or_unknown_are_not_read(tmp_path: Path) -> None:
    """A spectrum without brightness (of 0 Hz) has no logarithm, and is a missing value."""
    path = tmp_path / "w.duckdb"
    rows = [("a", True, None), ("b", True, date(2026, 1, 1)), ("c", False, None), ("d", True, None)]
    tracks = pl.DataFrame(rows, ["track_id", "is_known", "taken_down_at"], orient="row").with_columns(
        *(pl.lit("x").alias(name) for name in ("artist_id", "training_consent", "genre", "language", "artist_type")),
        *(pl.lit(1.0).alias(name) for name in ("tempo_bpm", "loudness_lufs", "energy", "danceability", "duration_ms")),
        artist_country=pl.lit("DE"),
        release_date=pl.lit(date(2020, 1, 1)),
        explicit=pl.lit(value=True),
    )
    measured = ("onset_rate_hz", "beat_strength", "spectral_flatness", "loudness_range_lu")
    audio = pl.DataFrame({"track_id": ["a", "d"], "spectral_centroid_hz": [0.0, np.e], "mode": ["minor", "major"]})
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.register("tracks", tracks.to_arrow())
        connection.register("audio", audio.with_columns(*(pl.lit(1.0).alias(name) for name in measured)).to_arrow())
        connection.execute("create table marts.track_features as select * from tracks")
        connection.execute("create table marts.track_audio as select * from audio")
        connection.execute("create table marts.track_vectors (track_id varchar, encoder varchar, vector float[])")

    with Warehouse.open(path) as warehouse:
        found = warehouse.query(internal_sql("inputs_of_tags"))

    assert found["track_id"].to_list() == ["a", "d"]
    assert found["log_brightness"].to_list() == [None, pytest.approx(1)]


def test_encodings_are_finite_and_say_what_is_missing() -> None:
    """A number is its position between quantiles; missing ones are 0 and marked, also in a wide part."""
    narrow = np.array([[0.0], [1.0], [2.0], [np.nan]])
    wide = np.random.default_rng(0).normal(size=(4, 80))
    wide[2] = np.nan
    inputs = inputs_of(narrow, wide)

    encoded = Encoding.of(inputs).encode(inputs)

    assert np.isfinite(encoded).all()
    assert encoded[3, : MIN_QUANTILES + 1].tolist() == [0.0] * MIN_QUANTILES + [1.0]
    assert encoded[1, :MIN_QUANTILES].sum() == pytest.approx(MIN_QUANTILES / 2)
    assert encoded[:, -1].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("n_columns", [0, 3, 80])
def test_a_part_without_any_value(n_columns: int) -> None:
    """Only the marks of missing values remain, of each column or of the wide part; later values change nothing."""
    missing = inputs_of(np.full((4, n_columns), np.nan))
    encoding = Encoding.of(missing)

    n_marks = min(n_columns, 3) if n_columns < 80 else 1
    assert encoding.encode(missing).tolist() == [[1.0] * n_marks] * 4
    assert encoding.encode(inputs_of(np.ones((4, n_columns)))).tolist() == [[0.0] * n_marks] * 4


def test_a_column_without_any_value() -> None:
    """The other column is encoded as it is alone."""
    known = np.arange(6.0)[:, None]
    both, alone = inputs_of(np.hstack([np.full((6, 1), np.nan), known])), inputs_of(known)

    encoded = Encoding.of(both).encode(both)

    assert encoded[:, :-2].tolist() == Encoding.of(alone).encode(alone)[:, :-1].tolist()
    assert encoded[:, -2:].tolist() == [[1, 0]] * 6


def test_a_missing_measure_does_not_erase_the_embedding() -> None:
    """The parts of sound are missing each for itself."""
    rng = np.random.default_rng(1)
    measures, embedding = rng.normal(size=(50, 10)), rng.normal(size=(50, 80))
    complete = inputs_of(measures, embedding)
    measures[7, 2] = np.nan
    partial = inputs_of(measures, embedding)
    encoding = Encoding.of(complete)

    first, second = encoding.encode(complete), encoding.encode(partial)

    n_measured = 10 * (MIN_QUANTILES + 1)
    assert second[:, n_measured:].tolist() == first[:, n_measured:].tolist()
    assert np.abs(second[7, n_measured:]).sum() > 0
    assert np.flatnonzero((first != second).any(axis=1)).tolist() == [7]


@pytest.mark.slow
def test_a_block_that_is_missing_in_a_fold(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Only recordings of one artist have it, so that one fold trains without; and a home without scanned audio."""
    rows = np.arange(120)
    few = np.where((rows // 4 == 3)[:, None], rows[:, None], np.nan).astype(np.float32)
    none = np.full((120, 10), np.nan, np.float32)
    (sound,) = catalogue.blocks["sound"]
    for metadata in ((few,), (none, none[:, :0])):
        both = replace(catalogue, blocks={"listening": (sound,), "metadata": metadata})

        learned = learn.learn_kind(labels_of(given, both.tracks.ids())[0], both, SMALL)

        assert learned.card["metrics"]["macro_f1"]["value"] > 0.8
        assert np.isfinite(learned.head.predict(both)).all()


def test_embeddings_of_the_most_frequent_encoder() -> None:
    """Those of another encoder or length are missing, as are recordings without."""
    rows = pl.DataFrame(
        {
            "encoder": ["a", "b", "a", None, "a"],
            "vector": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], None, [7.0]],
        }
    )

    found = vectors_of(rows)

    assert found[[0, 2]].tolist() == [[1, 2], [5, 6]]
    assert np.isnan(found[[1, 3, 4]]).all()
    assert found.dtype == np.float32
    assert vectors_of(rows[3:4]).shape == (1, 0)


@pytest.mark.slow
def test_a_large_catalogue_is_predicted_in_chunks(
    catalogue: TrackInputs, given: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same result; and of the recordings without labels, a sample is used."""
    labels = labels_of(given, catalogue.tracks.ids())[0]
    learned = train.train(train.TrainingData.of(labels, catalogue, SMALL), SMALL)
    at_once = learned.predict(catalogue)
    monkeypatch.setattr(train, "CHUNK", 7)
    monkeypatch.setattr(train, "MAX_OTHERS", 5)

    others = train.TrainingData.of(labels, catalogue, SMALL).others.tracks.ids().to_list()

    assert learned.predict(catalogue) == pytest.approx(at_once, abs=1e-6)
    assert len(others) == 5
    assert set(others) < {f"t{row:03d}" for row in range(90, 115)} - {"t090", "t100", "t110"}
