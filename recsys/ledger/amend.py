"""What an operator may do to the ledger: withhold a period, and start anew after a loss."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from recsys.columns import schema
from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.ledger.lines import CLOSINGS_COLUMNS, VOIDS_COLUMNS, Lines, published
from recsys.ledger.store import Ledger


def void_period(home: Home, label_id: str, first: date, last: date) -> int:
    """
    Withhold a label's figures of all periods that overlap some days; they never get second values.

    Returns:
        Number of lines that are withheld because of it.

    Raises:
        UnknownIds: The ledger has no line of this label.
        InputError: The last day is before the first.
    """
    if last < first:
        raise InputError(f"Found a period from {first} to {last}, expected a last day that is not before the first")
    ledger = Ledger(home)
    lines = ledger.read()
    known = lines.figures["label_id"].unique().to_list()
    if label_id not in known:
        raise UnknownIds.of("label", [label_id], known, "the ledger")
    added = pl.DataFrame([(label_id, first, last)], schema(VOIDS_COLUMNS), orient="row")
    voided = Lines.of({"label_voids": added})
    ledger.append("void", voided)
    n_before, n_after = (int(published(of)["is_withheld"].sum()) for of in (lines, lines + voided))
    return n_after - n_before


def start_anew(home: Home, run_id: str, as_of: date, last_batch: int) -> tuple[date, Path | None]:
    """
    Set damaged entries aside, and start with the week after a release's last day: what is older is never counted.

    Args:
        home: The home.
        run_id: The current release's run.
        as_of: Its last day of data.
        last_batch: Largest batch number of the lake.

    Returns:
        The first day that may be counted, and the folder of the former entries, None if there were none.

    Raises:
        InputError: The ledger is not damaged.
    """
    ledger = Ledger(home)
    if _is_intact(ledger):
        raise InputError("The ledger is not damaged: nothing to do. To withhold a period: recsys labels void")
    aside = ledger.set_aside()
    last_day = as_of + timedelta(days=6 - as_of.weekday())
    closing = pl.DataFrame(
        [(1, run_id, as_of, last_day, last_batch, None, True)], schema(CLOSINGS_COLUMNS), orient="row"
    )
    ledger.append("restart", Lines.of({"label_closings": closing}))
    return last_day + timedelta(days=1), aside


def _is_intact(ledger: Ledger) -> bool:
    try:
        ledger.read()
    except InputError:
        return False
    return True
