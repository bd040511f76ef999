"""Parquet with typed columns."""

import gzip
import io
from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.ingest.formats import parquet

from .conftest import Inbox, zstd

NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LISTEN = {"user_id": ["ann"], "track_id": ["t1"], "listened_at": [NOON]}
TRACKS = {"track_id": ["t1", "t2"], "title": ["One", "Two"], "artist_id": ["ar1", "ar1"]}


def packed(frame: pl.DataFrame) -> bytes:
    """Return a frame as Parquet bytes."""
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def written(columns: dict[str, object]) -> bytes:
    """Return columns of Arrow types as Parquet bytes."""
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "instants",
    [
        pl.Series([NOON]),
        pl.Series([NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))]).dt.convert_time_zone("Asia/Kolkata"),
        pl.Series([NOON.replace(tzinfo=None)]),
        pl.Series([NOON]).cast(pl.Datetime("ns", "UTC")),
        pl.Series([NOON.isoformat()]),
        pl.Series([NOON.isoformat()]).cast(pl.Categorical),
        pl.Series([NOON.isoformat().encode()]),
    ],
    ids=["utc", "zone", "naive is utc", "ns", "text", "categorical", "bytes"],
)
def test_instants_of_every_type_are_the_same(inbox: Inbox, instants: pl.Series) -> None:
    """With a time zone, without one (then UTC), or as text."""
    inbox.take("l.parquet", packed(pl.DataFrame(LISTEN | {"listened_at": instants})))

    assert inbox.rows("listens")["listened_at"].to_list() == [NOON]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt32, pl.Float64])
def test_seconds_since_1970_may_be_numbers_of_any_type(inbox: Inbox, dtype: type[pl.DataType]) -> None:
    """An integer column with missing values is often a float."""
    seconds = pl.Series([int(NOON.timestamp())]).cast(dtype)
    inbox.take("l.parquet", packed(pl.DataFrame(LISTEN | {"listened_at": seconds})))

    assert inbox.rows("listens")["listened_at"].to_list() == [NOON.replace(microsecond=0)]


def test_typed_columns_keep_their_values(inbox: Inbox) -> None:
    """Lists, days, booleans and small integers are kept; a column outside the contract may have any type."""
    extra = {
        "Genres": [["rock", "pop"], []],
        "release_date": [date(1999, 12, 31), None],
        "explicit": [True, None],
        "duration_ms": pl.Series([1000, 2000], dtype=pl.Int32),
        "training_consent": pl.Series(["granted", None], dtype=pl.Categorical),
        "credits": [{"role": "voice", "names": ["Ada"]}, None],
        "blob": [b"\xff\x00", None],
    }
    inbox.take("t.parquet", packed(pl.DataFrame(TRACKS | extra)))

    columns = ["genres", "release_date", "explicit", "duration_ms", "training_consent"]
    assert inbox.rows("tracks").select(columns).rows() == [
        (["rock", "pop"], date(1999, 12, 31), True, 1000, "granted"),
        (None, None, None, 2000, "unknown"),
    ]


def test_the_line_of_a_row_is_its_number(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted from 1 across chunks."""
    monkeypatch.setattr(parquet, "_ROWS_PER_CHUNK", 2)
    rows = {"track_id": ["t1", None, "t3", "t4", None], "title": ["x"] * 5, "artist_id": ["ar1"] * 5}
    inbox.take("t.parquet", packed(pl.DataFrame(rows)))

    assert [line for *_, line in inbox.refused()] == [2, 5]


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_compressed_parquet_is_decompressed(inbox: Inbox, pack: object) -> None:
    """Compression works as for every other format."""
    assert callable(pack)
    inbox.take("t.parquet.packed", pack(packed(pl.DataFrame(TRACKS))))

    assert inbox.rows("tracks")["track_id"].to_list() == ["t1", "t2"]


def test_a_table_without_rows_is_a_known_empty_source(inbox: Inbox) -> None:
    """It enters the batch log."""
    (batch,) = inbox.take("t.parquet", packed(pl.DataFrame(TRACKS).clear())).batches

    assert (batch.table, batch.n_read) == ("tracks", 0)


@pytest.mark.parametrize("n_bytes", [100, -1])
def test_truncated_parquet_is_unreadable(inbox: Inbox, n_bytes: int) -> None:
    """The index of a Parquet file is at its end."""
    assert "damaged Parquet" in inbox.complaint("t.parquet", packed(pl.DataFrame(TRACKS))[:n_bytes])


def test_two_columns_of_one_name_are_refused(inbox: Inbox) -> None:
    """Column names are compared without regard to case."""
    twice = packed(pl.DataFrame(TRACKS | {"TITLE": ["Uno", "Due"]}))

    assert "names a column twice" in inbox.complaint("t.parquet", twice)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("title", pa.array([b"\xff\xfe"])),
        ("duration_ms", pa.array([5_000_000], pa.duration("us"))),
        ("genres", pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string()))),
        ("artist_id", pa.array([{"id": "ar1"}])),
        ("genres", pa.array([[{"name": "rock"}]])),
    ],
    ids=["bytes", "duration", "map", "struct", "list of structs"],
)
def test_a_column_without_texts_is_named(inbox: Inbox, column: str, values: pa.Array) -> None:
    """A wrong id or a lost value would go unnoticed; the message has the type, and no value."""
    table = {"track_id": ["t1"], "title": ["One"], "artist_id": ["ar1"], "duration_ms": [1000]} | {column: values}

    message = inbox.complaint("t.parquet", written(table))

    assert f"the column {column} has the type" in message
    assert "b'" not in message


def test_arrays_of_a_fixed_length_are_lists(inbox: Inbox) -> None:
    """As programs write vectors."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([1.0, 2.0], pa.float32()), 2)
    inbox.take("v.parquet", written({"track_id": ["t1"], "encoder": ["ours"], "vector": vectors}))

    assert inbox.rows("audio_vectors")["vector"].to_list() == [[1.0, 2.0]]
