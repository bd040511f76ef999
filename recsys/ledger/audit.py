"""
An attack on the ledger: what labels can work out about few listeners from all their lines, and accounts of their own.

For each small group of listeners, the range of its plays is computed: the smallest and largest value that agrees with
the lines, less what is known of N_KNOWN accounts. The range must contain 0 and the plays of ten average listeners. A
group has the same value on one or several of AXES (a recording, a country and an age, or a source alone), and 1 to 9
listeners.

The rows that one period counts are a block (see `blocks`). Two facts make the attack on each block an attack on all
lines of all labels together; a test compares it with one linear programme over everything:

- **Blocks have no row in common**, as a row is counted once and for one label, and each line counts rows of one block.
  So the lines of one block do not limit another's values, and the range of a sum over several blocks (of a recording
  that has changed its label, of a week and its late rows, of labels that share a login or collude) is the sum of its
  parts' ranges. Sums of several labels' lines follow from the lines.
- **Within a block, each dimension is a partition.** Whatever agrees with some partitions can be spread over all others
  in proportion, so that only those narrow a group that it has a value of. Recordings partition their artist, so artists
  do not narrow it either. Likewise the others of a class can be spread in proportion: each dimension is reduced to the
  attacked class and the rest. A class is a named cell, or the others; a group in a class with more than one member may
  have none of its plays, and all of them. What is left is a table of k dimensions with two values each, whose sums are
  known: its cell has at most the smallest of the k sums, and at least what they exceed k - 1 times the total by.

What does not partition a block has attacks of its own: the shares of artists (`artist_tables`), and the lines of
overlap and of lists (`audit_beside`).

Each measure is attacked by itself. Hours limit plays, since a play has a shortest length, but only from above, as
nobody knows how much of them is short listens. Ten average listeners of a class of hours have at least as many hours as
their plays need, so that hours that are safe leave room for their plays as well.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from recsys.ledger.artist_tables import artist_tables
from recsys.ledger.audit_table import Table
from recsys.ledger.blocks import BLOCK, blocks, measured
from recsys.ledger.lines import PLAYS

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Attack:
    """
    The range of what a small group of listeners has, such as plays.

    Attributes:
        label_id: The label.
        measure: What is counted: a measure of lines.
        period: First and last day of the period.
        group: Axis and value, of each axis on which the group has one.
        n_listeners: Listeners of the group.
        low: Smallest value that agrees with the lines.
        high: Largest value.
        needed: What ten average listeners of the smallest class of the group have.
    """

    label_id: str
    measure: str
    period: tuple[object, ...]
    group: tuple[tuple[str, object], ...]
    n_listeners: int
    low: float
    high: float
    needed: float

    @property
    def excess(self) -> float:
        """By how much the range misses 0 or what ten average listeners have; negative or 0 if it contains both."""
        return max(self.low, self.needed - self.high)

    @property
    def is_safe(self) -> bool:
        """Whether the range contains 0 and what ten average listeners have."""
        return self.excess <= TOLERANCE


def audit(
    figures: pl.DataFrame, rows: pl.DataFrame, known: Collection[str] | None = None, measure: str = PLAYS
) -> Iterator[Attack]:
    """
    Attack every small group of one or several labels: what it has of a measure, plays for example.

    Args:
        figures: All their lines, with the columns of marts.label_figures; those without a value are withheld.
        rows: The truth: BLOCK of the block that counts a row, user_id, the measure, artist_id, and those of AXES that
            are attacked; for the sources of plays, SOURCES. If the blocks are not known, `rows_by_day`; where these
            rows do not add up to the lines, what the known accounts have in a line is unknown too.
        known: Accounts whose rows the attackers know. None: of each group, the N_KNOWN other listeners who tell most.
        measure: One of MEASURES.
    """
    of_block, beside = (table.partition_by(BLOCK, as_dict=True) for table in (rows, figures))
    for key, lines in blocks(figures, measure):
        if key in of_block:
            label_id, *period = key[:3]
            values = measured(of_block[key], measure)
            crossed = artist_tables(beside[key], values) if measure == PLAYS else ()
            for table in (Table.of(lines, values), *crossed):
                for group, *found in table.attacks(known):
                    yield Attack(str(label_id), measure, tuple(period), group.cells, len(group.listeners), *found)
