"""
The newest row of each key of a reference table, as SQL that means the same on DuckDB and on Spark.

A reference table (a raw table without an instant) is delivered again and again: a later row replaces the earlier ones
of its key. The contract names the key and the column that decides which row is newest.
"""

from recsys.lake.contract import BATCH, Contract


def versions(table: Contract) -> str:
    """Return the name of the table that holds every row of a reference table as it was delivered."""
    return f"raw.{table.table}_versions"


def newest_rows(table: Contract) -> str:
    """Return the query of the newest row of each key: the table's columns, those of the batch, and `ds`."""
    names = ", ".join([*table.names, *BATCH.names(), "ds"])
    order = f"partition by {', '.join(table.key)} order by {table.newest_by} desc"
    numbered = f"select {names}, row_number() over ({order}) as version_no from {versions(table)}"
    return f"select {names} from ({numbered}) as numbered where version_no = 1"
