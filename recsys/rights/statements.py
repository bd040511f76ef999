"""
Statements: what an owner of works gets for a month, and the plays behind it.

A statement is a view of listening, so it passes the disclosure test of labels' figures (`recsys.ledger.cells`), with
its plays and with its amounts, to which listeners contribute in other proportions: works that fail either are summed as
other works, and plays are left out where all works of an owner fail it together. Amounts are summed with the same
works; their total is what the owner is paid. Owners who get nothing have no statement. `recsys.rights.audit` attacks
what they say.

Statements of a month are written once, to the ledger of labels' figures, when the month is closed; later calls return
them as they were. The operator's exact account is `recsys.rights.royalties`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from recsys.columns import schema
from recsys.errors import InputError
from recsys.files import new_folder
from recsys.ledger.cells import does_pass, partition_cells, summed_listeners
from recsys.ledger.lines import PLAYS, STATEMENTS_COLUMNS, Lines
from recsys.ledger.settings import LabelSettings
from recsys.ledger.store import Ledger
from recsys.rights.owned_plays import MEASURES, OwnedPlays
from recsys.rights.royalties import DISPUTED, UNCLAIMED, Model, Pot, Registry, owners_in, royalties
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

_SCHEMA = schema(STATEMENTS_COLUMNS)
_OPERATORS = (UNCLAIMED, DISPUTED)
_CURRENCY = re.compile("[A-Z]{3}")


def close_month(
    ledger: Ledger, warehouse: Warehouse, pot: Pot, *, model: Model, currency: str, settings: LabelSettings
) -> pl.DataFrame:
    """
    Return the statements of a month, and write them to the ledger unless they are there.

    Args:
        ledger: The ledger; the caller must hold the lock of its home.
        warehouse: The published warehouse.
        pot: The money.
        model: How it is divided.
        currency: ISO 4217 code.
        settings: The disclosure test.

    Returns:
        Rows of STATEMENTS_COLUMNS.

    Raises:
        InputError: The currency is no ISO 4217 code; the month is not closed yet, has no plays, or was closed for
            another right, currency, model or pot: two statements of the same plays could be subtracted.
    """
    if not _CURRENCY.fullmatch(currency):
        raise InputError("The currency is no ISO 4217 code. Give three capital letters, such as EUR")
    ((as_of,),) = warehouse.query(internal_sql("as_of")).rows()
    _refuse_open(pot, as_of, settings)
    requested = {"right_type": pot.right_type, "currency": currency, "model": model, "pot": pot.amount}
    known = ledger.read().statements.filter(month=pot.month)
    if other := [name for name, value in requested.items() if (known[name] != value).any()]:
        raise InputError(
            f"The month of {pot.month:%Y-%m} was closed with another {', '.join(other)}. A month is stated once: "
            "ask for the same again"
        )
    if known.is_empty():
        made = statements(Registry.read(warehouse, pot), pot, model, settings)
        fixed = requested | {"month": pot.month, "closed_on": as_of}
        made_lines = made.with_columns(pl.lit(value).alias(name) for name, value in fixed.items())
        known = made_lines.select(_SCHEMA.names()).cast(_SCHEMA)
        entry = f"statements-{pot.month:%Y%m}-{pot.right_type}-{currency}"
        ledger.append(entry, Lines.of({"owner_statements": known}))
    return known


def _refuse_open(pot: Pot, as_of: date, settings: LabelSettings) -> None:
    """Raise InputError unless the published data go on long enough after the month."""
    needed = pot.last_day + timedelta(days=settings.close_days)
    if as_of < needed:
        raise InputError(
            f"The month of {pot.month:%Y-%m} is not closed: the published data end on {as_of}, expected {needed} or "
            "later. Publish newer data: recsys nightly"
        )


def statements(registry: Registry, pot: Pot, model: Model, settings: LabelSettings) -> pl.DataFrame:
    """Return the lines of all owners: owner, work_key (null: other works), n_plays, amount."""
    paid = royalties(registry, pot, model).filter(~pl.col("owner").is_in(_OPERATORS), pl.col("amount") > 0)
    owned = OwnedPlays.of(registry, paid["owner"].unique(), model)
    of_owners, of_items = owned.of_owners(), {measure: owned.of_items(measure) for measure in MEASURES}
    passing = {measure: _passing(of_owners, measure, settings) for measure in MEASURES}
    passed = {measure: of_items[measure].join(passing[measure], on="owner", how="semi") for measure in MEASURES}
    lines = owned.items.with_columns(line=pl.when(_is_named(owned, passed, settings)).then("work_key"))
    amounts = (
        paid.join(lines, on=["owner", "work_key"], how="left").group_by("owner", "line").agg(pl.col("amount").sum())
    )
    n_plays = of_items[PLAYS]["value"].cast(pl.Int64)
    heard_lines = lines.with_columns(n_plays=n_plays).join(passing[PLAYS], on="owner", how="semi")
    plays = heard_lines.group_by("owner", "line").agg(pl.col("n_plays").sum())
    stated = amounts.join(plays, on=["owner", "line"], how="full", coalesce=True, nulls_equal=True)
    rows = stated.select("owner", "n_plays", pl.col("amount").fill_null(0), work_key="line")
    return rows.sort("owner", "work_key", nulls_last=True)


def _passing(of_owners: pl.DataFrame, measure: str, settings: LabelSettings) -> pl.DataFrame:
    """Return the owners whose works pass the test together."""
    sums = summed_listeners(of_owners.select("owner", "user_id", value=measure), ["owner"])
    return sums.filter(does_pass(settings)).select("owner")


def _is_named(owned: OwnedPlays, cells: Mapping[str, pl.DataFrame], settings: LabelSettings) -> pl.Series:
    """
    Return for each item whether it has a line of its own.

    They are the named cells of a partition of the plays, and of one of the amounts. All others pass the test together,
    as they are the cells of others and some that pass by themselves.

    Args:
        owned: Who listened.
        cells: For each measure, the sums of the items of owners that pass the test.
        settings: The test.
    """
    n_partitions = np.zeros(len(owned.items), np.int8)
    for measure, of_measure in cells.items():
        parts = partition_cells(of_measure, partial(owned.rows_in, measure=measure), ["owner"], settings)
        n_partitions[parts["cell"].drop_nulls().to_numpy()] += 1
    return pl.Series(n_partitions == len(cells))


def listening(registry: Registry, model: Model) -> pl.DataFrame:
    """
    Return who listened to each owner's works, in the territories in which it owns them.

    Args:
        registry: Plays, works and owners.
        model: How the pot is divided.

    Returns:
        owner, work_key, territory, user_id, n_plays (as statements count them), and amount, what the owner is paid for
        them (float, in parts of the pot that are not scaled: of the plays, or of the listeners).
    """
    n_works = registry.works.group_by("track_id").agg(n_works=pl.len())
    earned = pl.col(PLAYS) / pl.col(PLAYS).sum().over("user_id") if model == "user_centric" else pl.col(PLAYS)
    played = registry.plays.with_columns(earned=earned).join(registry.works, on="track_id").join(n_works, on="track_id")
    places = played.select("work_key", "territory").unique()
    owned = owners_in(places, registry.owners).filter(pl.col("weight") > 0)
    of_owners = played.join(owned, on=["work_key", "territory"])
    amount = (pl.col("earned") * pl.col("weight") / pl.col("n_works")).sum()
    return of_owners.group_by("owner", "work_key", "territory", "user_id").agg(pl.col(PLAYS).sum(), amount=amount)


def refuse_existing(folder: Path) -> None:
    """Raise InputError if the folder for statements exists."""
    if folder.exists():
        raise InputError(f"{folder} exists. Name a folder that does not: statements never replace others")


def write_statements(
    rows: pl.DataFrame, folder: Path, make_pdf: Callable[[pl.DataFrame], bytes] | None = None
) -> list[Path]:
    """
    Write a CSV file per owner into a new folder, and a PDF file of the same name beside it.

    Args:
        rows: Rows of STATEMENTS_COLUMNS.
        folder: The folder to make, which must not exist.
        make_pdf: Returns the PDF file of an owner's rows; None for CSV alone.

    Returns:
        The CSV files, in the order of owners; `owners.csv` says which file is whose.
    """
    refuse_existing(folder)
    of_owners = rows.sort("owner", maintain_order=True).partition_by("owner", maintain_order=True)
    files = [f"statement-{number:06d}.csv" for number in range(1, len(of_owners) + 1)]
    with new_folder(folder) as made:
        for lines, file in zip(of_owners, files, strict=True):
            lines.drop("pot").write_csv(made / file)
            if make_pdf:
                (made / file).with_suffix(".pdf").write_bytes(make_pdf(lines))
        owners = [lines["owner"][0] for lines in of_owners]
        pl.DataFrame({"owner": owners, "file": files}, {"owner": pl.String, "file": pl.String}).write_csv(
            made / "owners.csv"
        )
    return [folder / file for file in files]
