"""
What is on a page, with all figures as texts; the template only places it.

Lists are as long as the page has room for, so that it stays one page: N_CARDS, tables of
N_ROWS, shares of N_GROUPS, lists of N_NAMES.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from recsys.reports.one_page.curve import Curve

N_CARDS = 7
N_ROWS = 10  # of a table
N_GROUPS = 6  # of a list of shares
N_NAMES = 3  # of chart positions and of new matches
LONGEST = 200  # greatest length of a text [characters]; the template shortens to the width


@dataclass(frozen=True)
class Card:
    """
    One total.

    Attributes:
        name: What is counted.
        value: The figure, or why there is none.
        change: Relative change since the period before; '' if unknown.
        period: Days that it covers.
        longer: The figure of a longer period; '' if there is none.
    """

    name: str
    value: str
    change: str = ""
    period: str = ""
    longer: str = ""


@dataclass(frozen=True)
class Table:
    """
    Rows of texts.

    Attributes:
        title: Title above the table.
        headings: Names of the columns.
        rows: The first column is as wide as the space that the others leave, and one line long.
        nothing: Text if there are no rows.
        note: What the figures cover.
        texts: Further columns that hold names and not figures, by their position.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    nothing: str
    note: str = ""
    texts: Sequence[int] = ()


@dataclass(frozen=True)
class Shares:
    """Groups with their share, 0..1, drawn as bars; `nothing` is the text if there are none."""

    title: str
    groups: Sequence[tuple[str, float, str]]
    nothing: str
    note: str = ""


@dataclass(frozen=True)
class OnePage:
    """
    The content of a report.

    Attributes:
        kind: 'Artist', 'Label' or 'Rights'.
        name: Name of the artist or the label, or what a notice is about.
        owner: The label's name on an artist's report; '' if there are several or none.
        reader: Whom the figures are for.
        last_day: Last day of the data, which also dates the file.
        cards: Totals, at most N_CARDS.
        curve: Plays over time; None if there are no figures, then `without_curve`, or nothing.
        tables: One or two tables, side by side.
        shares: Shares of groups, side by side.
        lists: Chart positions and new matches, side by side.
        notes: What the figures include, and what is left out.
    """

    kind: str
    name: str
    owner: str
    reader: str
    last_day: date
    cards: Sequence[Card]
    curve: Curve | None
    tables: Sequence[Table]
    shares: Sequence[Shares]
    lists: Sequence[Table]
    notes: Sequence[str]
    without_curve: str = "There are no figures yet."
