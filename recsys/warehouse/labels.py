"""
One warehouse file per label: its own rows of the marts that declare `labels:`, with small groups suppressed.

A recording belongs to the label in its metadata; an artist belongs to a label if all of their recordings with a label
have the same one. Public marts (`labels: all`) are in every file. Marts computed from listening (`people:`) follow
three rules:

1. Primary suppression: a row with fewer than ten distinct listeners, zero included, is withheld.
2. Complementary suppression: rows that differ only in one of the columns that the mart's header lists under `parts:`
   add up to a total that may be shown. If one of them is withheld, the smallest others are too, until at least two are
   withheld and one of these has ten listeners or more. So the total minus the shown rows never isolates a small group.
3. Rounding: counts are rounded down to a multiple of ten, other figures to two significant digits. So a difference
   between overlapping tables, periods or filters shows rounding, not the listening of a few people.

Guarantee: every figure comes from about ten distinct listeners or more, and subtracting the shown rows from a total
does not narrow a withheld value of 1 to 9. There is no protection against an attacker who knows what nine of ten
listeners did, nor against combining very many overlapping figures, which narrows the range (how much is measured in
tests/pipeline/test_leaks.py).

A mart with `withheld: blank` keeps withheld rows without their figures: where a row exists only because somebody
listened, its presence shows that.
"""

from pathlib import Path

import duckdb

from recsys import files
from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.build import STORAGE_VERSION
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.sqlfile import LabelRules, SqlFile, quoted, read_layers

MIN_LISTENERS = 10  # minimum distinct listeners of a shown row, and the step that counts are rounded to
BLOCK_BYTES = 16_384  # DuckDB's minimum: a column takes at least one block, so that small files stay small
_COUNT = "count"
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


def file_name(label_id: str) -> str:
    """Return the name of a label's file: a hash, as an id may have any character and file systems may ignore case."""
    return f"{files.short_hash(label_id)}.duckdb"


def write_labels(warehouse: Path, folder: Path, *, sql: Path = SQL_FOLDER) -> int:
    """Write a file for every label in a warehouse to `<folder>/<file_name>`, atomically; return the number of files."""
    marts = [(file, file.label_rules) for file in read_layers(sql).values() if file.label_rules]
    with files.new_folder(folder) as new, duckdb.connect() as connection:
        connection.execute(f"attach {quoted(warehouse)} as published (read_only)")
        connection.execute("create schema safe")
        labels = _read_owners(connection)
        for file, rules in marts:
            _protect(connection, file, rules)
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


def _protect(connection: duckdb.DuckDBPyConnection, file: SqlFile, rules: LabelRules) -> None:
    """Create `safe.<mart>`: the rows of all labels, suppressed and rounded; a public mart is copied unchanged."""
    ordered = f"order by {', '.join(map(_name, file.grain))}"
    if not rules.owner:
        public = f"select * from published.{file.name} where {rules.only or 'true'} {ordered}"
        connection.execute(f"create table safe.{_table(file)} as {public}")
        return
    people = f"coalesce({rules.people}, 0)" if rules.people else "null"
    connection.execute(
        f"create or replace temp table rows_of as select owners.label_id as _label, {people} as _people, "
        f"coalesce({people} < {MIN_LISTENERS}, false) as _is_withheld, mart.* from published.{file.name} as mart "
        f"inner join owners on owners.kind = '{rules.owner}' and owners.id = mart.{rules.owner}"
    )
    while sum(_withhold_more(connection, file.grain, part) for part in rules.parts):
        pass
    shown = "true" if rules.is_blanked else "not _is_withheld"
    connection.execute(
        f"create table safe.{_table(file)} as select _label, {', '.join(_columns(connection, file, rules))} "
        f"from rows_of where {shown} order by _label, {', '.join(map(_name, file.grain))}"
    )


def _withhold_more(connection: duckdb.DuckDBPyConnection, grain: tuple[str, ...], part: str) -> int:
    """Withhold the smallest shown row of each group of parts that is not covered yet; return the number of rows."""
    group = ", ".join(["_label", *(_name(column) for column in grain if column != part)])
    counted = connection.execute(f"""
        update rows_of set _is_withheld = true where rowid in (
            with grouped as (
                select
                    rowid as row_no,
                    _is_withheld,
                    bool_or(_is_withheld) over (partition by {group}) as has_withheld,
                    bool_or(_is_withheld and _people >= {MIN_LISTENERS}) over (partition by {group})
                    and count(*) filter (_is_withheld) over (partition by {group}) > 1 as is_covered,
                    row_number() over (partition by {group}, _is_withheld order by _people, {_name(part)}) as place
                from rows_of
            )
            select row_no from grouped where has_withheld and not is_covered and not _is_withheld and place = 1
        )
    """).fetchone()
    return int(counted[0]) if counted else 0


def _columns(connection: duckdb.DuckDBPyConnection, file: SqlFile, rules: LabelRules) -> list[str]:
    types = {name: type_ for name, type_, *_ in connection.execute(f"describe published.{file.name}").fetchall()}
    unprotected = {*file.grain, *rules.kept} if rules.people else set(file.columns)
    return [
        _name(name) if name in unprotected else f"{_figure(name, types[name], file)} as {_name(name)}" for name in types
    ]


def _figure(name: str, type_: str, file: SqlFile) -> str:
    """Return the SQL expression of a protected column: null if withheld, otherwise rounded."""
    value = _name(name)
    if any(number in type_ for number in _NUMBERS):
        if file.columns[name].unit == _COUNT:
            rounded = f"{MIN_LISTENERS} * floor({value} / {MIN_LISTENERS})"
        else:
            digits = f"1 - floor(log10(abs({value})))::integer"
            rounded = (
                f"case when {value} <> 0 and isfinite({value}::double) then round({value}, {digits}) else {value} end"
            )
        value = f"cast({rounded} as {type_})"
    return f"case when not _is_withheld then {value} end"


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
        own, given = f"select * from safe.{_table(mart)}", []
    else:
        own, given = f"select * exclude (_label) from safe.{_table(mart)} where _label = ?", [label_id]
    counted = connection.execute(f"create table own.{mart.name} as {own}", given).fetchone()
    return int(counted[0]) if counted else 0


def _table(file: SqlFile) -> str:
    return file.name.removeprefix("marts.")


def _name(column: str) -> str:
    return f'"{column}"'
