"""
Every column that crosses the border between SQL and Python: name, dtype and unit.

A table that Python writes for SQL, or reads from it, is a tuple of these; `schema` makes the polars schema of one.
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
STRENGTH = Column("strength", pl.Float32())
AGE_DAYS = Column("age_days", pl.Float32(), "d")
RANK = Column("rank", pl.Int32())
SCORE = Column("score", pl.Float32())
IS_FALLBACK = Column("is_fallback", pl.Boolean())
SEGMENT = Column("segment", pl.String())
REASON_TRACK_ID = Column("reason_track_id", pl.String())
RUN_ID = Column("run_id", pl.String())
RECOMMENDER = Column("recommender", pl.String())
REASON = Column("reason", pl.String())
METRIC = Column("metric", pl.String())
K = Column("k", pl.Int32())
VALUE = Column("value", pl.Float64())
LOW = Column("low", pl.Float64())
HIGH = Column("high", pl.Float64())
N_USERS = Column("n_users", pl.Int64())
GROUP_KIND = Column("group_kind", pl.String())
GROUP_NAME = Column("group_name", pl.String())
TARGET_SHARE = Column("target_share", pl.Float64())
KIND = Column("kind", pl.String())
COMMUNITY = Column("community", pl.Int32())
NAME = Column("name", pl.String())
N_MEMBERS = Column("n_members", pl.Int64())
ARTISTS = Column("artists", pl.List(pl.String()))
GENRES = Column("genres", pl.List(pl.String()))
MEMBER_ID = Column("member_id", pl.String())
IS_EXPLORED = Column("is_explored", pl.Boolean())
PROPENSITY = Column("propensity", pl.Float64())
SERVED_ON = Column("served_on", pl.Date())
UNTIL = Column("until", pl.Date())
POLICY = Column("policy", pl.String())
OPTION_NO = Column("option_no", pl.Int32())
N_OPTIONS = Column("n_options", pl.Int32())
FEATURES = Column("features", pl.List(pl.Float64()))
BASELINE = Column("baseline", pl.String())
DIFFERENCE = Column("difference", pl.Float64())
RATIO = Column("ratio", pl.Float64())
RATIO_LOW = Column("ratio_low", pl.Float64())
RATIO_HIGH = Column("ratio_high", pl.Float64())
P_VALUE = Column("p_value", pl.Float64())
P_HOLM = Column("p_holm", pl.Float64())
ARTIST_ID = Column("artist_id", pl.String())
FORECAST_DATE = Column("forecast_date", pl.Date())
N_PLAYS = Column("n_plays", pl.Float64())
CHART = Column("chart", pl.String())
SONG_ID = Column("song_id", pl.String())
CHART_DATE = Column("chart_date", pl.Date())
STORY = Column("story", pl.String())
N_SIMILAR = Column("n_similar", pl.Int64())
N_SIMILAR_REACHED = Column("n_similar_reached", pl.Int64())
SOURCE_KIND = Column("source_kind", pl.String())
SOURCE_FILE = Column("source_file", pl.String())
SOURCE_AUDIO_ID = Column("source_audio_id", pl.String())
SOURCE_DURATION_S = Column("source_duration_s", pl.Float64(), "s")
AUDIO_ID = Column("audio_id", pl.String())
STARTS_S = Column("starts_s", pl.Float64(), "s")
ENDS_S = Column("ends_s", pl.Float64(), "s")
REFERENCE_STARTS_S = Column("reference_starts_s", pl.Float64(), "s")
REFERENCE_ENDS_S = Column("reference_ends_s", pl.Float64(), "s")
TEMPO_RATIO = Column("tempo_ratio", pl.Float64())
PITCH_SEMITONES = Column("pitch_semitones", pl.Float64())
PROBABILITY = Column("probability", pl.Float64())
IS_STRICT = Column("is_strict", pl.Boolean())
N_PLACES = Column("n_places", pl.Int64())
FOUND_ON = Column("found_on", pl.Date())
CHECKED_ON = Column("checked_on", pl.Date())
N_USES = Column("n_uses", pl.Int64())
FAILURE = Column("failure", pl.String())

RANKING = (USER_ID, TRACK_ID, RANK, SCORE, IS_FALLBACK, SEGMENT, REASON_TRACK_ID)
RECOMMENDATIONS = (
    *(RUN_ID, USER_ID, RANK, TRACK_ID, SCORE, RECOMMENDER),
    *(REASON, REASON_TRACK_ID, IS_EXPLORED, PROPENSITY),
)
EXPLORATIONS = (
    *(RUN_ID, SERVED_ON, UNTIL, USER_ID, RANK, TRACK_ID),
    *(POLICY, PROPENSITY, OPTION_NO, N_OPTIONS, FEATURES),
)
CANDIDATES = (USER_ID, RANK, TRACK_ID, SCORE, IS_FALLBACK)
METRICS = (RECOMMENDER, METRIC, K, VALUE, LOW, HIGH, N_USERS)
RUN_METRICS = (RUN_ID, *METRICS)
GROUP_METRICS = (RECOMMENDER, METRIC, GROUP_KIND, GROUP_NAME, K, VALUE, LOW, HIGH, N_USERS)
RUN_GROUP_METRICS = (RUN_ID, *GROUP_METRICS)
TRACK_GROUPS = (TRACK_ID, GROUP_KIND, GROUP_NAME)
EXPOSURE_TARGETS = (GROUP_KIND, GROUP_NAME, TARGET_SHARE)
COMMUNITIES = (KIND, COMMUNITY, NAME, N_MEMBERS, ARTISTS, GENRES)
MATCH_CANDIDATES = (
    *(SOURCE_KIND, SOURCE_FILE, SOURCE_AUDIO_ID, AUDIO_ID, STARTS_S, ENDS_S, REFERENCE_STARTS_S, REFERENCE_ENDS_S),
    *(TEMPO_RATIO, PITCH_SEMITONES, PROBABILITY, IS_STRICT, N_PLACES, FOUND_ON),
)
MATCH_CHECKS = (SOURCE_KIND, SOURCE_FILE, SOURCE_AUDIO_ID, SOURCE_DURATION_S, N_USES, FAILURE, CHECKED_ON)
COMMUNITY_MEMBERS = (KIND, MEMBER_ID, COMMUNITY)
METRIC_DIFFERENCES = (BASELINE, DIFFERENCE, LOW, HIGH, N_USERS, P_VALUE)
FORECASTS = (ARTIST_ID, FORECAST_DATE, N_PLAYS, LOW, HIGH)
CHART_BREAKOUTS = (CHART, SONG_ID, CHART_DATE, PROBABILITY, STORY, N_SIMILAR, N_SIMILAR_REACHED)
COMPARISON = (
    *(RECOMMENDER, BASELINE, DIFFERENCE, LOW, HIGH),
    *(RATIO, RATIO_LOW, RATIO_HIGH, P_VALUE, P_HOLM, N_USERS),
)


def schema(columns: Iterable[Column]) -> pl.Schema:
    """Return the polars schema of a table with these columns, in their order."""
    return pl.Schema({column.name: column.dtype for column in columns})
