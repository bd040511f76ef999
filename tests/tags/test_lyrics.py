"""Lyrics as an input of heads: a small home whose made-up verses tell the genre, and the same verses dealt out anew."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.dataset.vocab import Vocab
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.tags import learn
from recsys.tags.inputs import LYRICS, METADATA, TrackInputs
from recsys.tags.labels import labels_of
from recsys.tags.latent import word_vectors
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

from .conftest import SMALL, genre_of
from .test_lake import DAY

N = 90
COMMON = ["the", "and", "you", "my", "in", "night", "a", "time", "we", "are"]
OWN = {
    "jazz": ["velvet", "trumpet", "midnight", "smoke", "swing", "avenue"],
    "pop": ["dancing", "lipstick", "summer", "radio", "baby", "glitter"],
    "rock": ["highway", "engine", "thunder", "whiskey", "burning", "steel"],
}
MARTS = ("track_features", "track_audio", "track_vectors", "track_lyrics", "lyric_words")


def verses() -> list[str]:
    """Return a verse per recording: twelve common words and six of its genre, of which each verse lacks some."""
    rng = np.random.default_rng(3)
    return [" ".join(rng.permutation([*rng.choice(COMMON, 12), *rng.choice(OWN[genre], 6)])) for genre in genre_of(N)]


def inputs_of(folder: Path, texts: list[str]) -> TrackInputs:
    """Ingest recordings with lyrics, build the marts, and read the inputs; of the last two, consent is not granted."""
    home, ids = Home(folder / "home"), [f"t{row:03d}" for row in range(N)]
    consent = ["granted"] * (N - 2) + ["denied", None]
    artists = pl.Series([f"a{row // 4:02d}" for row in range(N)])
    tracks = pl.DataFrame({"track_id": ids, "title": "One", "artist_id": artists, "explicit": artists > "a11"})
    folder.mkdir()
    tracks.write_csv(folder / "tracks.csv")
    pl.DataFrame({"track_id": ids, "text": texts, "training_consent": consent}).write_csv(folder / "lyrics.csv")
    ingest(home, [folder / "tracks.csv", folder / "lyrics.csv"], today=DAY)
    built = folder / "w.duckdb"
    build(built, Sources(Lake(home), DAY), only={f"marts.{mart}" for mart in MARTS})
    with Warehouse.open(built) as warehouse:
        return TrackInputs.read(warehouse, None, [METADATA, LYRICS])


def f1_of(inputs: TrackInputs, given: pl.DataFrame) -> dict[str, float]:
    """Return the macro F1 of heads with each block alone."""
    card = learn.learn_kind(labels_of(given.head(N), inputs.tracks.ids())[0], inputs, SMALL).card
    return {part["inputs"]: part["macro_f1"]["value"] for part in card["ablation"]}


@pytest.mark.slow
def test_lyrics_tell_the_genre_that_their_words_carry(tmp_path: Path, given: pl.DataFrame) -> None:
    """By artists that the head has not met; metadata does not, nor do the same verses under other recordings."""
    own = inputs_of(tmp_path / "own", verses())
    dealt = inputs_of(tmp_path / "dealt", np.random.default_rng(4).permutation(verses()).tolist())

    found, control = f1_of(own, given), f1_of(dealt, given)

    assert found["lyrics"] > 0.9
    assert max(found["metadata"], control["lyrics"]) < 0.5
    measures, _, words = own.blocks[LYRICS]
    assert np.isnan(measures).all(axis=1).tolist() == np.isnan(words).all(axis=1).tolist() == [False] * 88 + [True] * 2
    assert np.exp(measures[0, 0]) == pytest.approx(18)


def test_recordings_with_similar_words_are_near_each_other() -> None:
    """A word that only one recording has says nothing, one that most have little; without others there is no vector."""
    two = {"a": "sea salt the", "b": "sea salt boat the"}
    texts = {**two, "c": "fire ash the", "d": "fire ash coal the", "e": "fire ash the", "f": "unique"}
    tracks = Vocab.of([*texts, "g"], kind="track")
    words = pl.DataFrame([(track, word, 1) for track, text in texts.items() for word in text.split()], orient="row")
    words.columns = ["track_id", "word", "n"]

    found = word_vectors(words, tracks)

    unit = found[:5] / np.linalg.norm(found[:5], axis=1, keepdims=True)
    alike = [[float(row < 2)] * 2 + [float(row >= 2)] * 3 for row in range(5)]
    assert unit @ unit.T == pytest.approx(np.array(alike), abs=1e-3)
    assert np.isnan(found[5:]).all()
    assert word_vectors(words, tracks)[:5] == pytest.approx(found[:5], abs=1e-6)
    assert word_vectors(words.clear(), tracks).shape == (7, 0)


@pytest.mark.parametrize("texts", [["sea salt"] * 20, ["sea"] * 2, ["sea salt"] * 19 + ["fire"], []])
def test_texts_that_nothing_tells_apart_have_no_vectors(texts: list[str]) -> None:
    """Equal texts, also beside one that shares no word with them."""
    rows = [(f"t{row:02d}", word, 1) for row, text in enumerate(texts) for word in text.split()]
    words = pl.DataFrame(rows, {"track_id": pl.String, "word": pl.String, "n": pl.Int64}, orient="row")

    found = word_vectors(words, Vocab.of([f"t{row:02d}" for row in range(20)], kind="track"))

    assert np.isnan(found).all()
