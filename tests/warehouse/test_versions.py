"""The newest row per key of a reference table, on both engines."""

from dataclasses import replace

import duckdb
import polars as pl
import pytest

from recsys.lake.contract import CONTRACTS
from recsys.warehouse.increment import fingerprint
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import SqlFile
from recsys.warehouse.versions import newest_rows, versions

REFERENCE_TABLES = sorted(name for name, contract in CONTRACTS.items() if not contract.instant)


@pytest.mark.parametrize("name", REFERENCE_TABLES)
def test_the_newest_rows_mean_the_same_on_both_engines(name: str) -> None:
    """The query for every reference table passes the portability guard."""
    refuse_unportable(SqlFile(f"raw.{name}", "A reference table.", newest_rows(CONTRACTS[name])))


def test_the_newest_row_of_each_key_counts() -> None:
    """Whatever the order of the rows, the whole row of the latest batch is used, nulls included."""
    place = ["list1", "list1", "list1", "list2"]
    given = {"playlist_id": place, "position": [1, 1, 2, 1], "title": ["old", None, "two", "other"]}
    contract = CONTRACTS["playlists"]
    rows = pl.DataFrame({**given, "batch_no": [3, 7, 4, 5]}).select(
        *(pl.col(name) if name in given else pl.lit(None, dtype=contract.schema[name]).alias(name)
          for name in contract.names),
        "batch_no", batch=pl.lit("b"), ds=pl.lit(None, dtype=pl.Date),
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        connection.register("incoming", rows.to_arrow())
        connection.execute(f"create table {versions(contract)} as select * from incoming order by batch_no desc")
        found = connection.sql(f"select playlist_id, position, title from ({newest_rows(contract)})").fetchall()

    assert set(found) == {("list1", 1, None), ("list1", 2, "two"), ("list2", 1, "other")}
    assert len(found) == 3


def test_the_definition_of_newest_is_part_of_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of which the newest row counts is part of a table's fingerprint."""
    file = SqlFile("staging.x", "A table.", "select track_id from raw.tracks")
    before = fingerprint(file, {})
    monkeypatch.setitem(CONTRACTS, "tracks", replace(CONTRACTS["tracks"], key=("title",)))

    assert fingerprint(file, {}) != before
