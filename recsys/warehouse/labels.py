"""
One warehouse file a label: the marts that declare `labels:`, its own rows only, and no figures of a few people.

A recording belongs to the label that its metadata names, an artist to the one label of all recordings that name any;
what is public (`labels: all`) is in every file.
What comes from listening (`people:`) leaves the house by three rules, the same for every mart:

1. Primary: a row with fewer than ten distinct listeners, none included, is withheld.
2. Complementary: rows that differ in one of `parts` only add up to a total that may be seen. Where one is withheld, the
   smallest of the others is too: total minus parts is then about ten listeners at least, in two rows at least.
3. Rounding: counts are shown as the ten below, other figures to two significant digits. Where tables, windows and
   filters overlap in ways that no rule foresees, they differ by what is rounded, not by what a few people did.

Guaranteed: every figure is about ten distinct listeners or more, and a total less one part of it leaves all of 1 to 9
possible for a row of 1 to 9. Not covered: whoever knows what nine of ten listeners did; very many overlapping figures
solved together, which leave a narrower range (tests/warehouse/test_leaks.py solves them); and that somebody listened at
all, where a row is there whoever listens.
"""

from pathlib import Path

import duckdb

from recsys import files
from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.build import STORAGE_VERSION
from recsys.warehouse.sqlfile import ForLabels, SqlFile, quoted, read_layers

LEAST = 10  # listeners that a figure is about, and the step that counts are shown in
BLOCK = 16_384  # bytes that a column takes at least in a small file: DuckDB's least
_COUNT = "count"
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")
_OWNERS = """
create table owners as
with labelled as (
    select track_id, artist_id, label_id from published.marts.track_features where label_id is not null
)
select 'track_id' as kind, track_id as id, label_id from labelled
union all
select 'label_id', label_id, label_id from labelled group by label_id
union all
select 'artist_id', artist_id, min(label_id) from labelled
where artist_id is not null group by artist_id having count(distinct label_id) = 1
"""
_LABELS = """
select label_id, min(label_name) as name from published.marts.track_features
where label_id is not null group by label_id order by label_id
"""


def file_name(label_id: str) -> str:
    """Name a label's file: a hash, since an id may hold anything and some disks take A for a."""
    return f"{files.short_hash(label_id)}.duckdb"


def write_labels(warehouse: Path, folder: Path, *, sql: Path = SQL_FOLDER) -> int:
    """Write the file of every label of a warehouse file, as `<folder>/<file_name>`, all or nothing; return how many."""
    marts = [(file, file.for_labels) for file in read_layers(sql).values() if file.for_labels]
    with files.new_folder(folder) as beside, duckdb.connect() as connection:
        connection.execute(f"attach {quoted(warehouse)} as published (read_only)")
        connection.execute("create schema safe")
        connection.execute(_OWNERS)
        for file, rules in marts:
            _protect(connection, file, rules)
        labels = connection.execute(_LABELS).fetchall()
        for label_id, name in labels:
            _write_one(connection, beside / file_name(label_id), label_id, name, [file for file, _ in marts])
    return len(labels)


def _protect(connection: duckdb.DuckDBPyConnection, file: SqlFile, rules: ForLabels) -> None:
    """Make `safe.<mart>`: every label's rows, by label, as the label may see them; a public mart's as they are."""
    ordered = f"order by {', '.join(map(_name, file.grain))}"
    if not rules.owner:
        public = f"select * from published.{file.name} where {rules.only or 'true'} {ordered}"
        connection.execute(f"create table safe.{_table(file)} as {public}")
        return
    people = f"coalesce({rules.people}, 0)" if rules.people else "null"
    connection.execute(
        f"create or replace temp table rows_of as select owners.label_id as _label, {people} as _people, "
        f"coalesce({people} < {LEAST}, false) as _is_withheld, mart.* from published.{file.name} as mart "
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
    """Withhold one row more of each line of parts that total minus parts would lay open; return how many."""
    line = ", ".join(["_label", *(_name(column) for column in grain if column != part)])
    counted = connection.execute(f"""
        update rows_of set _is_withheld = true where rowid in (
            with lines as (
                select
                    rowid as row_no,
                    _is_withheld,
                    bool_or(_is_withheld) over (partition by {line}) as is_open,
                    bool_or(_is_withheld and _people >= {LEAST}) over (partition by {line})
                    and count(*) filter (_is_withheld) over (partition by {line}) > 1 as is_covered,
                    row_number() over (partition by {line}, _is_withheld order by _people, {_name(part)}) as place
                from rows_of
            )
            select row_no from lines where is_open and not is_covered and not _is_withheld and place = 1
        )
    """).fetchone()
    return int(counted[0]) if counted else 0


def _columns(connection: duckdb.DuckDBPyConnection, file: SqlFile, rules: ForLabels) -> list[str]:
    types = {name: type_ for name, type_, *_ in connection.execute(f"describe published.{file.name}").fetchall()}
    open_to_all = {*file.grain, *rules.kept} if rules.people else set(file.columns)
    return [
        _name(name) if name in open_to_all else f"{_figure(name, types[name], file)} as {_name(name)}" for name in types
    ]


def _figure(name: str, type_: str, file: SqlFile) -> str:
    """Return the SQL of a column that tells of people: null where withheld, else rounded."""
    value = _name(name)
    if any(number in type_ for number in _NUMBERS):
        if file.columns[name].unit == _COUNT:
            rounded = f"{LEAST} * floor({value} / {LEAST})"
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
    """Write one label's file: its rows, the data dictionary, and whose file it is."""
    connection.execute(f"attach {quoted(target)} as own (storage_version '{STORAGE_VERSION}', block_size {BLOCK})")
    connection.execute("begin")  # or every statement would write, and sync, a log of its own
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
    """Write a label's rows of one mart, all of them where it is public; return how many."""
    if mart.for_labels and not mart.for_labels.owner:
        own, given = f"select * from safe.{_table(mart)}", []
    else:
        own, given = f"select * exclude (_label) from safe.{_table(mart)} where _label = ?", [label_id]
    counted = connection.execute(f"create table own.{mart.name} as {own}", given).fetchone()
    return int(counted[0]) if counted else 0


def _table(file: SqlFile) -> str:
    return file.name.removeprefix("marts.")


def _name(column: str) -> str:
    return f'"{column}"'
