"""What leaves the house in a label's own file, by worlds small enough to count by hand, and laws for all others."""

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.warehouse.labels import file_name, write_labels
from recsys.warehouse.query import Warehouse

from .conftest import Place, rows

FEATURES = """-- Recordings.
-- grain: track_id
-- labels: track_id
-- columns:
--   track_id    recording
--   artist_id   artist
--   label_id    label
--   label_name  its name
-- reconcile:
--   true
select track_id, artist_id, label_id, label_name from raw.tracks
"""
WEEKLY = """-- An artist's week.
-- grain: artist_id, country, week
-- labels: artist_id
-- people: n_listeners
-- parts: country, week
-- kept: n_tracks
-- columns:
--   artist_id    artist
--   country      country
--   week         week
--   n_listeners  listeners [count]
--   n_tracks     recordings [count]
--   n_plays      plays [count]
--   skip_share   share of skips [0..1]
-- reconcile:
--   true
select artist_id, country, week, n_listeners, n_tracks, n_plays, skip_share from raw.weeks
"""
MONDAY = date(2026, 1, 5)
WEEKS_SCHEMA = {"artist_id": pl.String, "country": pl.String, "week": pl.Date, "n_listeners": pl.Int64}


def world_of(folder: Path, weeks: pl.DataFrame, *, weekly: str = WEEKLY) -> Path:
    """Write a warehouse of two labels, lc with the artist c, la with all others; return the folder of their files."""
    (folder / "sql" / "marts").mkdir(parents=True)
    (folder / "sql" / "marts" / "track_features.sql").write_text(FEATURES)
    (folder / "sql" / "marts" / "weekly.sql").write_text(weekly)
    tracks = pl.DataFrame(
        {
            "track_id": [f"t{n}" for n in range(1, 9)],
            "artist_id": ["a", "b", "c", "shared", "shared", "d", "e", "f"],
            "label_id": ["la", "la", "lc", "la", "lc", "la", "la", "la"],
            "label_name": ["Small Hours", "Small Hours", "Lodestar", "Small Hours", "Lodestar", *3 * ["Small Hours"]],
        }
    )
    with duckdb.connect(folder / "big.duckdb") as connection:
        connection.execute("create schema marts; create schema meta")
        connection.register("tracks", tracks.to_arrow())
        connection.register("weeks", weeks.to_arrow())
        connection.execute("create table marts.track_features as select * from tracks")
        connection.execute("create table marts.weekly as select * from weeks")
        connection.execute("create table meta.tables as select 'marts.weekly' as name, 0::bigint as n_rows")
        connection.execute("create table meta.columns as select 'marts.weekly' as table_name")
        connection.execute("create table meta.build as select date '2026-02-01' as as_of")
    write_labels(folder / "big.duckdb", folder / "labels", sql=folder / "sql")
    return folder / "labels"


def weeks_of(cells: dict[tuple[str, str, int], int]) -> pl.DataFrame:
    """Lay out cells of artist, country and week number by their listeners; each listener plays three times."""
    keys = [(artist, country, MONDAY + timedelta(weeks=week), n) for (artist, country, week), n in cells.items()]
    return pl.DataFrame(keys, WEEKS_SCHEMA, orient="row").with_columns(
        n_tracks=pl.lit(7, pl.Int64), n_plays=3 * pl.col("n_listeners"), skip_share=pl.lit(0.12345)
    )


def shown(labels: Path, label_id: str) -> list[tuple[object, ...]]:
    """Artist, country, week number and figures that a label's file shows."""
    found = rows(
        labels / file_name(label_id),
        f"select artist_id, country, ((week - date '{MONDAY}') / 7)::int, n_listeners, n_plays from marts.weekly",
    )
    return sorted(found, key=str)


def test_a_label_gets_its_own_rows_in_tens(tmp_path: Path) -> None:
    """Counts are shown as the ten below, other figures to two digits; what tells nothing of people as it is."""
    labels = world_of(tmp_path, weeks_of({("a", "DE", 0): 19, ("c", "DE", 0): 35}))

    assert shown(labels, "la") == [("a", "DE", 0, 10, 50)]
    assert shown(labels, "lc") == [("c", "DE", 0, 30, 100)]
    assert rows(labels / file_name("la"), "select n_tracks, skip_share from marts.weekly") == [(7, 0.12)]
    assert rows(labels / file_name("la"), "select label_id, name from meta.label") == [("la", "Small Hours")]


