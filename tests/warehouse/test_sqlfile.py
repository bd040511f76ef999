"""Headers of SQL files, and dependencies between tables."""

from pathlib import Path

import pytest
from sqlglot import exp

from recsys.errors import BadSqlFile
from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.increment import fingerprint
from recsys.warehouse.sqlfile import (
    ColumnDoc,
    LabelRules,
    SqlFile,
    materializations,
    quoted,
    raw_sources,
    read_layers,
    read_queries,
    read_sql_file,
    upstream_intermediates,
    with_upstream,
)

COMPLETE = """-- Plays per day: one row per listener and day.
-- Note: the second line belongs to the description.
-- grain: user_id, day
-- rows: 0
-- incremental: day
-- columns:
--   user_id  listener (pseudonymous id)
--   day      day = midnight to midnight (UTC)
--   n_plays  plays [count]
-- checks:
--   n_plays >= 1
--   day is not null
-- reconcile:
--   (select sum(n_plays) from marts.x) = (select count(*) from raw.listens)
select user_id, ds as day, count(*) as n_plays
from raw.listens
group by user_id, ds
"""


def header(tmp_path: Path, text: str) -> SqlFile:
    """Read a file with this text as marts.x."""
    (tmp_path / "x.sql").write_text(text)
    return read_sql_file(tmp_path / "x.sql", "marts.x")


def folder(tmp_path: Path, **queries: str) -> Path:
    """Write a folder of SQL files; `staging__a` becomes staging/a.sql."""
    for name, query in queries.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".sql").write_text(f"-- A table.\n{query}\n")
    return tmp_path


def test_a_complete_header_is_read(tmp_path: Path) -> None:
    """Every section and the query are read."""
    file = header(tmp_path, COMPLETE)

    assert file.description == (
        "Plays per day: one row per listener and day. Note: the second line belongs to the description."
    )
    assert (file.grain, file.min_rows, file.incremental) == (("user_id", "day"), 0, "day")
    assert file.columns == {
        "user_id": ColumnDoc("listener (pseudonymous id)"),
        "day": ColumnDoc("day = midnight to midnight (UTC)"),
        "n_plays": ColumnDoc("plays", "count"),
    }
    assert file.checks == ("n_plays >= 1", "day is not null")
    assert len(file.reconcile) == 1
    assert file.query.startswith("select user_id")
    assert (file.layer, set(file.sources)) == ("marts", {"raw.listens"})


def test_what_a_header_leaves_out_has_a_default(tmp_path: Path) -> None:
    """By default a table has at least one row, no grain, and is computed as a whole."""
    file = header(tmp_path, "-- A table.\nselect 1 as a\n")

    assert (file.grain, file.min_rows, file.incremental, file.checks) == ((), 1, "", ())


def test_parameters_may_have_defaults(tmp_path: Path) -> None:
    """An empty default is a default; a parameter without a default is required."""
    file = header(
        tmp_path,
        "-- Q.\n-- params:\n--   n  max [count] = 20\n--   as_of  day, the last where empty =\n--   id  who\nselect $n",
    )

    assert file.params == {
        "n": ColumnDoc("max", "count", "20"),
        "as_of": ColumnDoc("day, the last where empty", default=""),
        "id": ColumnDoc("who"),
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-- colums:", r"section 'colums'; known: .*Did you mean 'columns'\?"),
        ("-- grian: a", r"section 'grian'.*Did you mean 'grain'\?"),
        ("-- check: a > 0", r"section 'check'.*Did you mean 'checks'\?"),
        ("--grian: a", r"section 'grian'"),
        ("-- owner:", "section 'owner'"),
        ("-- rows: many", "rows: many; expected the minimum number of rows"),
        ("-- rows: -1", "rows: -1; "),
        ("-- grain: a, b", "names 'b', which is not among the columns"),
        ("-- incremental: aa", "names 'aa', which is not among the columns"),
    ],
)
def test_an_invalid_header_is_refused(tmp_path: Path, line: str, message: str) -> None:
    """A misspelt section must not become part of the description, which would silently disable its checks."""
    with pytest.raises(BadSqlFile, match=message):
        header(tmp_path, f"-- A table.\n{line}\n-- columns:\n--   a  a number\nselect 1 as a\n")


