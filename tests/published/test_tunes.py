"""Names of recordings; whose notes a label may see: those of works that registry or metadata give to its recordings."""

import duckdb
import pytest

from recsys.published.tunes import _named
from recsys.warehouse.internal import internal_sql


def test_the_code_of_a_registered_work_makes_nobody_its_owner() -> None:
    """The registry's links count; a code in the metadata counts only for a work that the registry does not have."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.work_recordings as select * from "
            "(values ('t1', 'T1'), ('t2', 'T2')) as it (track_id, work_key)"
        )
        connection.execute(
            "create table marts.track_features as select * from "
            "(values ('t1', 'T1'), ('t2', null), ('t3', 'T1'), ('t4', 'T9')) as it (track_id, iswc)"
        )

        found = connection.execute(internal_sql("works_of_recordings")).fetchall()

    assert found == [("t1", "T1"), ("t2", "T2"), ("t4", "T9")]


@pytest.mark.parametrize("names", [("A", "A (t1)", "A"), ("A", "A", "A (t1)"), ("A (t2)", "A", "A")])
def test_names_of_recordings_differ_whatever_their_artists_are_called(names: tuple[str, ...]) -> None:
    """An artist whose name ends in another recording's id has another name than that recording."""
    rows: list[dict[str, str | None]] = [
        {"title": "T", "artist_name": name, "track_id": f"t{n}"} for n, name in enumerate(names, start=1)
    ]

    found = _named(rows)["name"].to_list()

    assert len(set(found)) == 3
    assert [name.startswith(f"T by {own}") for name, own in zip(found, names, strict=True)] == [True] * 3
