"""
Values of a metric: SQL adds up its facts by group, small groups are merged, and the formula is applied to the sums.

Groups are merged as in the ledger of labels (`recsys.ledger.cells`): every group that is shown, and the difference
between a total and any of them, has enough listeners, of whom no two make most of it. First the whole time is divided
into periods, then each period into groups. What is merged is one row, all others together, whose dimensions are null,
so that the sums of all rows are the true totals. A total that fails the test has no row at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from recsys.errors import InputError
from recsys.ledger.cells import does_pass, partition, summed
from recsys.ledger.settings import LabelSettings
from recsys.metrics.definitions import LISTENERS, WHOLE, Metric, metric_of, split
from recsys.metrics.of_label import is_of_label, label_values
from recsys.warehouse.query import Warehouse

_ROWS = ["period", "cell", "user_id", "value"]


@dataclass(frozen=True)
class Filters:
    """
    Which facts count.

    Attributes:
        first: First day; None is the first of the log.
        last: Last day; None is the last of the log.
        where: Dimension -> the value that it must have.
    """

    first: date | None = None
    last: date | None = None
    where: Mapping[str, str] = field(default_factory=dict)


ALL, _TEST = Filters(), LabelSettings()


def metric(
    warehouse: Warehouse,
    name: str,
    by: Sequence[str] = (),
    filters: Filters = ALL,
    settings: LabelSettings = _TEST,
) -> pl.DataFrame:
    """
    Return the values of a metric from a warehouse file, that of the operator or of a label.

    Args:
        warehouse: The published warehouse, or the file of a label, which alone is then read.
        name: Name of the metric.
        by: Dimensions, at most one of day, week and month among them; none for one value.
        filters: Which facts count.
        settings: The disclosure test. The figures in a label's file have passed theirs already.

    Returns:
        The columns `by`, the measures of the formula, and the value, named like the metric, sorted by `by`. Null
        dimensions are all others together; 'unknown' is a group of its own. A period is its first day; for a label it
        is given by from_day and to_day. No rows if there are no facts, or too few listeners behind all of them.

    Raises:
        UnknownIds: There is no such metric.
        InputError: The metric has no such dimension, cannot be filtered like this, or a label's file lacks its figures.
    """
    definition = metric_of(name)
    definition.require_dimensions(by)
    definition.require_filters(filters.where)
    period, dimensions = split(by)
    if not definition.has_days and (filters.first or filters.last):
        raise InputError(f"{name} is one of the current release and has no days. Leave out the first and last day")
    if is_of_label(warehouse):
        if filters.where:
            raise InputError("The figures of a label can be filtered by days alone. Group by the dimension instead")
        return label_values(warehouse, definition, period, dimensions, (filters.first, filters.last))
    return _values(warehouse, _Groups(definition, period, dimensions, filters), settings)


@dataclass(frozen=True)
class _Groups:
    """The facts of a metric by group, as SQL: `keyed` rows have a period and a cell, the key of their group."""

    metric: Metric
    period: str | None
    dimensions: tuple[str, ...]
    filters: Filters

    @property
    def keyed(self) -> str:
        """CTEs up to `keyed`, the facts that count."""
        period = f"cast(date_trunc('{self.period}', day) as date)" if self.period else "'whole'"
        cell = f"concat_ws(chr(31), {', '.join(self.dimensions)})" if self.dimensions else "''"
        tests = [f"{name} = $where_{name}" for name in self.filters.where]
        tests += ["day >= $first"] if self.filters.first else []
        tests += ["day <= $last"] if self.filters.last else []
        return (
            f"with facts as ({self.metric.facts.query}), keyed as (select *, {period} as period, {cell} as cell "
            f"from facts where {' and '.join(tests) or 'true'})"
        )

    @property
    def params(self) -> dict[str, object]:
        """The parameters of `keyed`."""
        days = {"first": self.filters.first, "last": self.filters.last}
        values = {f"where_{name}": value for name, value in self.filters.where.items()}
        return values | {name: day for name, day in days.items() if day}

    @property
    def listeners(self) -> str:
        """The query of what each listener makes of each group."""
        return (
            f"{self.keyed} select cast(period as varchar) as period, cell, user_id, sum(weight) as value "
            "from keyed group by all"
        )

    def values(self, table: str) -> str:
        """Return the query of the metric's values, of the rows in one of the CTEs."""
        sums = ", ".join(_sum(self.metric, name) for name in self.metric.measures)
        by = ", ".join(["period", *self.dimensions])
        shown = [f"period as {self.period}"] if self.period else []
        columns = ", ".join([*shown, *self.dimensions, *self.metric.columns])
        order = ", ".join(f"{name} asc nulls last" for name in ("period", *self.dimensions))
        return f"sums as (select {by}, {sums} from {table} group by {by}) select {columns} from sums order by {order}"

    @property
    def merged(self) -> str:
        """CTEs up to `merged`, where the dimensions of groups that $periods and $cells do not name are null."""
        in_cells = "concat_ws(chr(31), coalesce(cast(period as varchar), ''), cell) in (select unnest($cells))"
        named = [f"case when {in_cells} then {name} end as {name}" for name in self.dimensions]
        replaced = f"* replace ({', '.join(named)})" if named else "*"
        return (
            f"{self.keyed}, dated as (select * replace (case when cast(period as varchar) in (select unnest($periods)) "
            f"then period end as period) from keyed), merged as (select {replaced} from dated)"
        )


