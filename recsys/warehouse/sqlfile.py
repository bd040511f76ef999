"""
A file in `sql/`: its query, and the contract in its header.

The header is comment lines before the query: a description, then sections. `reason:` says why a mart that computes
nothing is a mart, `grain:` names the columns that tell rows apart (or `none`), `rows:` the least number of rows (1
where not given), `incremental:` the day column of a table that is rebuilt by the day, `columns:` the data dictionary
(unit in brackets at the end), `checks:` conditions that every row keeps, `reconcile:` conditions that tie the table to
its source, `params:` the parameters of a query with their defaults. The path is the name: `sql/marts/track_daily.sql`
is `marts.track_daily`.

A mart goes into the labels' own files (`warehouse.labels`) where its header has `labels:`, the column by which a row
belongs to a label: artist_id, track_id or label_id. `people:` names the column that counts the distinct listeners
behind a row: under ten, the row is withheld; every other figure is rounded, those in [count] to the ten below. A mart
without it must tell nothing of people. `labels: all` gives every label every row: for what is public, and never with
people. Four more sections refine this:

    parts: week_start   columns of the grain; rows that differ in one of them only add up to a total seen elsewhere
    kept: name, genre   columns outside the grain that tell nothing of people: neither withheld nor rounded
    withheld: blank     a withheld row stays, figures null (for rows that are there whoever listens); else it goes
    only: is_recent     with `labels: all`, the column that is true where a row goes into labels' files
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp

from recsys.errors import BadSqlFile, did_you_mean
from recsys.files import short_hash
from recsys.installation.paths import SQL_FOLDER

LAYERS = ("staging", "intermediate", "marts")
_SECTIONS = ("reason", "grain", "rows", "incremental", "columns", "checks", "reconcile", "params")
_LABEL_SECTIONS = ("labels", "people", "parts", "kept", "withheld", "only")
_OWNED_BY = ("artist_id", "track_id", "label_id")
_ALL = "all"
_KNOWN = _SECTIONS + _LABEL_SECTIONS
_SECTION = re.compile(r"^(?P<name>[a-z]+):\s*(?P<value>.*)$")
_TABLE = re.compile(rf"\b(?:{'|'.join(LAYERS)})\.\w+")
_UNIT = re.compile(r"^(?P<text>.*?)(?:\s*\[(?P<unit>[^\]]+)\])?$")


@dataclass(frozen=True)
class ColumnDoc:
    """What the header says of a column or parameter: its meaning, unit ('' = none) and default (None = required)."""

    meaning: str
    unit: str = ""
    default: str | None = None


@dataclass(frozen=True)
class ForLabels:
    """
    How a mart goes into the files of labels.

    Attributes:
        owner: The column by which a row is a label's own: artist_id, track_id or label_id; '' where all is public.
        people: The column that counts the distinct listeners behind a row, '' where the mart tells nothing of people.
        parts: Columns of the grain along which rows add up to a total that is seen elsewhere.
        kept: Columns outside the grain that tell nothing of people.
        is_blanked: Whether a withheld row stays, its figures null; else it is left out.
        only: Of a public mart, the column that is true where a row goes into the files; '' where all do.
    """

    owner: str
    people: str = ""
    parts: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    is_blanked: bool = False
    only: str = ""


@dataclass(frozen=True, eq=False)
class SqlFile:
    """
    One query and its contract; the same text under the same name is the same object, so that it is parsed once.

    Attributes:
        name: `<layer>.<table>`, `internal.<name>`, or the bare name of a query.
        description: What a row is, in one or two sentences.
        query: The SELECT.
        grain: Columns that tell rows apart; empty where rows have no identity.
        columns: Column name -> what it means, in order.
        checks: Conditions that hold in every row.
        reconcile: Conditions that hold between the table and its source.
        params: Parameter name -> what it means.
        reason: Why a mart that computes nothing is a mart, '' where it computes anything.
        min_rows: The least number of rows.
        incremental: The day column of a table rebuilt by the day, or ''.
        for_labels: How it goes into the files of labels, None where it does not.
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
    for_labels: ForLabels | None = None

    @property
    def layer(self) -> str:
        """The schema it is built in."""
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> exp.Expr:
        """The parsed query."""
        try:
            return sqlglot.parse_one(self.query, read="duckdb")
        except sqlglot.errors.ParseError as broken:
            raise BadSqlFile(f"{self.name} is not one SELECT that can be read: {broken}") from broken

    @cached_property
    def sources(self) -> frozenset[str]:
        """The tables it reads, as `<layer>.<table>`; its own steps are none."""
        steps = {step.alias for step in self.tree.find_all(exp.CTE)}
        tables = [table for table in self.tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
        names = (f"{table.db}.{table.name}".lstrip(".") for table in tables)
        return frozenset(name for name in names if name not in steps)

    @property
    def needs(self) -> frozenset[str]:
        """The tables that must be there before it is built and checked: its sources, and what `reconcile` names."""
        return self.sources | set(_TABLE.findall(" ".join(self.reconcile))) - {self.name}

    @property
    def fingerprint(self) -> str:
        """Changes with the query."""
        return short_hash(self.query)


def read_sql_file(path: Path, name: str) -> SqlFile:
    """Read one file; raises BadSqlFile where the header breaks its grammar."""
    return _parsed(path.read_text(encoding="utf-8"), name)


@cache
def _parsed(text: str, name: str) -> SqlFile:
    lines = text.splitlines()
    n_header = next((at for at, line in enumerate(lines) if not line.startswith("--")), len(lines))
    description, sections = _sections([line[2:].rstrip() for line in lines[:n_header]], name)
    grain = " ".join(sections.get("grain", ["none"]))
    rows = "".join(sections.get("rows", ["1"]))
    if not rows.isdecimal():
        raise BadSqlFile(f"{name}: rows: {rows}; the least number of rows is a number, such as 0 or 1")
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
        for_labels=_for_labels(sections, name),
    )
    for column in filter(None, (*file.grain, file.incremental)):
        if column not in file.columns:
            raise BadSqlFile(
                f"{name}: grain or incremental names {column!r}, which columns does not."
                + did_you_mean(column, file.columns)
            )
    if file.for_labels:
        _refuse_unsafe(file, file.for_labels)
    return file


