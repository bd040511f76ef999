"""
An owner's statement of a month as one page of PDF: the total, and the works that earned most.

Its figures are those of the lines of the statement and no others, since these have passed the disclosure test; names
and titles are those of the registry. The CSV file beside it has all lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import polars as pl

from recsys.reports.one_page.content import N_ROWS, Card, OnePage, Table
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

OTHER_WORKS, NO_TITLE = "other works", "title unknown"
ABOUT = "Other works are those that too few listeners played, and others that are summed with them."
RIGHTS = {
    "performing": "The performing right is that to play a work in public, which includes streaming it.",
    "mechanical": "The mechanical right is that to make copies of a work, which includes streams and downloads.",
    "synchronisation": "The synchronisation right is that to set moving pictures to a work.",
}
MODELS = {
    "pro_rata": ("pro rata", "Pro rata: each play of the month earns the same."),
    "user_centric": ("user-centric", "User-centric: each listener's equal part of the pot goes to what they played."),
}
_OTHER_DECIMALS = {  # ISO 4217: currencies by the decimals of their minor unit; all others have 2
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


@dataclass(frozen=True)
class Names:
    """Names of owners by their key, and titles of works by theirs; those that nobody states are missing."""

    owners: Mapping[str, str]
    titles: Mapping[str, str]

    @classmethod
    def read(cls, warehouse: Warehouse) -> Self:
        """Return the names of the registry."""
        rows = warehouse.query(internal_sql("statement_names"))
        owners, titles = (dict(rows.filter(kind=kind).select("id", "name").iter_rows()) for kind in ("owner", "work"))
        return cls(owners, titles)


def statement_page(lines: pl.DataFrame, names: Names) -> OnePage:
    """
    Return the page of one owner.

    Args:
        lines: The owner's rows of STATEMENTS_COLUMNS, at least one.
        names: Names of owners and titles of works.
    """
    first = lines.row(0, named=True)
    owner, currency = first["owner"], first["currency"]
    divided, about_model = MODELS[first["model"]]
    are_plays_known = lines["n_plays"].count() > 0
    return OnePage(
        kind="Rights",
        name=f"Statement of {first['month']:%Y-%m}",
        owner="",
        reader=f"{names.owners[owner]} ({owner})" if owner in names.owners else owner,
        last_day=first["closed_on"],
        cards=[
            Card("Amount", money(int(lines["amount"].sum()), currency), period=currency),
            Card("Plays", f"{lines['n_plays'].sum():,}" if are_plays_known else "not shown"),
            Card("Right", first["right_type"]),
            Card("Divided", divided),
        ],
        curve=None,
        tables=[_works(lines, names, currency)],
        shares=[],
        lists=[],
        notes=[RIGHTS[first["right_type"]], about_model, *([ABOUT] if lines["work_key"].null_count() else [])],
        without_curve="",
    )


def money(amount: int, currency: str) -> str:
    """Return an amount in minor units as a text in units of the currency, without its code."""
    n_decimals = next((number for number, codes in _OTHER_DECIMALS.items() if currency in codes), 2)
    whole, rest = divmod(amount, 10**n_decimals)
    return f"{whole:,}.{rest:0{n_decimals}}" if n_decimals else f"{whole:,}"


def _works(lines: pl.DataFrame, names: Names, currency: str) -> Table:
    """Return the lines with the largest amounts."""
    largest = lines.sort("amount", "work_key", descending=[True, False], nulls_last=True).head(N_ROWS)
    rows = [
        (
            names.titles.get(work_key, NO_TITLE) if work_key else OTHER_WORKS,
            work_key or "",
            "not shown" if n_plays is None else f"{n_plays:,}",
            money(amount, currency),
        )
        for work_key, n_plays, amount in largest.select("work_key", "n_plays", "amount").iter_rows()
    ]
    note = f"the largest {N_ROWS} of {lines.height:,} lines; the CSV file has all" if lines.height > N_ROWS else ""
    return Table("Works", ("Work", "Number", "Plays", f"Amount [{currency}]"), rows, "", note, texts=(1,))
