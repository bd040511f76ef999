"""
An attack on owners' statements: what one or several owners can work out about few listeners.

As in `recsys.ledger.audit`, the range of what a small group of listeners has must contain 0, and what ten average
listeners have, for attackers who know N_KNOWN accounts. The works of an owner partition its plays and its amounts: a
group is the listeners of a work. Owners who collude subtract: where one owns a work in more territories than another,
the difference of their lines is what was played in the others.

Attackers are taken to know amounts exactly, not only in whole minor units. What they also know of labels' figures, or
of other months, is not part of it; nor are owners whose statements have no plays, since every amount tells them roughly
how much their works were played.
"""

from collections.abc import Iterator
from itertools import permutations

import polars as pl

from recsys.ledger.audit import Attack
from recsys.ledger.audit_table import Table
from recsys.ledger.blocks import OTHERS, class_of
from recsys.ledger.lines import PLAYS

_WORK = "work_key"
_SCALE = 1_000  # amounts are in parts of a play or listener: as integers they are exact enough


def attacks_on_statements(stated: pl.DataFrame, heard: pl.DataFrame, period: tuple[object, object]) -> Iterator[Attack]:
    """
    Attack every small group of listeners of some owners, who know each other's statements of a month.

    Args:
        stated: Their lines of the month, with `owner`, `work_key` and `n_plays`.
        heard: Who listened to their works (see `recsys.rights.statements.listening`).
        period: First and last day of the month.
    """
    rows = heard.with_columns((pl.col("amount") * _SCALE).round().cast(pl.Int64))
    lines = {owner: of for (owner,), of in stated.drop_nulls("n_plays").group_by("owner", maintain_order=True)}
    for owner, of_owner in lines.items():
        for measure in (PLAYS, "amount"):
            values = _classed(rows.filter(owner=owner).with_columns(value=measure), of_owner)
            yield from _attacks(str(owner), measure, period, values, of_owner if measure == PLAYS else None)
    for more, less in permutations(lines, 2):
        both = set(lines[more][_WORK].drop_nulls()) & set(lines[less][_WORK])
        yield from _on_differences((str(more), str(less)), sorted(both), rows, period)


def _classed(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Add the line of each row: its work, or the others; rows without a value are left out."""
    is_named = pl.col(_WORK).is_in(lines[_WORK].drop_nulls().implode())
    in_line = pl.when(is_named).then(_WORK).otherwise(pl.lit(OTHERS))
    return rows.with_columns(in_line.alias(class_of(_WORK))).filter(pl.col("value") > 0)


def _attacks(
    owner: str, measure: str, period: tuple[object, object], values: pl.DataFrame, lines: pl.DataFrame | None
) -> Iterator[Attack]:
    """Attack the listeners of each work: by the plays of lines, or by the sums of the rows themselves."""
    if lines is None:
        sums = dict(values.group_by(class_of(_WORK)).agg(pl.col("value").sum()).iter_rows())
    else:
        sums = {work or OTHERS: n_plays for work, n_plays in lines.select(_WORK, "n_plays").iter_rows()}
    table = Table(sum(sums.values()), {_WORK: {name: (value, value) for name, value in sums.items()}}, values)
    for group, *found in table.attacks(None):
        yield Attack(owner, measure, period, group.cells, len(group.listeners), *found)


def _on_differences(
    owners: tuple[str, str], works: list[str], rows: pl.DataFrame, period: tuple[object, object]
) -> Iterator[Attack]:
    """Attack what one owner's lines count of works beyond another's, if they count all of the other's."""
    place = [_WORK, "territory", "user_id"]
    more, less = (rows.filter(pl.col("owner") == owner, pl.col(_WORK).is_in(works)) for owner in owners)
    whole = less.join(more, on=place, how="anti")[_WORK].unique()
    beyond = more.join(less, on=place, how="anti").filter(~pl.col(_WORK).is_in(whole.implode()))
    for (work,), values in beyond.with_columns(value=PLAYS).group_by(_WORK, maintain_order=True):
        line = pl.DataFrame({_WORK: [work], "n_plays": [values["value"].sum()]})
        yield from _attacks(" less ".join(owners), PLAYS, period, _classed(values, line), line)
