"""
The newest row per key of a reference table, as SQL with the same meaning on DuckDB and Spark.

A reference table (a raw table without an instant) is delivered repeatedly: a later row of a key replaces the earlier
ones. The contract names the key and the column whose largest value marks the newest row.
"""

from recsys.lake.contract import BATCH, Contract


def versions(table: Contract) -> str:
    """Return the name of the table with all delivered rows of a reference table, replaced ones included."""
    return f"raw.{table.table}_versions"


def newest_rows(table: Contract) -> str:
    """Return a query for the newest row per key: the table's columns, the batch columns, and `ds`."""
    names = ", ".join([*table.names, *BATCH.names(), "ds"])
    order = f"partition by {', '.join(table.key)} order by {table.newest_by} desc"
    numbered = f"select {names}, row_number() over ({order}) as version_no from {versions(table)}"
    return f"select {names} from ({numbered}) as numbered where version_no = 1"
