"""
Which other artists the listeners of a label's artists play: lines of calendar months, in whole per cent, with noise.

Months do not overlap and are closed once, so that no two lines differ by a few days. A pair of artists is listed if
enough listeners play both, and these are at most MAX_SHARED of the listeners of either. So two lines of an artist never
add up to more than its listeners: no two of them tell that somebody must have played all three artists.

The noise counts as listeners and is a keyed hash of those whom the pair shares, so that it is the same from both sides
of a pair, whichever label reads it. How many listeners either artist has in the month is no line.
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from recsys.ledger.crossed import ARTIST_FACTOR, NOISE_LISTENERS, noise_of
from recsys.ledger.dimensions import as_lines
from recsys.ledger.lines import OVERLAP
from recsys.ledger.settings import LabelSettings

MAX_SHARED = 0.4  # share of an artist's listeners that another artist of a line has as well
N_FAVOURITES = 20  # artists that count for a listener in a month (see sql/internal/favourites_of_listeners.sql)
MOST_OTHERS = 50  # lines of an artist in a month, those with the greatest shares
NO_FAVOURITES = pl.LazyFrame(
    schema={"user_id": pl.String, "artist_id": pl.String, "to_day": pl.Date, "is_released": pl.Boolean}
)
_PAIR = ["artist_id", "cell"]


def lines_of_overlap(
    favourites: pl.LazyFrame,
    catalogue: pl.DataFrame,
    days: tuple[date | None, date],
    settings: LabelSettings,
    key: bytes,
) -> pl.DataFrame:
    """
    Return the lines of the months that have ended.

    Args:
        favourites: The artists that count for a listener in a month: user_id, artist_id, to_day (the last day of the
            month), and is_released: whether the listener played a recording of the artist after its release.
        catalogue: artist_id and label_id of each recording; an artist with recordings of two labels has no lines.
        days: The last day up to which months are closed or never counted, None if there is none; and the last day that
            may be closed.
        settings: The test.
        key: Secret of the noise.

    Returns:
        Columns of `dimensions.as_lines`: artist_id is the label's artist, cell the other one, value a share of the
        listeners of the first in per cent, 0..100.
    """
    after, until = days
    ended = favourites.filter(pl.col("to_day") <= until)
    open_months = ended if after is None else ended.filter(pl.col("to_day") > after)
    owned = catalogue.drop_nulls(["artist_id", "label_id"]).group_by("artist_id")
    labels = owned.agg(pl.col("label_id").unique()).filter(pl.col("label_id").list.len() == 1).explode("label_id")
    months = open_months.select("to_day").unique().collect()["to_day"].sort()
    shares = [
        _shares(open_months.filter(to_day=month).collect(), labels, settings, key).with_columns(to_day=pl.lit(month))
        for month in months
    ]
    empty = pl.DataFrame(schema={"label_id": pl.String, "artist_id": pl.String, "cell": pl.String, "value": pl.Int64})
    found = pl.concat([empty.with_columns(to_day=pl.lit(until)), *shares])
    return as_lines(found.with_columns(from_day=pl.col("to_day").dt.month_start()), OVERLAP)


def _shares(rows: pl.DataFrame, labels: pl.DataFrame, settings: LabelSettings, key: bytes) -> pl.DataFrame:
    """Return label_id, artist_id, cell and value of one month."""
    listeners = dict(rows.group_by("artist_id").agg(pl.col("user_id").sort()).iter_rows())
    sizes = pl.DataFrame(
        {"artist_id": list(listeners), "n_listeners": [len(found) for found in listeners.values()]},
        {"artist_id": pl.String, "n_listeners": pl.Int64},
    )
    released = rows.filter("is_released").select("artist_id").unique()
    shown = sizes.join(released, on="artist_id").filter(pl.col("n_listeners") >= settings.min_listeners / MAX_SHARED)
    own = sizes.join(labels, on="artist_id").filter(pl.col("n_listeners") >= ARTIST_FACTOR * settings.min_listeners)
    pairs = _shared(rows, own, shown).filter(
        pl.col("n_shared") >= settings.min_listeners,
        pl.col("n_shared") <= MAX_SHARED * pl.min_horizontal("n_listeners", "n_of_other"),
    )
    noise = [_noise(listeners[one], listeners[other], key) for one, other in pairs.select(_PAIR).iter_rows()]
    share = (pl.col("n_shared") + NOISE_LISTENERS * pl.Series(noise, dtype=pl.Float64)) / pl.col("n_listeners")
    stated = pairs.with_columns(value=(100 * share).round().cast(pl.Int64))
    most = stated.sort("value", "cell", descending=[True, False]).group_by("artist_id", maintain_order=True)
    return most.head(MOST_OTHERS).select("label_id", *_PAIR, "value")


def _shared(rows: pl.DataFrame, own: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Count the listeners of each of a label's artists and each artist that may be shown beside it."""
    plays = rows.select("user_id", "artist_id")
    others = plays.join(shown, on="artist_id").rename({"artist_id": "cell", "n_listeners": "n_of_other"})
    pairs = plays.join(own, on="artist_id").join(others, on="user_id").filter(pl.col("artist_id") != pl.col("cell"))
    return pairs.group_by("label_id", *_PAIR, "n_listeners", "n_of_other").agg(n_shared=pl.len().cast(pl.Int64))


def _noise(one: Sequence[str], other: Sequence[str], key: bytes) -> float:
    """Return the noise of the listeners whom two artists share."""
    return noise_of(sorted(set(one).intersection(other)), key)