def _sum(metric: Metric, measure: str) -> str:
    """Return the expression that adds up a measure; listeners are counted."""
    if measure == LISTENERS:
        return f"count(distinct case when weight > 0 then user_id end) as {LISTENERS}"
    is_whole = metric.facts.columns[measure].unit in WHOLE
    return f"{f'cast(sum({measure}) as bigint)' if is_whole else f'sum({measure})'} as {measure}"


def _values(warehouse: Warehouse, groups: _Groups, settings: LabelSettings) -> pl.DataFrame:
    if not groups.metric.is_on_listeners:
        return warehouse.query(f"{groups.keyed}, {groups.values('keyed')}", groups.params)
    rows = warehouse.query(groups.listeners, groups.params).select(_ROWS)
    periods = _named(rows.with_columns(pl.lit("whole").alias("period"), cell="period"), settings)["cell"]
    is_named = pl.col("period").is_in(periods.implode())
    within = rows.with_columns(period=pl.when(is_named).then("period").otherwise(pl.lit("")))
    cells = _named(within, settings).select(pl.concat_str("period", "cell", separator="\x1f")).to_series()
    named = groups.params | {"periods": periods.to_list()} | ({"cells": cells.to_list()} if groups.dimensions else {})
    values = warehouse.query(f"{groups.merged}, {groups.values('merged')}", named)
    return values if _is_safe(rows, settings) else values.clear()


def _is_safe(rows: pl.DataFrame, settings: LabelSettings) -> bool:
    """Return whether the total of all rows passes the test."""
    total = summed(rows.filter(pl.col("value") > 0).with_columns(whole=pl.lit(1)), ["whole"])
    return not total.filter(does_pass(settings)).is_empty()


def _named(rows: pl.DataFrame, settings: LabelSettings) -> pl.DataFrame:
    """
    Return the period and cell of the groups that may be shown.

    Rows without a weight, such as skips of listeners who played nothing, are behind no group that passes. Where they
    alone would be all others of a period, the smallest of its groups joins them.
    """
    parts = partition(rows.filter(pl.col("value") > 0), ["period"], settings)
    named = parts.filter(pl.col("cell").is_not_null())
    left = rows.join(named, on=["period", "cell"], how="anti").join(
        parts.filter(pl.col("cell").is_null()), on="period", how="anti"
    )
    smallest = named.join(left, on="period", how="semi").sort("period", "n_listeners", "value", "cell")
    joined = smallest.unique("period", keep="first", maintain_order=True)
    return named.join(joined, on=["period", "cell"], how="anti").select("period", "cell")
