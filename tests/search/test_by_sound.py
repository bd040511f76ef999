"""Lists of tracks that sound alike: order, variety, SQL conditions, and the index they come from."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError, UnknownIds
from recsys.search.by_sound import ListLimits, build_index, filter_tracks, nearest_tracks, track_vector
from recsys.search.vector_index import Index
from recsys.warehouse.query import Warehouse

# Eight tracks on a quarter circle, by number: four of one release of ada, the others of other artists.
ANGLES = np.linspace(0, np.pi / 2, 8)
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)
TRACKS = pl.DataFrame(
    {
        "track_id": [f"t{n}" for n in range(8)],
        "artist_id": ["ada"] * 4 + ["ben", "ben", "cleo", None],
        "release_title": ["One"] * 4 + ["Two", "Three", "Four", None],
        "recording_id": [f"t{n}" for n in range(8)],
    }
)


@pytest.fixture
def index() -> Index:
    """An index of the eight tracks."""
    return Index.build(TRACKS["track_id"].to_list(), VECTORS, version="v1")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """The marts that the lists read: tempi 60, 70, 80 ...; t0 has the tag piano, t1 below the required confidence."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.track_features as select 't' || n as track_id, 60 + 10.0 * n as tempo_bpm, 'C' as key, "
            "null::date as taken_down_at "
            "from range(8) as numbers(n)"
        )
        connection.execute(
            "create table marts.track_tags as select * from (values "
            "('t0', 'v', 'piano', 0.8, null), ('t1', 'v', 'piano', 0.1, null), "
            "('t1', 'rendered-instruments', 'piano', 0.4, 0.4), "
            "('t2', 'own-mood', 'calm', 0.49, 0.49), ('t3', 'own-mood', 'calm', 0.5, 0.5)"
            ") as tags(track_id, tagger, tag, confidence, probability)"
        )
        connection.execute("create table marts.track_vectors (track_id varchar, encoder varchar, vector float[])")
        rows = [("t0", "v1", [1.0, 0.0]), ("t1", "v1", [0.0, 1.0]), ("t2", "v0", [1.0])]
        connection.executemany("insert into marts.track_vectors values (?, ?, ?)", rows)
    return Warehouse.open(path)


def test_the_nearest_come_first_and_the_query_does_not(index: Index) -> None:
    """Neighbours by angle; the query track is left out."""
    found = nearest_tracks(index, VECTORS[0], TRACKS, ListLimits(3, per_artist=9, per_release=9), exclude="t0")

    assert found["track_id"].to_list() == ["t1", "t2", "t3"]
    assert found["rank"].to_list() == [1, 2, 3]
    assert found["similarity"].to_numpy() == pytest.approx(np.cos(ANGLES[1:4]))


def test_an_album_does_not_fill_the_list(index: Index) -> None:
    """One track per release, two per artist; tracks of unknown artists are not limited."""
    found = nearest_tracks(index, VECTORS[0], TRACKS, ListLimits(5), exclude="t0")

    assert found["track_id"].to_list() == ["t1", "t4", "t5", "t6", "t7"]


def test_a_copy_of_a_recording_is_not_listed(index: Index) -> None:
    """Neither one of the query itself, nor a second one of a listed track; the next tracks take their places."""
    copies = TRACKS.with_columns(recording_id=pl.col("track_id").replace({"t1": "t0", "t4": "t3"}))
    limits = ListLimits(3, per_artist=9, per_release=9)

    assert nearest_tracks(index, VECTORS[0], copies, limits, exclude="t0")["track_id"].to_list() == ["t2", "t3", "t5"]
    assert nearest_tracks(index, VECTORS[1], copies, limits, exclude="t1")["track_id"].to_list() == ["t2", "t3", "t5"]


def test_a_list_is_as_long_as_the_conditions_allow(index: Index) -> None:
    """Of three allowed tracks, the second of one artist is left out."""
    found = nearest_tracks(
        index, VECTORS[0], TRACKS, ListLimits(5, per_artist=1), allowed=pl.Series(["t1", "t2", "t6"])
    )

    assert found["track_id"].to_list() == ["t1", "t6"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("tempo between 65 and 85", ["t1", "t2"]),
        ("tempo_bpm > 120 or key = 'D'", ["t7"]),
        ("list_contains(tags, 'piano')", ["t0"]),
        ("list_contains(tags, 'calm')", ["t3"]),
        ("false", []),
    ],
)
def test_a_condition_is_sql_on_features_and_tags(warehouse: Warehouse, where: str, ids: list[str]) -> None:
    """`tempo` is short for tempo_bpm; `tags` has the tags with enough confidence."""
    assert sorted(filter_tracks(warehouse, where)) == ids


@pytest.mark.parametrize(
    "where",
    ["tempo between", "no_such_column > 1", "true) union select 't9' where (true", "true); select 1; select (1", ""],
)
def test_anything_but_one_condition_is_refused(warehouse: Warehouse, where: str) -> None:
    """A syntax error, an unknown column and a second query are refused."""
    with pytest.raises(InputError):
        filter_tracks(warehouse, where)


def test_an_index_holds_the_vectors_of_one_encoder(warehouse: Warehouse) -> None:
    """These are the vectors of the most frequent encoder."""
    index = build_index(warehouse)

    assert index.ids.tolist() == ["t0", "t1"]
    assert index.version == "v1"
    with pytest.raises(UnknownIds, match="'t2'"):
        track_vector(index, "t2")
