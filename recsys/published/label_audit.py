"""Attack the figures that labels see in the current release (see `recsys.ledger.audit`)."""

from collections.abc import Iterator, Sequence

import polars as pl

from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ledger.audit import Attack, audit
from recsys.ledger.audit_beside import attacks_on_lists, attacks_on_overlaps
from recsys.ledger.blocks import rows_by_day
from recsys.ledger.lines import MEASURES
from recsys.ledger.loyalty import with_loyalty
from recsys.ledger.overlap import N_FAVOURITES
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def audit_labels(home: Home, label_ids: Sequence[str]) -> list[Attack]:
    """
    Return the attacks on every small group of some labels' listeners, if the labels know each other's figures.

    The groups are found in all rows of the recordings that are the labels' now, late ones included; their ranges come
    from the lines. Of lists, those of the current release are attacked.

    Raises:
        UnknownIds: No line is a label's.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        figures = _of_labels(warehouse, internal_sql("figures_of_label"), label_ids)
        if missing := set(label_ids) - set(figures["label_id"]):
            known = warehouse.query(internal_sql("labels"))["label_id"].to_list()
            raise UnknownIds.of("label with figures", sorted(missing), known, "the current release")
        return list(_attacks(warehouse, figures, label_ids))


def _of_labels(warehouse: Warehouse, sql: str, label_ids: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a query for each label."""
    return pl.concat(warehouse.query(sql, {"label": label_id}) for label_id in dict.fromkeys(label_ids))


def _attacks(warehouse: Warehouse, figures: pl.DataFrame, label_ids: Sequence[str]) -> Iterator[Attack]:
    rows = _of_labels(warehouse, internal_sql("plays_of_label"), label_ids)
    days = warehouse.query(internal_sql("days_of_listeners")).lazy()
    for measure in MEASURES:
        of_measure = rows.filter(pl.col(measure) > 0)
        yield from audit(figures, with_loyalty(rows_by_day(figures, of_measure, measure), days), measure=measure)
    yield from attacks_on_overlaps(figures, _favourites(warehouse.query(internal_sql("monthly_plays"))))
    positions = _of_labels(warehouse, internal_sql("positions_of_label"), label_ids)
    yield from attacks_on_lists(figures, positions.drop("label_id"), positions.select("track_id", "label_id").unique())


def _favourites(plays: pl.DataFrame) -> pl.DataFrame:
    """Return the artists that count for each listener in each month, from plays by artist."""
    ranked = plays.sort("n_plays", "artist_id", descending=[True, False])
    return ranked.group_by("user_id", "to_day", maintain_order=True).head(N_FAVOURITES)
