"""Whose notes a label may see: those of works that the registry, or else the metadata, gives to its recordings."""

import duckdb

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
