"""Recordings that join the catalogue after a training get the tags of its labels in the nightly run."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.home import Home, locked
from recsys.ingest.run import ingest
from recsys.ingest.undo import undo
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.pipeline.results import Outcome
from recsys.pipeline.steps.tags import NIGHTLY_TRAININGS, TRACK_TAGS, tag_new_recordings
from recsys.tags import learn
from recsys.tags.inputs import TrackInputs
from recsys.tags.kept import Training, trainings
from recsys.tags.labels import labels_of
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

from .conftest import SMALL, genre_of

DAY, NIGHT = date(2026, 7, 2), date(2026, 7, 9)
N_EARLIER = 100  # recordings of the catalogue when the training was made


@pytest.fixture
def kept(catalogue: TrackInputs, given: pl.DataFrame, tmp_path: Path) -> Training:
    """A training on the first hundred recordings, read back from the home."""
    home, earlier = Home(tmp_path / "home"), catalogue.of_rows(np.arange(N_EARLIER))
    learned = learn.learn_kind(labels_of(given, earlier.tracks.ids())[0], earlier, SMALL)
    with locked(home):
        learn.write(home, learned, earlier, Path("labels.csv"), today=DAY)
    (training,) = trainings(home)
    return training


def at_night(kept: list[Training], inputs: list[TrackInputs], note: Callable[..., None] = print) -> Outcome:
    """Run the step."""
    facts = inputs[0].facts
    return tag_new_recordings(trainings=kept, training_inputs=inputs, consents_now=facts, served_on=NIGHT, note=note)


def test_new_recordings_get_the_tags_of_the_labels(catalogue: TrackInputs, kept: Training) -> None:
    """Those with inputs, and no others: their true genre is the most probable tag of nearly all."""
    found = at_night([kept], [catalogue])

    rows = found.outputs[TRACK_TAGS.name]
    best = rows.sort("probability", descending=True).unique("track_id", keep="first").sort("track_id")
    assert best["track_id"].to_list() == [f"t{row}" for row in range(N_EARLIER, 115)]
    assert set(rows["tagger"]) == {"own-genre"}
    assert (best["tag"] == pl.Series(genre_of()[N_EARLIER:115])).mean() >= 0.8
    assert found.counts == {"n_recordings": 15, "n_tags": rows.height}
    learned_from = found.outputs[NIGHTLY_TRAININGS.name]
    assert learned_from.select("model", "trained_on", "role").unique().rows() == [
        ("own-genre-nightly", NIGHT, "labels")
    ]
    allowed = catalogue.facts.filter(training_consent="granted")["track_id"]
    assert set(learned_from["track_id"]) == set(kept.labels["track_id"]) & set(allowed)


def test_nothing_is_learned_without_new_recordings(catalogue: TrackInputs, kept: Training, tmp_path: Path) -> None:
    """Nor in a home in which nothing was ever trained."""
    earlier = catalogue.of_rows(np.arange(N_EARLIER))
    found = at_night([kept], [earlier])

    assert found.outputs[TRACK_TAGS.name].is_empty()
    assert found.outputs[NIGHTLY_TRAININGS.name].is_empty()
    assert trainings(Home(tmp_path / "other")) == []


@pytest.mark.slow
def test_labels_that_became_useless_stop_no_run(catalogue: TrackInputs, kept: Training) -> None:
    """The run says that nothing was learned, and what to do."""
    later, notes = catalogue.of_rows(np.arange(85, 120)), list[str]()

    found = at_night([kept], [later], lambda **event: notes.append(event["text"]))

    assert found.outputs[TRACK_TAGS.name].is_empty()
    assert len(notes) == 1
    assert "Train again: recsys tags train" in notes[0]
    with pytest.raises(InputError):
        learn.new_tags(kept, later, later.facts, today=DAY)


def test_a_training_that_was_taken_back_tags_no_more(kept: Training, tmp_path: Path) -> None:
    """Its labels stay in the home's files, and no night learns from them."""
    home = Home(tmp_path / "home")
    (batch,) = Lake(home).batches()

    undo(home, batch.batch, today=DAY)

    assert kept.known
    assert trainings(home) == []


@pytest.mark.slow
def test_settings_of_another_version_stop_no_run(catalogue: TrackInputs, kept: Training) -> None:
    """They are named as such."""
    other = replace(kept, settings={**kept.settings, "head": {"layers": 9}})

    with pytest.raises(InputError, match="by a version with other settings"):
        learn.new_tags(other, catalogue, catalogue.facts, today=DAY)


def test_the_mart_has_the_tags_of_both(tmp_path: Path) -> None:
    """Those in the lake, and those of recordings that the lake's tagger does not know; none of unknown recordings."""
    home, rows = Home(tmp_path / "home"), tmp_path / "night.parquet"
    (tmp_path / "tracks.csv").write_text("track_id,title,artist_id\nt1,One,a1\nt2,Two,a1\n")
    (tmp_path / "tags.csv").write_text("track_id,tagger,tag,confidence\nt1,own-genre,ska,.9\nt1,musicnn,dub,.3\n")
    with locked(home):
        ingest(home, [tmp_path / "tracks.csv"], today=DAY, table="tracks")
        ingest(home, [tmp_path / "tags.csv"], today=DAY, table="audio_tags")
    pl.DataFrame({"track_id": ["t1", "t2", "t9"]}).with_columns(
        tagger=pl.lit("own-genre"), tag=pl.lit("pop"), kind=pl.lit("genre"), confidence=0.8, probability=0.8
    ).write_parquet(rows)
    sources = Sources(Lake(home), DAY, results=result_tables({TRACK_TAGS.name: [rows]}))

    build(tmp_path / "w.duckdb", sources, only={"marts.track_tags"})

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        found = warehouse.query("select track_id, tagger, tag from marts.track_tags order by track_id, tag")
    assert found.rows() == [("t1", "musicnn", "dub"), ("t1", "own-genre", "ska"), ("t2", "own-genre", "pop")]
