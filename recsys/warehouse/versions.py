"""
The newest row per key of a reference table, as SQL that means the same on DuckDB and Spark.

A reference table (a raw table whose rows have no instant) is delivered repeatedly: a later row replaces earlier rows
with the same key. The contract names the key; the largest batch number marks the newest row.
"""

from recsys.lake.contract import BATCH, Contract


def versions(table: Contract) -> str:
    """Return the name of the table with all delivered rows of a reference table, including replaced rows."""
    return f"raw.{table.table}_versions"


def newest_rows(table: Contract) -> str:
    """Return a query for the newest row per key: the table's columns, the batch columns, and `ds`."""
    names = ", ".join([*table.names, *BATCH.names(), "ds"])
    order = f"partition by {', '.join(table.key)} order by batch_no desc"
    numbered = f"select {names}, row_number() over ({order}) as version_no from {versions(table)}"
    return f"select {names} from ({numbered}) as numbered where version_no = 1"