@pytest.mark.parametrize(("line", "message"), [("-- owner: us", "section 'owner'"), ("-- columns:", "'columns' twice")])
def test_after_the_first_section_only_sections_follow(tmp_path: Path, line: str, message: str) -> None:
    """A word with a colon is a section there; unknown and repeated sections are refused."""
    with pytest.raises(BadSqlFile, match=message):
        header(tmp_path, f"-- A table.\n-- columns:\n--   a  a number\n{line}\n--   b  another\nselect 1 as a\n")


def test_a_query_that_cannot_be_parsed_is_named(tmp_path: Path) -> None:
    """The message names the file, without a stack trace of the parser."""
    with pytest.raises(BadSqlFile, match=r"marts\.x is not one valid SELECT"):
        _ = header(tmp_path, "-- A table.\nselect from where\n").tree


def test_tables_come_after_what_they_read(tmp_path: Path) -> None:
    """The order follows from the queries; a CTE is not a table."""
    layers = read_layers(
        folder(
            tmp_path,
            staging__z="select a from raw.listens",
            marts__a="with steps as (select a from staging.z), more as (select a from steps) select a from more",
            marts__b="select a.a from marts.a as a union all select a from raw.events",
        )
    )

    assert list(layers) == ["staging.z", "marts.a", "marts.b"]
    assert layers["marts.a"].sources == {"staging.z"}
    assert raw_sources("marts.b", layers) == {"raw.listens", "raw.events"}


def test_tables_come_after_what_they_are_reconciled_with(tmp_path: Path) -> None:
    """A table whose reconciliation names another is built after it."""
    check = "-- reconcile:\n--   (select count(*) from staging.z) = 1\n"
    layers = read_layers(folder(tmp_path, staging__a="select 1 as a", staging__z="select 1 as a"))
    assert list(layers) == ["staging.a", "staging.z"]

    (tmp_path / "staging" / "a.sql").write_text(f"-- A table.\n{check}select 1 as a\n")

    assert list(read_layers(tmp_path)) == ["staging.z", "staging.a"]


def test_a_file_is_parsed_once_for_its_text(tmp_path: Path) -> None:
    """Reading it again gives the same object; a changed text gives another."""
    files = folder(tmp_path, marts__a="select 1 as a", marts__b="select 1 as a")
    first, again = read_layers(files), read_layers(files)
    (files / "marts" / "a.sql").write_text("-- A table.\nselect 2 as a\n")
    changed = read_layers(files)

    assert first["marts.a"] is again["marts.a"] is not changed["marts.a"]
    assert changed["marts.a"].query == "select 2 as a"
    assert first["marts.b"] is changed["marts.b"]
    assert first["marts.a"].name != first["marts.b"].name


def test_some_tables_come_with_their_upstream_tables(tmp_path: Path) -> None:
    """Other tables are left out; an unknown table is refused with the nearest name."""
    layers = read_layers(
        folder(
            tmp_path,
            staging__z="select a from raw.listens",
            intermediate__y="select a from staging.z",
            marts__a="select a from intermediate.y",
            marts__b="select a from staging.z",
        )
    )

    assert list(with_upstream(layers, ["marts.a"])) == ["staging.z", "intermediate.y", "marts.a"]
    with pytest.raises(BadSqlFile, match=r"sql/ has no table 'marts\.c'\. Did you mean 'marts\."):
        with_upstream(layers, ["marts.c"])


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    """The message shows the cycle."""
    with pytest.raises(BadSqlFile, match=r"in a cycle: marts\.(a -> marts\.b -> marts\.a|b -> marts\.a -> marts\.b)"):
        read_layers(folder(tmp_path, marts__a="select x from marts.b", marts__b="select x from marts.a"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("staging.listen", r"reads staging\.listen, which has no file. Did you mean 'staging\.listens'"),
        ("listens", r"reads listens, which has no file. Did you mean 'staging\.listens'"),
        ("'x.parquet'", r"reads x\.parquet, which has no file"),
        ("meta.tables", r"reads meta\.tables, which has no file"),
    ],
)
def test_a_source_without_a_file_is_refused(tmp_path: Path, source: str, message: str) -> None:
    """A table without schema and a file on disk are refused too."""
    with pytest.raises(BadSqlFile, match=message):
        read_layers(folder(tmp_path, staging__listens="select a from raw.listens", marts__x=f"select a from {source}"))


