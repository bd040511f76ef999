"""A run with music files: they are analysed, appear in marts and lists, and can be searched by sound."""

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.errors import UnknownIds
from recsys.home import Home, locked
from recsys.library.settings import AudioSettings
from recsys.pipeline.nightly import build_and_publish, nightly
from recsys.pipeline.run import Run
from recsys.published.similar import sounds_like, track_or_embedding
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.search.by_sound import ListLimits
from recsys.search.vector_index import Index
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import compose
from recsys.warehouse.query import Warehouse

from ..nights import World, catalogue_of

RATE_HZ = 22_050
PLAIN = ListLimits(3, per_artist=9, per_release=9)

pytestmark = pytest.mark.slow  # a whole night with sound


@pytest.fixture(scope="module")
def heard(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path, list[str]]:
    """A run whose inbox holds four files: two named by track id, one by ISRC, and one that is not music."""
    inbox = tmp_path_factory.mktemp("inbox")
    for path in world.raw.iterdir():
        if path.is_file() and not path.name.startswith("audio_"):
            shutil.copy(path, inbox)
    known = catalogue_of(inbox)
    tracks = known.filter(pl.col("isrc") != "", ~pl.col("isrc").is_duplicated()).sort("track_id")
    ids = tracks["track_id"][:3].to_list()
    (inbox / "music").mkdir()
    names = [ids[0], ids[1], tracks["isrc"][2]]
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        played = arrange(compose(name, rng), Style.random(rng), rng, longest_s=5)
        write_audio(inbox / "music" / f"{name}.flac", render(played, rate_hz=RATE_HZ, longest_s=5), RATE_HZ)
    (inbox / "music" / "broken.mp3").write_text("no music")
    home = Home(tmp_path_factory.mktemp("heard") / "home")
    recipe = read_recipe(world.recipe)
    with locked(home):
        run = nightly(home, inbox, as_of=world.last_day, today=world.last_day + timedelta(days=1), recipe=recipe)
    return run, inbox, ids


def test_what_is_heard_stands_in_the_marts_by_track(heard: tuple[Run, Path, list[str]]) -> None:
    """Files are linked by track id or ISRC; tempo and energy stand beside the title."""
    run, _, ids = heard

    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        measured = warehouse.query(
            "select track_id, tempo_bpm, energy, title from marts.track_features where energy > 0"
        )
        vectors = warehouse.query("select track_id from marts.track_vectors")
        tags = warehouse.query("select count(*) as n from marts.track_tags")
    assert set(measured["track_id"]) == set(vectors["track_id"]) == set(ids)
    assert measured["title"].null_count() == 0
    assert tags["n"].to_list() == [3 * (100 + 12)]  # of musicnn, and instruments, since the music is rendered


def test_what_is_no_music_is_refused_with_its_file(heard: tuple[Run, Path, list[str]]) -> None:
    """A file that is not music is quarantined and counted."""
    run, _, _ = heard

    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        refused = warehouse.query("select source_file, n_rows from marts.data_quality where outcome = 'not_decodable'")
    assert refused.rows() == [("music/broken.mp3", 1)]
    counts = run.outcome("scan")
    assert counts is not None
    assert (counts["n_analysed"], counts["n_failed"]) == (3, 1)


def test_the_same_night_again_has_nothing_to_do(heard: tuple[Run, Path, list[str]], world: World) -> None:
    """New music files change the run id. Warnings that came meanwhile may be sent."""
    run, inbox, _ = heard
    events: list[dict[str, object]] = []

    with locked(run.home):
        again = nightly(
            run.home,
            inbox,
            as_of=world.last_day,
            today=world.last_day + timedelta(days=1),
            recipe=read_recipe(world.recipe),
            tell=events.append,
        )

    assert again.run_id == run.run_id
    assert [event["event"] for event in events if event["event"] != "notified"] == ["nothing to do"]


def test_the_release_has_the_index_of_what_was_heard(heard: tuple[Run, Path, list[str]]) -> None:
    """The index is published with its tables, and later builds update it."""
    run, _, ids = heard
    first = registry.current(run.home)
    assert first is not None
    assert first.index is not None
    assert set(Index.load(first.index).ids) == set(ids)

    with locked(run.home):
        build_and_publish(run)

    second = registry.index_folder(run.home)
    assert second != first.index
    assert set(Index.load(second).ids) == set(ids)


def test_a_damaged_index_is_made_anew(heard: tuple[Run, Path, list[str]]) -> None:
    """A damaged index does not stop publication; the log says so."""
    run, _, ids = heard
    (registry.index_folder(run.home) / "vectors.npy").write_bytes(b"damage")

    with locked(run.home):
        build_and_publish(run)

    assert set(Index.load(registry.index_folder(run.home)).ids) == set(ids)
    assert "the embedding index is rebuilt" in (run.folder / "log.jsonl").read_text(encoding="utf-8")


def test_a_track_and_a_file_are_asked_alike(heard: tuple[Run, Path, list[str]]) -> None:
    """A track's own file is most similar to the track; the SQL condition holds."""
    run, inbox, ids = heard
    file = str(inbox / "music" / f"{ids[0]}.flac")

    index = Index.load(registry.index_folder(run.home))

    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        by_file = sounds_like(warehouse, index, track_or_embedding(file, AudioSettings()), PLAIN)
        by_track = sounds_like(warehouse, index, track_or_embedding(ids[0], AudioSettings()), PLAIN)
        none = sounds_like(warehouse, index, ids[0], PLAIN, where="tempo < 0")
        with pytest.raises(UnknownIds, match="There is no track 'no_such_track' in the index of analysed recordings"):
            sounds_like(warehouse, index, "no_such_track", PLAIN)
    assert by_file["track_id"][0] == ids[0]
    assert by_file["similarity"][0] == pytest.approx(1, abs=1e-4)
    assert set(by_track["track_id"]) == set(ids[1:])
    assert none.is_empty()
