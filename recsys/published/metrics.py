"""Values of a metric in the current release, for the operator or for one label."""

from collections.abc import Sequence

import polars as pl

from recsys.home import Home
from recsys.ledger.settings import LabelSettings
from recsys.metrics.read import ALL, Filters, metric
from recsys.releases import registry
from recsys.warehouse.query import Warehouse


def metric_of_home(
    home: Home,
    name: str,
    by: Sequence[str] = (),
    filters: Filters = ALL,
    *,
    settings: LabelSettings,
    label_id: str | None = None,
) -> pl.DataFrame:
    """
    Return the values of a metric in the current release (see `recsys.metrics.read.metric`).

    Args:
        home: The home.
        name: Name of the metric.
        by: Dimensions; none for one value.
        filters: Which facts count.
        settings: The disclosure test of the home's recipe.
        label_id: A label, whose file alone is read; None for the operator's warehouse.

    Raises:
        UnknownIds: There is no such metric.
        InputError: As in `recsys.metrics.read.metric`.
        SetupError: There is no release, or it has no file of this label.
    """
    path = home.published_warehouse() if label_id is None else registry.label_warehouse(home, label_id)
    with Warehouse.open(path) as warehouse:
        return metric(warehouse, name, by, filters, settings)
