"""Label files: small worlds that can be counted by hand, and properties of suppression and rounding."""

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
    """Build a warehouse of two labels, lc with artist c, la with all others; return the folder of their files."""
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
    """Return the rows of cells (artist, country, week number) -> listeners; each listener plays three times."""
    keys = [(artist, country, MONDAY + timedelta(weeks=week), n) for (artist, country, week), n in cells.items()]
    return pl.DataFrame(keys, WEEKS_SCHEMA, orient="row").with_columns(
        n_tracks=pl.lit(7, pl.Int64), n_plays=3 * pl.col("n_listeners"), skip_share=pl.lit(0.12345)
    )


def shown(labels: Path, label_id: str) -> list[tuple[object, ...]]:
    """Return artist, country, week number and figures of the rows in a label's file."""
    found = rows(
        labels / file_name(label_id),
        f"select artist_id, country, ((week - date '{MONDAY}') / 7)::int, n_listeners, n_plays from marts.weekly",
    )
    return sorted(found, key=str)


def test_a_label_gets_its_own_rows_rounded(tmp_path: Path) -> None:
    """Counts are rounded down to tens, other figures to two digits; columns in `kept` are unchanged."""
    labels = world_of(tmp_path, weeks_of({("a", "DE", 0): 19, ("c", "DE", 0): 35}))

    assert shown(labels, "la") == [("a", "DE", 0, 10, 50)]
    assert shown(labels, "lc") == [("c", "DE", 0, 30, 100)]
    assert rows(labels / file_name("la"), "select n_tracks, skip_share from marts.weekly") == [(7, 0.12)]
    assert rows(labels / file_name("la"), "select label_id, name from meta.label") == [("la", "Small Hours")]


def test_an_artist_on_two_labels_is_in_neither_file(tmp_path: Path) -> None:
    """Otherwise one label could infer the plays of the other's recordings; each sees only its own recordings."""
    labels = world_of(tmp_path, weeks_of({("shared", "DE", 0): 500}))

    assert shown(labels, "la") == shown(labels, "lc") == []
    assert rows(labels / file_name("lc"), "select track_id from marts.track_features order by 1") == [("t3",), ("t5",)]


def test_a_small_cell_also_suppresses_the_smallest_other(tmp_path: Path) -> None:
    """The total is shown elsewhere: total minus parts is 32 listeners, and not the 4 in Iceland."""
    labels = world_of(tmp_path, weeks_of({("a", "DE", 0): 90, ("a", "FR", 0): 28, ("a", "IS", 0): 4}))

    assert shown(labels, "la") == [("a", "DE", 0, 90, 270)]


def test_rows_of_other_artists_are_not_suppressed(tmp_path: Path) -> None:
    """Suppression for one artist does not affect another's rows."""
    labels = world_of(
        tmp_path, weeks_of({("a", "DE", 0): 90, ("a", "IS", 0): 4, ("b", "DE", 0): 20, ("b", "FR", 0): 20})
    )

    assert [row[0] for row in shown(labels, "la")] == ["b", "b"]


def test_a_blank_row_stays_without_its_figures(tmp_path: Path) -> None:
    """This is for rows that exist without plays."""
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
def test_withheld_rows_always_add_up_to_ten_listeners(cells: dict[tuple[str, str, int], int]) -> None:
    """Over countries and over weeks, either nothing is withheld, or all, or two rows with ten listeners in one."""
    with TemporaryDirectory() as folder:
        seen = {row[:3] for row in shown(world_of(Path(folder), weeks_of(cells)), "la")}

    assert all(n >= 10 for key, n in cells.items() if key in seen)
    for axis in (1, 2):
        for line in {(key[0], key[3 - axis]) for key in cells}:
            own = [key for key in cells if (key[0], key[3 - axis]) == line]
            left = [cells[key] for key in own if key not in seen]
            assert not left or len(left) == len(own) or (max(left) >= 10 and len(left) >= 2)


@given(total=st.integers(10, 10_000), part=st.integers(10, 10_000))
def test_total_minus_one_part_does_not_reveal_one_to_nine(total: int, part: int) -> None:
    """After rounding, a difference of 1 to 9 may be any value from 1 to 9."""
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
def test_sql_on_a_label_file_reaches_nothing_else(world: Place, built: Path, tmp_path: Path, query: str) -> None:
    """SQL on a label's file reaches neither the whole warehouse nor other files nor settings."""
    write_labels(built, tmp_path / "labels")

    with Warehouse.open(tmp_path / "labels" / file_name("la1")) as warehouse, pytest.raises(InputError):
        warehouse.query(query.format(big=built))
