"""Attack the figures that labels see in the current release (see `recsys.ledger.audit`)."""

from collections.abc import Sequence

import polars as pl

from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ledger.audit import Attack, audit
from recsys.ledger.blocks import rows_by_day
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def audit_labels(home: Home, label_ids: Sequence[str]) -> list[Attack]:
    """
    Return the attacks on every small group of some labels' listeners, if the labels know each other's figures.

    The groups are found in all rows of the recordings that are the labels' now, late ones included; their ranges come
    from the lines.

    Raises:
        UnknownIds: No line is a label's.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        tables = [
            [warehouse.query(sql, {"label": label_id}) for label_id in dict.fromkeys(label_ids)]
            for sql in (internal_sql("figures_of_label"), internal_sql("plays_of_label"))
        ]
        figures, rows = (pl.concat(of_labels) for of_labels in tables)
        if missing := set(label_ids) - set(figures["label_id"]):
            known = warehouse.query(internal_sql("labels"))["label_id"].to_list()
            raise UnknownIds.of("label with figures", sorted(missing), known, "the current release")
    return list(audit(figures, rows_by_day(figures, rows)))
