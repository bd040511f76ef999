"""
Attacks on lines that do not partition plays: which artists share listeners, and whom the lists show a label.

They count listeners and positions. As in `audit`, the range of what a small group has must contain 0, and what ten
average listeners have.
"""

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import combinations

import polars as pl

from recsys.ledger.audit import Attack
from recsys.ledger.audit_table import N_AVERAGE, N_KNOWN, SMALL
from recsys.ledger.blocks import Interval
from recsys.ledger.crossed import NOISE_LISTENERS, ROUNDING
from recsys.ledger.lines import LISTENER_SHARE, LISTENERS, SHOWN_TO, SLOTS
from recsys.ledger.shown import of_labels

Sets = dict[str, int]  # artist -> its listeners in a month, one bit each


def attacks_on_overlaps(figures: pl.DataFrame, favourites: pl.DataFrame) -> Iterator[Attack]:
    """
    Attack the listeners of each three artists that lines of overlap name together, if they are few.

    The attackers know how many listeners each artist has, which no line tells, and N_KNOWN accounts: of an artist's
    listeners, those who play neither of two others, or one of them alone.

    Args:
        figures: The lines of some labels.
        favourites: The artists that count for each listener in a month: user_id, artist_id and to_day (see `overlap`).
    """
    lines = figures.filter(pl.col("measure") == LISTENER_SHARE, pl.col("value").is_not_null())
    for (label_id, first, last), of_month in lines.group_by("label_id", "from_day", "to_day", maintain_order=True):
        sets = _sets(favourites.filter(to_day=last))
        shared = _shared(of_month, sets)
        for artist in of_month["artist_id"].unique().sort():
            others = sorted(other for one, other in shared if one == artist)
            for pair in combinations(others, 2):
                yield from _on_three(str(label_id), (first, last), (artist, *pair), sets, shared)


def _sets(favourites: pl.DataFrame) -> Sets:
    bits = favourites.select("artist_id", bit=pl.col("user_id").rank("dense").cast(pl.Int64))
    by_artist = bits.group_by("artist_id").agg("bit")
    return {artist: reduce(int.__or__, (1 << bit for bit in found)) for artist, found in by_artist.iter_rows()}


def _shared(lines: pl.DataFrame, sets: Sets) -> dict[tuple[str, str], Interval]:
    """Return how many listeners two artists may share by the lines of either, from both sides."""
    shared: dict[tuple[str, str], Interval] = {}
    for artist, other, value in lines.select("artist_id", "cell", "value").iter_rows():
        n, error = sets[artist].bit_count(), NOISE_LISTENERS + ROUNDING * sets[artist].bit_count()
        low, high = shared.get((other, artist), (0.0, float(n)))
        shared[artist, other] = max(low, n * value / 100 - error), min(high, n * value / 100 + error)
    return shared


def _on_three(
    label_id: str,
    period: tuple[object, object],
    artists: tuple[str, str, str],
    sets: Sets,
    shared: Mapping[tuple[str, str], Interval],
) -> Iterator[Attack]:
    """Attack the listeners of the first artist who also play both others."""
    own, one, other = (sets[artist] for artist in artists)
    inside = own & one & other
    if not 1 <= inside.bit_count() <= SMALL:
        return
    (low_one, high_one), (low_other, high_other) = (shared[artists[0], artist] for artist in artists[1:])
    neither, one_alone, other_alone = (
        min(N_KNOWN, some.bit_count()) for some in (own & ~one & ~other, own & one & ~other, own & other & ~one)
    )
    low = max(0.0, low_one + low_other - (own.bit_count() - neither))
    high = min(high_one - one_alone, high_other - other_alone)
    group = tuple(("artist_id", artist) for artist in artists)
    yield Attack(label_id, LISTENERS, period, group, inside.bit_count(), low, high, N_AVERAGE)


def attacks_on_lists(figures: pl.DataFrame, lists: pl.DataFrame, catalogue: pl.DataFrame) -> Iterator[Attack]:
    """
    Attack the listeners whom the lists of a run show a label: the lines tell nothing about any of them but the sums.

    Args:
        figures: The lines of some labels, with closed_by_run.
        lists: run_id, user_id, track_id and rank of the lists of a run.
        catalogue: track_id and label_id of the labels' recordings.
    """
    lines = figures.filter(pl.col("closed_by_run").is_in(lists["run_id"].unique().implode()))
    by_listener = of_labels(lists, catalogue).group_by("label_id", "user_id")
    shown = by_listener.agg(pl.col("value").sum().alias(SLOTS), pl.lit(1.0).alias(SHOWN_TO))
    for label_id, measure, first, last, total in (
        lines.filter(pl.col("measure").is_in([SHOWN_TO, SLOTS]))
        .drop_nulls("value")
        .select("label_id", "measure", "from_day", "to_day", "value")
        .iter_rows()
    ):
        values = shown.filter(label_id=label_id)[measure].sort(descending=True)
        left = values[N_KNOWN:]
        needed = N_AVERAGE * float(left.sum()) / max(1, len(left))
        high = total - float(values[:N_KNOWN].sum())
        yield Attack(label_id, measure, (first, last), (), SMALL, 0.0, high, needed)