def test_who_records_for_two_labels_is_nobodys_artist(tmp_path: Path) -> None:
    """Else one label would learn what the other's recordings do: each sees its own recordings only."""
    labels = world_of(tmp_path, weeks_of({("shared", "DE", 0): 500}))

    assert shown(labels, "la") == shown(labels, "lc") == []
    assert rows(labels / file_name("lc"), "select track_id from marts.track_features order by 1") == [("t3",), ("t5",)]


def test_a_small_cell_takes_the_smallest_other_along(tmp_path: Path) -> None:
    """The total is seen elsewhere: total minus parts is then 32 listeners, and not the 4 in Iceland."""
    labels = world_of(tmp_path, weeks_of({("a", "DE", 0): 90, ("a", "FR", 0): 28, ("a", "IS", 0): 4}))

    assert shown(labels, "la") == [("a", "DE", 0, 90, 270)]


def test_other_artists_lines_stay_whole(tmp_path: Path) -> None:
    """Nothing is withheld where nobody could be told."""
    labels = world_of(
        tmp_path, weeks_of({("a", "DE", 0): 90, ("a", "IS", 0): 4, ("b", "DE", 0): 20, ("b", "FR", 0): 20})
    )

    assert [row[0] for row in shown(labels, "la")] == ["b", "b"]


def test_a_blank_row_stays_without_its_figures(tmp_path: Path) -> None:
    """Where a row is there whoever listens."""
    blank = WEEKLY.replace("-- columns", "-- withheld: blank\n-- columns")
    labels = world_of(tmp_path, weeks_of({("a", "DE", 0): 9}), weekly=blank)

    assert rows(labels / file_name("la"), "select n_listeners, n_tracks, n_plays, skip_share from marts.weekly") == [
        (None, 7, None, None)
    ]


CELLS = st.dictionaries(
    st.tuples(st.sampled_from("abdef"), st.sampled_from(("DE", "FR", "IS")), st.integers(0, 3)),
    st.integers(0, 60),
    min_size=1,
    max_size=60,
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(CELLS)
def test_what_is_left_of_a_total_is_always_ten_listeners(cells: dict[tuple[str, str, int], int]) -> None:
    """Along every line of countries or weeks: nothing withheld, all of it, or a row of ten and another one."""
    with TemporaryDirectory() as folder:
        seen = {row[:3] for row in shown(world_of(Path(folder), weeks_of(cells)), "la")}

    assert all(n >= 10 for key, n in cells.items() if key in seen)
    for axis in (1, 2):
        for line in {(key[0], key[3 - axis]) for key in cells}:
            own = [key for key in cells if (key[0], key[3 - axis]) == line]
            left = [cells[key] for key in own if key not in seen]
            assert not left or len(left) == len(own) or (max(left) >= 10 and len(left) >= 2)


@given(total=st.integers(10, 10_000), part=st.integers(10, 10_000))
def test_total_minus_one_part_leaves_one_to_nine_open(total: int, part: int) -> None:
    """By what is shown, a rest of 1 to 9 could be any of 1 to 9."""
    rest = total - part
    if not 1 <= rest <= 9:
        return
    least, most = 10 * (total // 10) - (10 * (part // 10) + 9), 10 * (total // 10) + 9 - 10 * (part // 10)

    assert least <= 1
    assert most >= 9


@pytest.mark.parametrize(
    "query",
    [
        "attach '{big}' as big",
        "select * from '{big}'",
        "select * from read_csv('/etc/hostname')",
        "select * from glob('*')",
        "copy (select 1) to '{big}.csv'",
        "set enable_external_access = true",
    ],
)
def test_the_sql_door_of_a_label_leads_nowhere_else(world: Place, built: Path, tmp_path: Path, query: str) -> None:
    """Not to the whole warehouse, not to any file, not out of the lock."""
    write_labels(built, tmp_path / "labels")

    with Warehouse.open(tmp_path / "labels" / file_name("la1")) as warehouse, pytest.raises(InputError):
        warehouse.query(query.format(big=built))