def _for_labels(sections: dict[str, list[str]], name: str) -> ForLabels | None:
    given = {section: " ".join(sections[section]) for section in _LABEL_SECTIONS if section in sections}
    if not given:
        return None
    if given.get("labels") == _ALL:
        return _for_all_labels(given, name)
    if given.get("labels") not in _OWNED_BY:
        raise BadSqlFile(f"{name}: labels: {given.get('labels', '')}; expected one of {', '.join((*_OWNED_BY, _ALL))}")
    if "only" in given:
        raise BadSqlFile(f"{name}: only: {given['only']} with labels: {given['labels']}; expected labels: {_ALL}")
    if "people" not in given and len(given) > 1:
        raise BadSqlFile(f"{name}: {', '.join(given)} without people: name the column that counts distinct listeners")
    if given.get("withheld", "blank") != "blank":
        raise BadSqlFile(f"{name}: withheld: {given['withheld']}; expected blank, or no such section")
    parts, kept = (tuple(filter(None, re.split(r"[,\s]+", given.get(section, "")))) for section in ("parts", "kept"))
    return ForLabels(given["labels"], given.get("people", ""), parts, kept, "withheld" in given)


def _for_all_labels(given: dict[str, str], name: str) -> ForLabels:
    refused = sorted(given.keys() - {"labels", "only"})
    if refused:
        raise BadSqlFile(f"{name}: {', '.join(refused)} with labels: {_ALL}; what tells of people is never for all")
    return ForLabels("", only=given.get("only", ""))


def _refuse_unsafe(file: SqlFile, rules: ForLabels) -> None:
    """Refuse a mart whose rows are of single listeners, or whose rules name what it does not have."""
    outside = file.columns.keys() - set(file.grain)
    wanted = (
        ("labels", (rules.owner,) if rules.owner else (), file.columns.keys()),
        ("only", (rules.only,) if rules.only else (), file.columns.keys()),
        ("people", (rules.people,) if rules.people else (), outside),
        ("parts", rules.parts, set(file.grain) - {rules.owner}),
        ("kept", rules.kept, outside - {rules.people}),
    )
    for section, named, known in wanted:
        for column in named:
            if column not in known:
                raise BadSqlFile(
                    f"{file.name}: {section} names {column!r}; expected one of {', '.join(sorted(known))}."
                    + did_you_mean(column, known)
                )
    if "user_id" in file.columns:
        raise BadSqlFile(f"{file.name} has the column user_id: rows of listeners never go into a label's file")


