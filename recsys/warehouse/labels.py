"""
One warehouse file per label: its own rows of the marts that declare `labels:`.

A recording belongs to the label in its metadata; an artist belongs to a label if all of their recordings with a label
have the same one. Public marts (`labels: all`) are in every file. Figures from listening are in the lines of the label
alone (marts.label_figures, see `recsys.ledger`); the columns that other marts compute from listening are null.
"""

from pathlib import Path

import duckdb

from recsys import files
from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.build import STORAGE_VERSION
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import LabelRules, SqlFile, quoted, read_layers

_OWNER = "inner join owners on owners.kind = '{0}' and owners.id = mart.{0}"
BLOCK_BYTES = 16_384  # DuckDB's minimum: a column takes at least one block, so that small files stay small


def file_name(label_id: str) -> str:
    """Return the name of a label's file: a hash, as an id may have any character and file systems may ignore case."""
    return f"{files.short_hash(label_id)}.duckdb"


def write_labels(warehouse: Path, folder: Path, *, sql: Path = SQL_FOLDER) -> int:
    """Write a file for every label in a warehouse to `<folder>/<file_name>`, atomically; return the number of files."""
    marts = [(file, file.label_rules) for file in read_layers(sql).values() if file.label_rules]
    with files.new_folder(folder) as new, duckdb.connect() as connection:
        connection.execute(f"attach {quoted(warehouse)} as published (read_only)")
        connection.execute("create schema owned")
        labels = _read_owners(connection)
        for file, rules in marts:
            _select_owned(connection, file, rules)
        for label_id, name in labels:
            _write_one(connection, new / file_name(label_id), label_id, name, [file for file, _ in marts])
    return len(labels)


def _read_owners(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str | None]]:
    """Create the table `owners` (see sql/internal/owners.sql); return id and name of every label."""
    owners = internal_sql("owners")
    connection.execute("use published")  # these queries name its tables without the database
    connection.execute(f"create table memory.owners as {owners}")
    labels = connection.execute(internal_sql("labels")).fetchall()
    connection.execute("use memory")
    return labels


def _select_owned(connection: duckdb.DuckDBPyConnection, file: SqlFile, rules: LabelRules) -> None:
    """Create `owned.<mart>`: the rows of all labels, with the column _label; a public mart has no such column."""
    hidden = ", ".join(f"case when false then {_name(column)} end as {_name(column)}" for column in rules.listening)
    columns = f"mart.* replace ({hidden})" if hidden else "mart.*"
    label, owner = ("owners.label_id as _label, ", _OWNER.format(rules.owner)) if rules.owner else ("", "")
    connection.execute(
        f"create table owned.{_table(file)} as select {label}{columns} from published.{file.name} as mart {owner} "
        f"where {rules.only or 'true'} order by {', '.join(f'mart.{_name(column)}' for column in file.grain)}"
    )


def _write_one(
    connection: duckdb.DuckDBPyConnection, target: Path, label_id: str, name: str | None, marts: list[SqlFile]
) -> None:
    """Write one label's file: its rows, the data dictionary, and the label's id and name."""
    connection.execute(
        f"attach {quoted(target)} as own (storage_version '{STORAGE_VERSION}', block_size {BLOCK_BYTES})"
    )
    connection.execute("begin")  # otherwise each statement would write and flush its own log
    for schema in ("marts", "meta"):
        connection.execute(f"create schema own.{schema}")
    connection.execute("create table own.meta.build as select * from published.meta.build")
    connection.execute("create table own.meta.label as select ? as label_id, ? as name", [label_id, name])
    n_rows = {mart.name: _write_own(connection, mart, label_id) for mart in marts}
    names, counts = list(n_rows), list(n_rows.values())
    connection.execute(
        "create table own.meta.tables as select * replace (map(?, ?)[name] as n_rows) from published.meta.tables "
        "where list_contains(?, name)",
        [names, counts, names],
    )
    connection.execute(
        "create table own.meta.columns as select * from published.meta.columns where list_contains(?, table_name)",
        [names],
    )
    connection.execute("commit")
    connection.execute("checkpoint own")
    connection.execute("detach own")


def _write_own(connection: duckdb.DuckDBPyConnection, mart: SqlFile, label_id: str) -> int:
    """Write a label's rows of one mart, or all rows of a public mart; return the number of rows."""
    if mart.label_rules and not mart.label_rules.owner:
        own, given = f"select * from owned.{_table(mart)}", []
    else:
        own, given = f"select * exclude (_label) from owned.{_table(mart)} where _label = ?", [label_id]
    counted = connection.execute(f"create table own.{mart.name} as {own}", given).fetchone()
    return int(counted[0]) if counted else 0


def _table(file: SqlFile) -> str:
    return file.name.removeprefix("marts.")


def _name(column: str) -> str:
    return f'"{column}"'
