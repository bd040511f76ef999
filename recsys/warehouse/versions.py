"""
The newest row of each key of a register, as SQL that means the same on DuckDB and on Spark.

A register (a raw table without an instant) is delivered again and again: a later row replaces the earlier ones of its
key. The contract names the key and the column that decides which row is newest.
"""

from recsys.lake.contract import BATCH, Contract


def versions(register: Contract) -> str:
    """Return the name of the table that holds every row of a register as it was delivered."""
    return f"raw.{register.table}_versions"


def newest_rows(register: Contract) -> str:
    """Return the query of the newest row of each key of a register: its columns, those of the batch, and `ds`."""
    names = ", ".join([*register.names, *BATCH.names(), "ds"])
    order = f"partition by {', '.join(register.key)} order by {register.newest_by} desc"
    numbered = f"select {names}, row_number() over ({order}) as version_no from {versions(register)}"
    return f"select {names} from ({numbered}) as numbered where version_no = 1"