def _sections(header: list[str], name: str) -> tuple[str, dict[str, list[str]]]:
    description: list[str] = []
    sections: dict[str, list[str]] = {}
    into = description
    for line in header:
        found = None if line.startswith("   ") else _SECTION.match(line.strip())
        if found and found["name"] in sections:
            raise BadSqlFile(f"{name}: the header has the section {found['name']!r} twice. Put the two together")
        if found and found["name"] in _KNOWN:
            into = sections[found["name"]] = [found["value"]] if found["value"] else []
        elif found and (sections or not found["value"] or did_you_mean(found["name"], _KNOWN)):
            raise BadSqlFile(
                f"{name}: the header has a section {found['name']!r}; known: {', '.join(_KNOWN)}."
                + did_you_mean(found["name"], _KNOWN)
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
    """Read every staging, intermediate and mart file, each after the files it reads from."""
    if not folder.is_dir():
        raise BadSqlFile(f"{folder} does not exist, and holds every table's query. Install recsys again")
    found = {
        f"{layer}.{path.stem}": read_sql_file(path, f"{layer}.{path.stem}")
        for layer in LAYERS
        for path in sorted((folder / layer).glob("*.sql"))
    }
    for file in found.values():
        missing = sorted(source for source in file.sources if not source.startswith("raw.") and source not in found)
        if missing:
            raise BadSqlFile(f"{file.name} reads {missing[0]}, which has no file.{did_you_mean(missing[0], found)}")
    graph = {name: sorted(file.needs & found.keys()) for name, file in found.items()}
    try:
        return {name: found[name] for name in TopologicalSorter(graph).static_order()}
    except CycleError as cycle:
        raise BadSqlFile(f"These tables read each other in a circle: {' -> '.join(cycle.args[1])}") from cycle


def with_sources(layers: dict[str, SqlFile], names: Iterable[str]) -> dict[str, SqlFile]:
    """Return these tables and all that they stand on, in the order of `layers`; raises BadSqlFile for one not there."""
    wanted: set[str] = set()
    waiting = set(names)
    for name in sorted(waiting - layers.keys()):
        raise BadSqlFile(f"There is no table {name!r} in sql/.{did_you_mean(name, layers)}")
    while waiting:
        wanted |= waiting
        waiting = set().union(*(layers[name].needs & layers.keys() for name in waiting)) - wanted
    return {name: file for name, file in layers.items() if name in wanted}


def steps_below(layers: dict[str, SqlFile], names: Iterable[str]) -> dict[str, SqlFile]:
    """Return the intermediate steps that these tables read, and the steps below those, in the order of `layers`."""
    steps: set[str] = set()
    waiting = set(names)
    while waiting:
        sources = set[str]().union(*(layers[name].needs for name in waiting))
        waiting = {source for source in sources if source.startswith("intermediate.")} - steps
        steps |= waiting
    return {name: file for name, file in layers.items() if name in steps}


def kinds_of(layers: dict[str, SqlFile]) -> dict[str, str]:
    """
    Return what each file is while a warehouse is built: 'table' or 'view'.

    Staging is views, and so is every step below a day-grain table, which fills from them a few days at a time: a filter
    on days then reaches the log. Other steps are computed once, however many tables read them.
    """
    streamed = with_sources(layers, [file.name for file in layers.values() if file.incremental])
    return {
        name: "view" if file.layer == "staging" or (file.layer == "intermediate" and name in streamed) else "table"
        for name, file in layers.items()
    }


def read_queries(folder: Path = SQL_FOLDER) -> dict[str, SqlFile]:
    """Read every query for people, by name."""
    return {path.stem: read_sql_file(path, path.stem) for path in sorted((folder / "queries").glob("*.sql"))}


def read_internal(folder: Path = SQL_FOLDER) -> dict[str, SqlFile]:
    """Read every question of the program's own (see `warehouse.internal`), as `internal.<name>`."""
    names = [f"internal.{path.stem}" for path in sorted((folder / "internal").glob("*.sql"))]
    return {name: read_sql_file(folder / f"{name.replace('.', '/')}.sql", name) for name in names}


def raw_sources(name: str, layers: dict[str, SqlFile]) -> set[str]:
    """Return the raw tables that a table stands on, however many steps below."""
    direct = layers[name].sources
    below = (raw_sources(source, layers) for source in direct if source in layers)
    return {source for source in direct if source.startswith("raw.")}.union(*below)


def quoted(path: Path | str) -> str:
    """Return a path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
