"""How much the lists of a run show a label, as lines of the last week that the run closes for it."""

import polars as pl

from recsys.ledger.cells import does_pass, summed
from recsys.ledger.dimensions import PERIOD, as_lines
from recsys.ledger.lines import SHOWN, SHOWN_TO, SLOTS
from recsys.ledger.settings import LabelSettings

NO_LISTS = pl.DataFrame(schema={"user_id": pl.String, "track_id": pl.String, "rank": pl.Int32})


def lines_of_lists(
    lists: pl.DataFrame, catalogue: pl.DataFrame, weeks: pl.DataFrame, settings: LabelSettings
) -> pl.DataFrame:
    """
    Return the lines of listeners and positions of each label whose positions pass the test.

    Args:
        lists: user_id, track_id and rank, from 1, of the lists that listeners see.
        catalogue: track_id and label_id.
        weeks: PERIOD of the weeks that are closed; a label without one has no line.
        settings: The test.

    Returns:
        Columns of `dimensions.as_lines`, and measure: SHOWN_TO; SLOTS, whose weight is 1 / log2(1 + rank), rounded.
    """
    sums = summed(of_labels(lists, catalogue), ["label_id"]).filter(does_pass(settings))
    last = weeks.group_by("label_id").agg(pl.col("from_day", "to_day").sort_by("to_day").last())
    shown = sums.join(last, on="label_id").select(*PERIOD, "n_listeners", "value")
    values = {SHOWN_TO: pl.col("n_listeners"), SLOTS: pl.col("value").round().cast(pl.Int64)}
    return pl.concat(
        as_lines(shown.with_columns(value=value), SHOWN).with_columns(measure=pl.lit(measure))
        for measure, value in values.items()
    )


def of_labels(lists: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Return the positions with label_id and their weight (value); those of recordings without a label are left out."""
    weight = pl.lit(2.0).log() / (pl.col("rank") + 1).log()
    owned = catalogue.select("track_id", "label_id").drop_nulls()
    return lists.join(owned, on="track_id").with_columns(value=weight)
