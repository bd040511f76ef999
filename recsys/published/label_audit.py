"""Attack the figures that a label sees in the current release (see `recsys.ledger.audit`)."""

from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.ledger.audit import Attack, audit
from recsys.ledger.blocks import rows_by_day
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


def audit_label(home: Home, label_id: str) -> list[Attack]:
    """
    Return the attacks on every small group of a label's listeners.

    The groups are found in all rows of the recordings that are the label's now, late ones included; their ranges come
    from the lines.

    Raises:
        UnknownIds: No line is the label's.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        figures = warehouse.query(internal_sql("figures_of_label"), {"label": label_id})
        if figures.is_empty():
            known = warehouse.query(internal_sql("labels"))["label_id"].to_list()
            raise UnknownIds.of("label with figures", [label_id], known, "the current release")
        rows = warehouse.query(internal_sql("plays_of_label"), {"label": label_id})
    return list(audit(figures, rows_by_day(figures, rows)))
