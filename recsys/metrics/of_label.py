"""
Values of a metric from a label's file, where the ledger's lines are all there is.

The lines are closed by measure: their periods may be longer than a week, and the groups that are merged into others may
differ. A formula of several measures is therefore applied to the groups that have all of them, and never to others.
"""

from datetime import date

import polars as pl

from recsys.errors import InputError
from recsys.metrics.definitions import LISTENERS, Metric
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, stored_tables

_DIMENSIONS = {"artist_id": "artist", "track_id": "recording"} | {
    name: name for name in ("country", "age_band", "gender")
}
_LINES = ("n_plays", "n_skips", "n_likes", "n_saves", "n_playlist_adds", "ms_played", LISTENERS)
_LISTENERS_BY = ("week", "artist")  # dimensions of which the ledger counts listeners


def is_of_label(warehouse: Warehouse) -> bool:
    """Return whether a warehouse file is that of a label."""
    return "meta.label" in stored_tables(warehouse)


def label_values(
    warehouse: Warehouse,
    metric: Metric,
    period: str | None,
    dimensions: tuple[str, ...],
    days: tuple[date | None, date | None],
) -> pl.DataFrame:
    """
    Return the values of a metric from a label's file.

    Args:
        warehouse: The file.
        metric: The metric.
        period: week, day (of the total alone), or None for all closed weeks together.
        dimensions: At most one.
        days: First and last day, both inclusive; None for the first or last of the ledger.

    Returns:
        from_day and to_day if there is a period; the dimension; the measures of the formula; and the value.

    Raises:
        InputError: The ledger has no such figures.
    """
    lines: dict[str, object] = {
        "dimension": _dimension(metric, period, dimensions),
        "measures": list(metric.measures),
        "from": str(days[0] or ""),
        "to": str(days[1] or ""),
    }
    return warehouse.query(_values(metric, period, dimensions), lines)


def _values(metric: Metric, period: str | None, dimensions: tuple[str, ...]) -> str:
    """Return the query of the metric's values, with the parameters of sql/internal/label_cells.sql."""
    keys = ["from_day", "to_day"] if period else []
    groups = [f"cell as {name}" for name in dimensions]
    has_all = " and ".join(f"{name} is not null" for name in metric.measures) if len(metric.measures) > 1 else "true"
    is_named = "cell is not null" if dimensions and len(metric.measures) > 1 else "true"
    sums = [
        f"case when count({name}) = count(*) then cast(sum({name}) as bigint) end as {name}" for name in metric.measures
    ]
    by = ", ".join([*keys, *groups, f"{'from_day' if period else 0} as period"])
    shown, cells = [*keys, *dimensions], internal_sql("label_cells")
    order = f"order by {', '.join(f'{name} asc nulls last' for name in shown)}" if shown else ""
    return (
        f"with cells as ({cells}), sums as (select {by}, {', '.join(sums)} from cells "
        f"where {has_all} and {is_named} group by all having count(*) > 0) "
        f"select {', '.join([*shown, *metric.columns])} from sums {order}"
    )


def _dimension(metric: Metric, period: str | None, dimensions: tuple[str, ...]) -> str:
    """Return the dimension of the ledger that has the lines; raises InputError if none has."""
    if not set(metric.measures) <= set(_LINES):
        raise InputError(f"The file of a label does not have {metric.name}: the ledger of labels has no such figures")
    if period not in ("week", "day", None) or len(dimensions) > 1 or (period == "day" and dimensions):
        raise InputError("The figures of a label are by day, or by week and at most one other dimension")
    found = [_DIMENSIONS[name] for name in dimensions if name in _DIMENSIONS]
    if len(found) < len(dimensions):
        raise InputError(f"The figures of a label are not by {dimensions[0]}; expected one of {', '.join(_DIMENSIONS)}")
    dimension = found[0] if found else period or "week"
    if LISTENERS in metric.measures and (dimension not in _LISTENERS_BY or period is None):
        raise InputError(
            f"{metric.name} counts listeners, which a label's file has by week, and by week and artist_id, alone: "
            "those of several weeks must not be added up. Group by week, too"
        )
    return dimension
