"""Attack the figures that labels see in the current release, and owners' statements (see `recsys.ledger.audit`)."""

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
from recsys.ledger.store import Ledger
from recsys.rights.audit import attacks_on_statements
from recsys.rights.royalties import Pot, Registry
from recsys.rights.statements import listening
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


def audit_owners(home: Home, owners: Sequence[str]) -> list[Attack]:
    """
    Return the attacks on every small group of the listeners of some owners, if they know each other's statements.

    The groups are found in the plays of the months that the warehouse has now, late ones included.

    Raises:
        UnknownIds: An owner has no statement.
    """
    stated = Ledger(home).read().statements
    if missing := sorted(set(owners) - set(stated["owner"])):
        raise UnknownIds.of("owner with statements", missing, stated["owner"].unique().to_list(), "the ledger")
    of_owners = stated.filter(pl.col("owner").is_in(owners))
    found: list[Attack] = []
    with Warehouse.open(home.published_warehouse()) as warehouse:
        for (month, right, model, pot), lines in of_owners.group_by("month", "right_type", "model", "pot"):
            money = Pot(month, pot, right)
            heard = listening(Registry.read(warehouse, money), model)
            found += attacks_on_statements(lines, heard, (month, money.last_day))
    return found


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
