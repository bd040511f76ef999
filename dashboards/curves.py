"""
Small curves in tables: the plays of the last weeks of each artist or recording.

A label's curves are those of its ledger: they end with the newest closed week and have no gap. An operator's are
those of the log, with 0 where nothing was played.
"""

import polars as pl

from dashboards import data

CURVE = "curve"


def of_label(rows: pl.DataFrame, dimension: str, artist_id: str = "") -> pl.DataFrame:
    """
    Add the curves of a label's artists or recordings.

    Args:
        rows: Rows with the column `cell`, the id of an artist or a recording.
        dimension: artist or recording; rows of another dimension are returned unchanged.
        artist_id: The artist of all recordings; of several artists if empty.

    Returns:
        The rows with `curve`, plays per day in each week, behind the second column; null without two weeks.
    """
    if dimension not in ("artist", "recording"):
        return rows
    weeks = data.run_query("label_curves", dimension=dimension, artist_id=artist_id)
    return _joined(rows, "cell", weeks.rename({"plays_a_day": CURVE}))


def of_operator(rows: pl.DataFrame, id_column: str, artist_id: str = "") -> pl.DataFrame:
    """
    Add the curves of artists, or of the recordings of an artist if `artist_id` is given.

    Returns:
        The rows with `curve`, plays in each week, behind the column of names that follows the ids.
    """
    weeks = data.run_query("weekly_curves", artist_id=artist_id)
    return _joined(rows, id_column, weeks.rename({"id": id_column, "n_plays": CURVE}))


def _joined(rows: pl.DataFrame, id_column: str, weeks: pl.DataFrame) -> pl.DataFrame:
    lists = weeks.group_by(id_column, maintain_order=True).agg(pl.col(CURVE).cast(pl.Float64))
    drawn = lists.filter(pl.col(CURVE).list.len() > 1)
    joined = rows.join(drawn, on=id_column, how="left", maintain_order="left")
    place = next(no for no, name in enumerate(rows.columns) if name in ("name", "title")) + 1
    return joined.select(*rows.columns[:place], CURVE, *rows.columns[place:])
