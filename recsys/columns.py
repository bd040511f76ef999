"""
Columns that tables of several packages share: name, polars dtype and unit.

A table that Python writes for SQL is declared as a tuple `<TABLE>_COLUMNS` beside the function that computes it, from
these columns and its own. The step that saves the table imports the tuple (`recsys/pipeline/steps`). `schema` turns
such a tuple into a polars schema.
"""

from collections.abc import Iterable
from typing import NamedTuple

import polars as pl


class Column(NamedTuple):
    """A column's name, polars dtype and unit ('' where it has none)."""

    name: str
    dtype: pl.DataType
    unit: str = ""


USER_ID = Column("user_id", pl.String())
TRACK_ID = Column("track_id", pl.String())
RANK = Column("rank", pl.Int32())
SCORE = Column("score", pl.Float32())
IS_FALLBACK = Column("is_fallback", pl.Boolean())
SEGMENT = Column("segment", pl.String())
REASON_TRACK_ID = Column("reason_track_id", pl.String())
RUN_ID = Column("run_id", pl.String())
RECOMMENDER = Column("recommender", pl.String())
REASON = Column("reason", pl.String())
REASON_KIND = Column("reason_kind", pl.String())
METRIC = Column("metric", pl.String())
K = Column("k", pl.Int32())
VALUE = Column("value", pl.Float64())
LOW = Column("low", pl.Float64())
HIGH = Column("high", pl.Float64())
N_USERS = Column("n_users", pl.Int64())
GROUP_KIND = Column("group_kind", pl.String())
GROUP_NAME = Column("group_name", pl.String())
BASELINE = Column("baseline", pl.String())
DIFFERENCE = Column("difference", pl.Float64())
P_VALUE = Column("p_value", pl.Float64())
IS_EXPLORED = Column("is_explored", pl.Boolean())
PROPENSITY = Column("propensity", pl.Float64())

RANKING = (USER_ID, TRACK_ID, RANK, SCORE, IS_FALLBACK, SEGMENT, REASON_TRACK_ID)  # lists of a recommender
TRACK_GROUPS = (TRACK_ID, GROUP_KIND, GROUP_NAME)  # marts.track_groups, for rerank rules and fairness metrics


def schema(columns: Iterable[Column]) -> pl.Schema:
    """Return the polars schema of a table with these columns, in their order."""
    return pl.Schema({column.name: column.dtype for column in columns})
