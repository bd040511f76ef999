"""
A file in `sql/`: its query, and the contract in its header.

The header consists of the comment lines before the query: a description, then sections.

    reason:       why a mart that only copies its source exists
    grain:        the columns that identify a row, or none
    rows:         minimum number of rows; default 1
    incremental:  the day column of a day-grain table, which is updated day by day
    columns:      the data dictionary: name, meaning, unit in brackets
    checks:       conditions that hold in every row
    reconcile:    conditions between the table and its sources
    params:       the parameters of a query, with defaults

A table is named after its file: `sql/marts/track_daily.sql` is `marts.track_daily`.

`labels:` puts a mart into the label files (see `warehouse.labels`). It names the column by which a row belongs to a
label: artist_id, track_id or label_id; `labels: all` gives every row to every label, and is for public data only. The
figures from listening that a label may see are those of marts.label_figures alone.

    listening: n_plays  columns computed from listening, which are null in label files
    only: is_recent     the boolean column of the rows that go into label files
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.errors import BadSqlFile, UnknownIds, did_you_mean
from recsys.files import short_hash
from recsys.installation.paths import SQL_FOLDER

if TYPE_CHECKING:
    from sqlglot import exp

LAYERS = ("staging", "intermediate", "marts")
_SECTIONS = ("reason", "grain", "rows", "incremental", "columns", "checks", "reconcile", "params")
_LABEL_SECTIONS = ("labels", "listening", "only")
_OWNED_BY = ("artist_id", "track_id", "label_id")
_ALL = "all"
_KNOWN = _SECTIONS + _LABEL_SECTIONS
_SECTION = re.compile(r"^(?P<name>[a-z]+):\s*(?P<value>.*)$")
_TABLE = re.compile(rf"\b(?:{'|'.join(LAYERS)})\.\w+")
_UNQUOTED_TABLE = re.compile(rf"(?<!'){_TABLE.pattern}")
_UNIT = re.compile(r"^(?P<text>.*?)(?:\s*\[(?P<unit>[^\]]+)\])?$")


@dataclass(frozen=True)
class ColumnDoc:
    """A column or parameter in the header: its meaning, unit ('' = none) and default (None = required)."""

    meaning: str
    unit: str = ""
    default: str | None = None


@dataclass(frozen=True)
class LabelRules:
    """
    The rules by which a mart goes into label files.

    Attributes:
        owner: Column by which a row belongs to a label: artist_id, track_id or label_id; '' for a public mart.
        listening: Columns computed from listening, which are null in label files.
        only: Boolean column that selects rows; '' selects all.
    """

    owner: str
    listening: tuple[str, ...] = ()
    only: str = ""


@dataclass(frozen=True, eq=False)
class SqlFile:
    """
    A query and its contract. Reading the same text and name again returns the same object, so it is parsed only once.

    Attributes:
        name: `<layer>.<table>`, `internal.<name>`, or the name of a saved query.
        description: What a row is, in one or two sentences.
        query: The SELECT.
        grain: Columns that identify a row; empty if no columns do.
        columns: Column name -> documentation, in order.
        checks: SQL conditions that hold in every row.
        reconcile: SQL conditions between the table and its sources.
        params: Parameter name -> documentation.
        reason: Why a mart that only copies its source exists; '' for all others.
        min_rows: Minimum number of rows.
        incremental: Day column of a day-grain table; '' for a table that is computed as a whole.
        label_rules: Rules for label files; None if the table is not in them.
    """

    name: str
    description: str
    query: str
    grain: tuple[str, ...] = ()
    columns: dict[str, ColumnDoc] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    reconcile: tuple[str, ...] = ()
    params: dict[str, ColumnDoc] = field(default_factory=dict)
    reason: str = ""
    min_rows: int = 1
    incremental: str = ""
    label_rules: LabelRules | None = None

    @property
    def layer(self) -> str:
        """The schema of the table: the part of the name before the dot."""
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> "exp.Expr":
        """The syntax tree of the query; raises BadSqlFile if it is not a single valid SELECT."""
        import sqlglot  # noqa: PLC0415 - running a query needs no parser

        try:
            return sqlglot.parse_one(self.query, read="duckdb")
        except sqlglot.errors.ParseError as broken:
            raise BadSqlFile(f"{self.name} is not one valid SELECT: {broken}") from broken

    @cached_property
    def sources(self) -> frozenset[str]:
        """The tables that the query reads, as `<layer>.<table>`; CTEs are not included."""
        from sqlglot import exp  # noqa: PLC0415

        ctes = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        tables = [table for table in self.tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
        names = (f"{table.db}.{table.name}".lstrip(".") for table in tables)
        return frozenset(name for name in names if name not in ctes)

    @cached_property
    def named_tables(self) -> frozenset[str]:
        """The sources in the layers, found by their names, since pages ask for them and a parser takes long to load."""
        return frozenset(_UNQUOTED_TABLE.findall(self.query))

    @property
    def dependencies(self) -> frozenset[str]:
        """The tables that must be built before this one: its sources, and the tables that `reconcile` names."""
        return self.sources | set(_TABLE.findall(" ".join(self.reconcile))) - {self.name}

    @property
    def fingerprint(self) -> str:
        """A hash of the query text."""
        return short_hash(self.query)


def read_sql_file(path: Path, name: str) -> SqlFile:
    """Read one file; raises BadSqlFile if its header is invalid."""
    return _parsed(path.read_text(encoding="utf-8"), name)


@cache
def _parsed(text: str, name: str) -> SqlFile:
    lines = text.splitlines()
    n_header = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    description, sections = _sections([line[2:].rstrip() for line in lines[:n_header]], name)
    grain = " ".join(sections.get("grain", ["none"]))
    rows = "".join(sections.get("rows", ["1"]))
    if not rows.isdecimal():
        raise BadSqlFile(f"{name}: rows: {rows}; expected the minimum number of rows, such as 0 or 1")
    file = SqlFile(
        name=name,
        description=description,
        query="\n".join(lines[n_header:]).strip(),
        grain=() if grain == "none" else tuple(part.strip() for part in grain.split(",")),
        columns=dict(_column(line) for line in sections.get("columns", [])),
        checks=tuple(sections.get("checks", [])),
        reconcile=tuple(sections.get("reconcile", [])),
        params=dict(_param(line) for line in sections.get("params", [])),
        reason=" ".join(sections.get("reason", [])),
        min_rows=int(rows),
        incremental="".join(sections.get("incremental", [])),
        label_rules=_for_labels(sections, name),
    )
    for column in filter(None, (*file.grain, file.incremental)):
        if column not in file.columns:
            raise BadSqlFile(
                f"{name}: grain or incremental names {column!r}, which is not among the columns."
                + did_you_mean(column, file.columns)
            )
    if file.label_rules:
        _refuse_unsafe(file, file.label_rules)
    return file


def _for_labels(sections: dict[str, list[str]], name: str) -> LabelRules | None:
    given = {section: " ".join(sections[section]) for section in _LABEL_SECTIONS if section in sections}
    if not given:
        return None
    owner = given.get("labels", "")
    if owner not in (*_OWNED_BY, _ALL):
        raise BadSqlFile(f"{name}: labels: {owner}; expected one of {', '.join((*_OWNED_BY, _ALL))}")
    listening = tuple(filter(None, re.split(r"[,\s]+", given.get("listening", ""))))
    if owner == _ALL and listening:
        raise BadSqlFile(f"{name}: listening with labels: {_ALL}; listening data never goes to all labels")
    return LabelRules("" if owner == _ALL else owner, listening, given.get("only", ""))


def _refuse_unsafe(file: SqlFile, rules: LabelRules) -> None:
    """Raise BadSqlFile if a mart has rows of single listeners, or its rules name columns that it does not have."""
    named_columns = (
        ("labels", (rules.owner,) if rules.owner else (), file.columns.keys()),
        ("only", (rules.only,) if rules.only else (), file.columns.keys()),
        ("listening", rules.listening, file.columns.keys() - set(file.grain)),
    )
    for section, named, known in named_columns:
        for column in named:
            if column not in known:
                raise BadSqlFile(
                    f"{file.name}: {section} names {column!r}; expected one of {', '.join(sorted(known))}."
                    + did_you_mean(column, known)
                )
    if "user_id" in file.columns:
        raise BadSqlFile(f"{file.name} has the column user_id: rows of single listeners must not go into label files")


def _sections(header: list[str], name: str) -> tuple[str, dict[str, list[str]]]:
    description: list[str] = []
    sections: dict[str, list[str]] = {}
    into = description
    for line in header:
        match = None if line.startswith("   ") else _SECTION.match(line.strip())
        if match and match["name"] in sections:
            raise BadSqlFile(f"{name}: the header has the section {match['name']!r} twice. Merge them")
        if match and match["name"] in _KNOWN:
            into = sections[match["name"]] = [match["value"]] if match["value"] else []
        elif match and (sections or not match["value"] or did_you_mean(match["name"], _KNOWN)):
            raise BadSqlFile(
                f"{name}: the header has an unknown section {match['name']!r}; known: {', '.join(_KNOWN)}."
                + did_you_mean(match["name"], _KNOWN)
            )
        elif line.strip():
            into.append(line.strip())
    return " ".join(description), sections


def _column(line: str) -> tuple[str, ColumnDoc]:
    name, _, text = line.partition(" ")
    parts = _UNIT.match(text.strip())
    meaning, unit = (parts["text"], parts["unit"] or "") if parts else (text, "")
    return name, ColumnDoc(meaning.strip(), unit)


def _param(line: str) -> tuple[str, ColumnDoc]:
    line, has_default, default = line.partition(" =")
    name, doc = _column(line)
    return name, replace(doc, default=default.strip()) if has_default else doc


def read_layers(folder: Path = SQL_FOLDER) -> dict[str, SqlFile]:
    """Read every staging, intermediate and mart file; each comes after its dependencies."""
    if not folder.is_dir():
        raise BadSqlFile(f"{folder} does not exist; it has the query of every table. Install recsys again")
    found = {
        f"{layer}.{path.stem}": read_sql_file(path, f"{layer}.{path.stem}")
        for layer in LAYERS
        for path in sorted((folder / layer).glob("*.sql"))
    }
    for file in found.values():
        missing = sorted(source for source in file.sources if not source.startswith("raw.") and source not in found)
        if missing:
            raise BadSqlFile(f"{file.name} reads {missing[0]}, which has no file.{did_you_mean(missing[0], found)}")
    graph = {name: sorted(file.dependencies & found.keys()) for name, file in found.items()}
    try:
        return {name: found[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as cycle:
        raise BadSqlFile(f"These tables depend on each other in a cycle: {' -> '.join(cycle.args[1])}") from cycle


def with_upstream(layers: dict[str, SqlFile], names: Iterable[str]) -> dict[str, SqlFile]:
    """Return these tables and all their upstream tables, in the order of `layers`; BadSqlFile if a name is unknown."""
    needed: set[str] = set()
    waiting = set(names)
    for name in sorted(waiting - layers.keys()):
        raise BadSqlFile(f"sql/ has no table {name!r}.{did_you_mean(name, layers)}")
    while waiting:
        needed |= waiting
        waiting = set().union(*(layers[name].dependencies & layers.keys() for name in waiting)) - needed
    return {name: file for name, file in layers.items() if name in needed}


def downstream(layers: dict[str, SqlFile], names: Collection[str]) -> set[str]:
    """Return the tables that read `names`, directly or through others; `layers` are in the order of building."""
    found = set(names)
    for file in layers.values():
        if file.sources & found:
            found.add(file.name)
    return found & layers.keys()


def upstream_intermediates(layers: dict[str, SqlFile], names: Iterable[str]) -> dict[str, SqlFile]:
    """Return the intermediate tables upstream of `names`, directly or through other intermediate tables, in order."""
    steps: set[str] = set()
    waiting = set(names)
    while waiting:
        sources = set[str]().union(*(layers[name].dependencies for name in waiting))
        waiting = {source for source in sources if source.startswith("intermediate.")} - steps
        steps |= waiting
    return {name: file for name, file in layers.items() if name in steps}


def materializations(layers: dict[str, SqlFile]) -> dict[str, str]:
    """
    Return the materialization of each file during a build: 'table' or 'view'.

    Staging files are views. Intermediate files upstream of a day-grain table are views too: the day-grain table is
    filled a few days at a time, and views pass its filter on days to the event tables. All other files are tables.
    """
    streamed = with_upstream(layers, [file.name for file in layers.values() if file.incremental])
    return {
        name: "view" if file.layer == "staging" or (file.layer == "intermediate" and name in streamed) else "table"
        for name, file in layers.items()
    }


def read_query(name: str, folder: Path = SQL_FOLDER) -> SqlFile:
    """Read a saved query of `sql/queries`; raises UnknownIds if there is none of this name."""
    paths = {path.stem: path for path in (folder / "queries").glob("*.sql")}
    if name not in paths:
        raise UnknownIds.of("query", [name], paths, "sql/queries")
    return read_sql_file(paths[name], name)


def read_queries(folder: Path = SQL_FOLDER) -> dict[str, SqlFile]:
    """Read every saved query of `sql/queries`, by name."""
    return {path.stem: read_sql_file(path, path.stem) for path in sorted((folder / "queries").glob("*.sql"))}


def read_internal(folder: Path = SQL_FOLDER) -> dict[str, SqlFile]:
    """Read every internal query (see `warehouse.internal`), as `internal.<name>`."""
    names = [f"internal.{path.stem}" for path in sorted((folder / "internal").glob("*.sql"))]
    return {name: read_sql_file(folder / f"{name.replace('.', '/')}.sql", name) for name in names}


def raw_sources(name: str, layers: dict[str, SqlFile]) -> set[str]:
    """Return the raw tables upstream of a table."""
    direct = layers[name].sources
    below = (raw_sources(source, layers) for source in direct if source in layers)
    return {source for source in direct if source.startswith("raw.")}.union(*below)


def quoted(path: Path | str) -> str:
    """Return a path or text as an SQL string literal."""
    return "'" + str(path).replace("'", "''") + "'"
