"""Rows that name a listener are found and left out in every kind of file."""

import json
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.erasure import lines, parquet
from recsys.warehouse import erase as duckdb_file

ANN, BOB = "annannannannanna", "bobbobbobbobbobb"


def test_every_column_of_texts_is_searched(tmp_path: Path) -> None:
    """Texts, JSON of refused rows, lists and records of texts; numbers and nulls are no obstacle."""
    table = pl.DataFrame(
        {
            "n": [0, 1, 2, 3, 4, 5],
            "member_id": [ANN, BOB, None, BOB, BOB, BOB],
            "payload": [None, json.dumps({"user_id": ANN}), json.dumps({"user_id": BOB}), None, None, None],
            "others": [None, None, [BOB, ANN], [], [BOB, None], None],
            "record": [None, None, None, {"who": ANN, "n": 1}, {"who": BOB, "n": 2}, None],
            "vector": [[1.0]] * 6,
        }
    )
    path, copy = tmp_path / "a.parquet", tmp_path / "b.parquet"
    table.write_parquet(path)

    assert [row["n"] for row in parquet.rows(path, [ANN, "unknown"])] == [0, 1, 2, 3]
    parquet.copy_without(path, copy, [ANN, "unknown"])

    left = pl.read_parquet(copy)
    assert left.equals(table.filter(pl.col("n") > 3))
    assert left.schema == table.schema
    assert ANN.encode() not in copy.read_bytes()


@pytest.mark.parametrize("table", [pl.DataFrame({"n": [1, 2]}), pl.DataFrame({"user_id": []}, {"user_id": pl.String})])
def test_a_file_without_texts_or_rows_stays_as_it_is(tmp_path: Path, table: pl.DataFrame) -> None:
    """Nothing is found, and a copy has the same rows."""
    path = tmp_path / "a.parquet"
    table.write_parquet(path)
    assert parquet.rows(path, [ANN]) == []
    parquet.copy_without(path, tmp_path / "b.parquet", [ANN])
    assert pl.read_parquet(tmp_path / "b.parquet").equals(table)


def test_listeners_of_tables_and_of_refused_rows(tmp_path: Path) -> None:
    """The column user_id, or the user_id of refused rows; files with neither have none."""
    tables = {
        "listens": pl.DataFrame({"user_id": [ANN, BOB, ANN, None]}),
        "refused": pl.DataFrame({"payload": [json.dumps({"user_id": ANN, "x": BOB}), None, json.dumps({"x": BOB})]}),
        "tracks": pl.DataFrame({"track_id": ["t1"]}),
    }
    for name, table in tables.items():
        table.write_parquet(tmp_path / name)
    found = {name: parquet.listeners(tmp_path / name) for name in tables}
    assert found == {"listens": {ANN, BOB}, "refused": {ANN}, "tracks": set()}


def test_a_warehouse_is_written_anew_without_the_rows(tmp_path: Path) -> None:
    """Every table of every schema keeps its other rows, order and types; no byte of the listener is left."""
    path, copy = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts; create schema meta")
        connection.execute("create table meta.tables as select 'marts.one' as name, 'f1' as fingerprint")
        connection.execute(
            f"create table marts.one as select * from (values (2, '{ANN}'), (3, '{BOB}'), (1, null)) t(n, user_id)"
        )
        connection.execute(f"create table marts.two as select ['{BOB}', '{ANN}'] as ids, 1.5::double as x")
        connection.execute("create table marts.three as select 1 as n")
        connection.execute("create table marts.empty (user_id varchar, day timestamp)")

    assert [row["table"] for row in duckdb_file.rows(path, [ANN])] == ["marts.one", "marts.two"]
    assert duckdb_file.listeners(path) == {ANN, BOB}
    duckdb_file.copy_without(path, copy, [ANN, "unknown"])

    with duckdb.connect(copy, read_only=True) as connection:
        assert connection.execute("select * from marts.one").fetchall() == [(3, BOB), (1, None)]
        assert connection.execute("select * from marts.two").fetchall() == []
        assert connection.execute("select * from marts.three").fetchall() == [(1,)]
        assert connection.execute("describe marts.empty").fetchall()[1][:2] == ("day", "TIMESTAMP")
        assert connection.execute("select * from meta.tables").fetchall() == [("marts.one", None)]
    assert ANN.encode() not in copy.read_bytes()


def test_lines_that_name_a_listener(tmp_path: Path) -> None:
    """Lines are numbered from 1; a copy has the others byte for byte, broken text included."""
    path = tmp_path / "a.csv"
    path.write_bytes(f"user_id,n\n{ANN},1\n{BOB},2\n".encode() + b"\xff\n" + f"x{ANN}".encode())
    assert lines.rows(path, [ANN]) == [{"line": 2, "text": f"{ANN},1"}, {"line": 5, "text": f"x{ANN}"}]
    lines.copy_without(path, tmp_path / "b.csv", [ANN])
    assert (tmp_path / "b.csv").read_bytes() == f"user_id,n\n{BOB},2\n".encode() + b"\xff\n"
