"""
Definitions of metrics: `sql/metrics/<name>.sql`, each one formula over the measures of one file of `sql/facts`.

A row of facts has dimensions and measures. A measure is a column with a unit, and can be added up. A formula is applied
to sums of measures, so a ratio is one of sums and never a mean of ratios. Facts about listeners also have the measure
n_listeners, which is counted: distinct listeners of a group with a weight above 0.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recsys.errors import BadSqlFile, InputError, UnknownIds, did_you_mean
from recsys.installation.paths import SQL_FOLDER
from recsys.warehouse.sqlfile import ColumnDoc, SqlFile, read_sql_file

LISTENERS = "n_listeners"
PERIODS = ("day", "week", "month")  # a metric is grouped by at most one of them
WHOLE = ("count", "ms")  # units of measures that are whole numbers
_NO_DIMENSIONS = {"user_id", "day"}
_QUERY = re.compile(r"^select\s+(?P<formula>.+)\s+as\s+(?P<name>\w+)\s+from\s+(?P<facts>\w+)$", re.DOTALL)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, eq=False)
class Metric:
    """
    A metric.

    Attributes:
        name: Its name, also that of its column.
        description: What it is and when it misleads, in one to three sentences.
        doc: Numerator and denominator in words, and the unit.
        formula: An SQL expression over `measures`.
        facts: The query whose rows are added up.
    """

    name: str
    description: str
    doc: ColumnDoc
    formula: str
    facts: SqlFile

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures in the formula, in its order."""
        known = {*_measures(self.facts), *((LISTENERS,) if self.is_on_listeners else ())}
        return tuple(dict.fromkeys(word for word in _WORD.findall(self.formula) if word in known))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What it can be grouped by, periods first."""
        documented = self.facts.columns
        periods = PERIODS if self.has_days else ()
        return periods + tuple(name for name, doc in documented.items() if not doc.unit and name not in _NO_DIMENSIONS)

    @property
    def has_days(self) -> bool:
        """Whether the facts have days; otherwise they are of the current release."""
        return "day" in self.facts.columns

    @property
    def is_on_listeners(self) -> bool:
        """Whether the facts are about listeners, so that small groups must be merged."""
        return "user_id" in self.facts.columns

    @property
    def meaning(self) -> str:
        """Numerator and denominator in words, with the unit in brackets, as a page shows it."""
        return f"{self.doc.meaning} [{self.doc.unit}]"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its values, as SQL: the measures of the formula, unless it is one of them, and the value."""
        value = f"{self.formula} as {self.name}"
        return (value,) if self.measures == (self.formula,) else (*self.measures, value)

    def require_dimensions(self, names: Iterable[str]) -> None:
        """Raise InputError unless it can be grouped by all of these."""
        for name in names:
            if name not in self.dimensions:
                raise InputError(
                    f"{self.name} has no dimension {name!r}; expected some of {', '.join(self.dimensions)}."
                    + did_you_mean(name, self.dimensions)
                )

    def require_filters(self, names: Collection[str]) -> None:
        """Raise InputError unless it can be filtered by all of these; periods are filtered by first and last day."""
        self.require_dimensions(names)
        if periods := sorted(set(names) & set(PERIODS)):
            raise InputError(f"{periods[0]} is no filter. Give the first and the last day")


def split(by: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return the period in `by`, None for the whole time, and the other dimensions; InputError if one is repeated."""
    periods = [name for name in by if name in PERIODS]
    if len(periods) > 1 or len(set(by)) < len(by):
        raise InputError(f"By {', '.join(by)}; expected each dimension once, and at most one of {', '.join(PERIODS)}")
    return (periods[0] if periods else None), tuple(name for name in by if name not in PERIODS)


def _measures(facts: SqlFile) -> tuple[str, ...]:
    return tuple(name for name, doc in facts.columns.items() if doc.unit and name != "weight")


@cache
def metrics(folder: Path = SQL_FOLDER) -> dict[str, Metric]:
    """Read every metric of `sql/metrics`, by name; raises BadSqlFile if one is not a formula over known measures."""
    facts = {path.stem: read_sql_file(path, f"facts.{path.stem}") for path in sorted((folder / "facts").glob("*.sql"))}
    return {path.stem: _metric(path, facts) for path in sorted((folder / "metrics").glob("*.sql"))}


def _metric(path: Path, facts: dict[str, SqlFile]) -> Metric:
    file = read_sql_file(path, path.stem)
    found = _QUERY.match(file.query)
    if found is None or found["name"] != file.name or file.name not in file.columns or found["facts"] not in facts:
        raise BadSqlFile(
            f"metrics.{file.name}: expected a header with the column {file.name}, and `select FORMULA as {file.name} "
            f"from FACTS`, where FACTS is one of {', '.join(facts)}"
        )
    read = Metric(file.name, file.description, file.columns[file.name], found["formula"], facts[found["facts"]])
    if not read.measures:
        raise BadSqlFile(f"metrics.{file.name}: the formula names no measure of sql/facts/{found['facts']}.sql")
    return read


def metric_of(name: str) -> Metric:
    """Return a metric; raises UnknownIds if there is none of this name."""
    if name not in metrics():
        raise UnknownIds.of("metric", [name], metrics(), "sql/metrics")
    return metrics()[name]
