"""What sounds alike under the conditions of whoever asks."""

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError, UnknownIds
from recsys.search.by_sound import Wanted, allowed_by, discover, index_of, named_track
from recsys.search.vector_index import Index
from recsys.warehouse.query import Warehouse

# Eight tracks on a quarter circle, in order of their number: four of one release of ada, the others by others.
ANGLES = np.linspace(0, np.pi / 2, 8)
VECTORS = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1).astype(np.float32)
TRACKS = pl.DataFrame(
    {
        "track_id": [f"t{n}" for n in range(8)],
        "artist_id": ["ada"] * 4 + ["ben", "ben", "cleo", None],
        "release_title": ["One"] * 4 + ["Two", "Three", "Four", None],
    }
)


@pytest.fixture
def index() -> Index:
    """The eight tracks."""
    return Index.build(TRACKS["track_id"].to_list(), VECTORS, version="v1")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """The marts that discovery reads, tempo 60, 70, 80 ...; t0 sounds of a piano, t1 hardly."""
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.track_features as select 't' || n as track_id, 60 + 10.0 * n as tempo_bpm, 'C' as key, "
            "null::date as taken_down_at "
            "from range(8) as numbers(n)"
        )
        connection.execute(
            "create table marts.track_tags as select * from (values ('t0', 'piano', 0.8), ('t1', 'piano', 0.1)) "
            "as tags(track_id, tag, confidence)"
        )
        connection.execute("create table marts.track_vectors (track_id varchar, encoder varchar, vector float[])")
        rows = [("t0", "v1", [1.0, 0.0]), ("t1", "v1", [0.0, 1.0]), ("t2", "v0", [1.0])]
        connection.executemany("insert into marts.track_vectors values (?, ?, ?)", rows)
    return Warehouse.open(path)


def test_the_nearest_come_first_and_the_query_does_not(index: Index) -> None:
    """By angle, without caps."""
    found = discover(index, VECTORS[0], TRACKS, Wanted(3, per_artist=9, per_release=9), without="t0")

    assert found["track_id"].to_list() == ["t1", "t2", "t3"]
    assert found["rank"].to_list() == [1, 2, 3]
    assert found["similarity"].to_numpy() == pytest.approx(np.cos(ANGLES[1:4]))


def test_an_album_does_not_fill_the_list(index: Index) -> None:
    """One of each release, two of each artist; of an unknown artist as many as there are."""
    found = discover(index, VECTORS[0], TRACKS, Wanted(5), without="t0")

    assert found["track_id"].to_list() == ["t1", "t4", "t5", "t6", "t7"]


def test_a_list_is_as_long_as_the_conditions_allow(index: Index) -> None:
    """Only three may be listed, and of these one is of an artist whose place is taken."""
    found = discover(index, VECTORS[0], TRACKS, Wanted(5, per_artist=1), only=pl.Series(["t1", "t2", "t6"]))

    assert found["track_id"].to_list() == ["t1", "t6"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("tempo between 65 and 85", ["t1", "t2"]),
        ("tempo_bpm > 120 or key = 'D'", ["t7"]),
        ("list_contains(tags, 'piano')", ["t0"]),
        ("false", []),
    ],
)
def test_a_condition_is_sql_on_what_is_known_of_tracks(warehouse: Warehouse, where: str, ids: list[str]) -> None:
    """Tempo for short, and words that are heard surely enough."""
    assert sorted(allowed_by(warehouse, where)) == ids


@pytest.mark.parametrize(
    "where",
    ["tempo between", "no_such_column > 1", "true) union select 't9' where (true", "true); select 1; select (1", ""],
)
def test_what_is_no_condition_is_refused(warehouse: Warehouse, where: str) -> None:
    """Nothing but a condition gets through."""
    with pytest.raises(InputError):
        allowed_by(warehouse, where)


def test_an_index_holds_the_vectors_of_one_encoder(warehouse: Warehouse) -> None:
    """Those of which there are most."""
    index = index_of(warehouse)

    assert index.ids.tolist() == ["t0", "t1"]
    assert index.version == "v1"
    with pytest.raises(UnknownIds, match="'t2'"):
        named_track(index, "t2")