def test_a_fingerprint_changes_with_any_upstream_query(tmp_path: Path) -> None:
    """It does not change with the description."""
    files = folder(
        tmp_path, staging__z="select a from raw.listens", marts__a="select a from staging.z", marts__b="select 1 as a"
    )
    before = read_layers(files)
    (files / "staging" / "z.sql").write_text("-- Another description.\nselect a from raw.listens\n")
    described = read_layers(files)
    (files / "staging" / "z.sql").write_text("-- A table.\nselect a + 1 as a from raw.listens\n")
    changed = read_layers(files)

    assert all(fingerprint(before[name], before) == fingerprint(described[name], described) for name in before)
    assert fingerprint(before["marts.a"], before) != fingerprint(changed["marts.a"], changed)
    assert fingerprint(before["marts.b"], before) == fingerprint(changed["marts.b"], changed)


LABELLED = """-- An artist.
-- grain: artist_id
-- labels: artist_id
-- listening: n_listeners, n_plays
-- only: is_known
-- columns:
--   artist_id    artist
--   n_listeners  listeners [count]
--   n_plays      plays [count]
--   is_known     whether it is known
select 1 as artist_id
"""


def test_a_header_may_have_rules_for_label_files(tmp_path: Path) -> None:
    """The header names the owner of a row, the columns from listening, and which rows."""
    assert header(tmp_path, LABELLED).label_rules == LabelRules("artist_id", ("n_listeners", "n_plays"), "is_known")
    assert header(tmp_path, "-- A table.\nselect 1 as a\n").label_rules is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("labels: artist_id", "labels: week_start", "labels: week_start; expected one of artist_id"),
        ("-- labels: artist_id\n", "", "labels: ; expected one of"),
        (
            "listening: n_listeners",
            "listening: n_listners",
            r"listening names 'n_listners'.*Did you mean 'n_listeners'\?",
        ),
        ("listening: n_listeners", "listening: artist_id", "listening names 'artist_id'"),
        ("only: is_known", "only: is_knwn", r"only names 'is_knwn'.*Did you mean 'is_known'\?"),
        ("--   is_known ", "--   user_id ", "only names 'is_known'"),
        (
            "-- only: is_known\n-- columns:",
            "-- columns:\n--   user_id  listener",
            "rows of single listeners must not go",
        ),
    ],
)
def test_unsafe_rules_for_labels_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A misspelt rule must not decide what a label can see."""
    with pytest.raises(BadSqlFile, match=message):
        header(tmp_path, LABELLED.replace(old, new))


PUBLIC = """-- A chart.
-- grain: chart
-- labels: all
-- only: is_recent
-- columns:
--   chart      chart
--   is_recent  whether it is
select 1 as chart
"""


def test_a_public_mart_goes_to_every_label(tmp_path: Path) -> None:
    """All rows, or the rows selected by a boolean column."""
    assert header(tmp_path, PUBLIC).label_rules == LabelRules("", only="is_recent")
    assert header(tmp_path, PUBLIC.replace("-- only: is_recent\n", "")).label_rules == LabelRules("")


def test_listening_data_is_never_public(tmp_path: Path) -> None:
    """A mart for all labels has no column from listening."""
    with pytest.raises(BadSqlFile, match="listening with labels: all; listening data never goes to all labels"):
        header(tmp_path, PUBLIC.replace("-- only", "-- listening: is_recent\n-- only"))


@pytest.mark.parametrize("name", sorted(name for name, file in read_layers().items() if file.label_rules))
def test_a_label_mart_names_its_columns_from_listening(name: str) -> None:
    """A column that counts plays, skips or listeners is among them, except the figures of the ledger."""
    file = read_layers()[name]
    counted = {
        column for column in file.columns if column.startswith(("n_listen", "n_play", "n_skip", "n_like", "n_user"))
    }

    assert file.label_rules
    assert counted <= set(file.label_rules.listening)


@pytest.mark.parametrize("name", sorted(read_layers()))
def test_every_table_is_documented(name: str) -> None:
    """It has a description, the meaning of every column, and a reconciliation."""
    file = read_layers()[name]

    assert file.description.endswith(".")
    assert file.columns
    assert all(doc.meaning for doc in file.columns.values())
    assert file.reconcile, "a table is tied to its source"
    assert all(name != name.upper() for name in file.columns)


@pytest.mark.parametrize("name", sorted(name for name in read_layers() if name.startswith("marts.")))
def test_a_mart_that_computes_nothing_has_a_reason(name: str) -> None:
    """A mart that only selects columns of one table gives a reason in its header; no other mart does."""
    file = read_layers()[name]
    computing = (exp.Join, exp.Group, exp.With, exp.Where, exp.SetOperation, exp.AggFunc, exp.Window, exp.Case)
    passes_on = file.tree.find(*computing) is None

    assert bool(file.reason) == passes_on


@pytest.mark.parametrize("name", sorted(read_queries()))
def test_every_query_is_documented(name: str) -> None:
    """Its header has a description and documents exactly its parameters."""
    file = read_queries()[name]

    assert file.description.endswith(".")
    assert all(doc.meaning for doc in file.params.values())
    assert {word for word in file.params if f"${word}" in file.query} == set(file.params)


def test_an_intermediate_table_is_a_view_only_upstream_of_a_day_grain_table(tmp_path: Path) -> None:
    """Views let the filter on days reach the event tables; other intermediate tables and all marts are tables."""
    files = folder(
        tmp_path,
        staging__listens="select day from raw.listens",
        intermediate__heard="select day from staging.listens",
        intermediate__recent="select day from marts.daily",
        marts__daily="select day from intermediate.heard",
        marts__trend="select day from intermediate.recent",
    )
    (files / "marts" / "daily.sql").write_text(
        "-- Days.\n-- incremental: day\n-- columns:\n--   day  day\nselect day from intermediate.heard\n"
    )

    assert {name for name, kind in materializations(read_layers(files)).items() if kind == "view"} == {
        "staging.listens",
        "intermediate.heard",
    }


def test_upstream_steps_end_at_other_marts(tmp_path: Path) -> None:
    """The intermediate tables are returned in build order."""
    files = folder(
        tmp_path,
        staging__listens="select day from raw.listens",
        intermediate__heard="select day from staging.listens",
        marts__daily="select day from intermediate.heard",
        intermediate__a_last="select day from intermediate.first",
        intermediate__first="select day from marts.daily",
        marts__trend="select day from intermediate.a_last",
    )

    assert list(upstream_intermediates(read_layers(files), ["marts.trend"])) == [
        "intermediate.first",
        "intermediate.a_last",
    ]


def test_a_query_fits_on_a_page() -> None:
    """At most three queries have more than 80 lines; longer ones are split into intermediate tables."""
    long, most = 80, 3
    paths = sorted(SQL_FOLDER.rglob("*.sql"))
    lengths = {path: len(read_sql_file(path, path.stem).query.splitlines()) for path in paths}

    assert len(lengths) > 100
    assert len([path for path, n_lines in lengths.items() if n_lines > long]) <= most


def test_a_path_is_quoted_as_sql() -> None:
    """Apostrophes in a path are doubled."""
    assert quoted(Path("/home/o'brien/x.duckdb")) == "'/home/o''brien/x.duckdb'"
