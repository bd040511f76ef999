"""
The data contract: the columns, keys and allowed values of each raw table.

A row that satisfies the contract enters the lake; any other row enters the quarantine with the column and a reason:
one of `REASONS`, `malformed_row` (the line cannot be parsed) or `conflicting_row` (an earlier row has the same key and
other values). A file that cannot be read at all is one row of the quarantine, `unreadable_file`.

An invalid value of an optional column costs the value, not the row: it becomes unknown, and the batch log counts it by
column and reason. Columns that restrict what may be done with a recording (`is_binding`) refuse the row. An empty list
is a missing value: a track with an empty list of territories has no territorial restriction.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import polars as pl

from recsys.lake.codes import normal_ipi, normal_isni, normal_iswc
from recsys.lake.field import Field, Kind
from recsys.lake.measured import Features, fields_of

EARLIEST_INSTANT = datetime(1995, 1, 1)  # noqa: DTZ001 - polars takes naive UTC as the literal for a UTC column
EARLIEST_DAY = date(1800, 1, 1)  # earlier ones are placeholders, such as 0000, 0001-01-01 and 1753-01-01
LATEST_DAY = date(9999, 12, 31)  # the last day that Python has
COUNTRY = r"^[A-Z]{2}$"
_MAX_PRINTS_CHARS = 100_000_000
_MAX_COMPONENT = 1e15  # squares of larger components overflow where vectors are compared in float32
REASONS = (
    "missing_value",
    "too_long",
    "date_order",  # a date of digits in an unstated order of day and month
    "named_zone",  # a time in a named time zone
    "bad_type",
    "out_of_range",
    "in_future",
    "not_allowed",
    "wrong_code",  # no code of its kind, or one with wrong check digits
    "other_encoder",  # a vector of another encoder than most of its file
    "other_length",  # a vector of another length than others of its encoder
)
BATCH = pl.Schema({"batch": pl.String(), "batch_no": pl.Int64()})


@dataclass(frozen=True)
class Contract:
    """
    The contract of one raw table: an event table (dated rows) or a reference table (the newest row per key wins).

    Attributes:
        table: Name of the table in the lake.
        fields: Its columns, in order.
        key: Columns that identify a row.
        instant: For an event table, the column whose day is the partition; None for a reference table.
        day: For a reference table whose rows belong to days, the column of the day; a build ignores rows of days after
            its `as_of`. None for all others.
        newest_by: For a reference table, the column whose largest value marks the newest row of a key.
    """

    table: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    instant: str | None = None
    day: str | None = None
    newest_by: str = "batch_no"

    @property
    def names(self) -> list[str]:
        """Column names, in order."""
        return [field.name for field in self.fields]

    @property
    def has_listeners(self) -> bool:
        """Whether its rows belong to listeners, so that it has the column user_id."""
        return "user_id" in self.names

    @property
    def schema(self) -> pl.Schema:
        """The polars schema of the table in the lake, batch columns included."""
        return pl.Schema({field.name: field.kind.value for field in self.fields} | dict(BATCH))


def _id(name: str, *, required: bool = True) -> Field:
    return Field(name, required=required)


def _name(name: str, *, required: bool = True) -> Field:
    return Field(name, required=required, is_name=True)


def _instant(name: str, *, required: bool = True) -> Field:
    return Field(name, Kind.INSTANT, required=required)


def _choice(name: str, *allowed: str) -> Field:
    return Field(name, allowed=(*allowed, "unknown"), default="unknown")


def _real(name: str, low: float, high: float) -> Field:
    return Field(name, Kind.REAL, low=low, high=high)


_COUNTRY = Field("country", pattern=COUNTRY, is_country=True)
_LISTENER = _id("user_id")
_TRACK = _id("track_id")

CONTRACTS: dict[str, Contract] = {
    contract.table: contract
    for contract in (
        Contract(
            "listens",
            (
                _LISTENER,
                _TRACK,
                _instant("listened_at"),
                Field("ms_played", Kind.INTEGER, low=0, high=86_400_000),
                Field("skipped", Kind.BOOLEAN),
                Field("n_listens", Kind.INTEGER, low=1, high=10_000_000, default=1),
                Field("utc_offset_min", Kind.INTEGER, low=-720, high=840),
                _choice("source", "active", "algorithmic"),
            ),
            key=("user_id", "track_id", "listened_at"),
            instant="listened_at",
        ),
        Contract(
            "events",
            (
                _LISTENER,
                _TRACK,
                _instant("event_at"),
                Field("event", required=True, allowed=("like", "unlike", "save", "playlist_add", "share")),
            ),
            key=("user_id", "track_id", "event_at", "event"),
            instant="event_at",
        ),
        Contract(
            "tracks",
            (
                _TRACK,
                _name("title"),
                _id("artist_id"),
                _id("label_id", required=False),
                _name("release_title", required=False),
                Field("release_date", Kind.DAY, may_be_future=True),
                Field("duration_ms", Kind.INTEGER, low=1, high=86_400_000),
                Field("isrc"),
                Field("iswc", normal_code=normal_iswc),
                Field("genres", Kind.TEXTS),
                Field("language", pattern=r"^[a-z]{2,3}$"),
                Field("explicit", Kind.BOOLEAN),
                Field("available_in", Kind.TEXTS, is_binding=True, pattern=COUNTRY, is_country=True),
                Field("withdrawn_at", Kind.DAY, is_binding=True, may_be_future=True),
                _choice("training_consent", "granted", "denied"),
            ),
            key=("track_id",),
        ),
        Contract(
            "artists",
            (
                _id("artist_id"),
                _name("name"),
                _choice("gender", "female", "male", "nonbinary", "mixed"),
                _choice("artist_type", "person", "group"),
                _COUNTRY,
                Field("isni", normal_code=normal_isni),
                Field("ipi", normal_code=normal_ipi),
            ),
            key=("artist_id",),
        ),
        Contract(
            "labels",
            (
                _id("label_id"),
                _name("name"),
                _choice("label_type", "major", "independent"),
                _COUNTRY,
            ),
            key=("label_id",),
        ),
        Contract(
            "users",
            (
                _LISTENER,
                _choice("gender", "female", "male", "nonbinary"),
                _choice("age_band", "under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"),
                _COUNTRY,
                Field("signed_up_at", Kind.DAY),
            ),
            key=("user_id",),
        ),
        Contract(
            "playlists",
            (
                _id("playlist_id"),
                Field("position", Kind.INTEGER, required=True, low=1, high=1_000_000),
                _TRACK,
                _id("user_id", required=False),
                Field("title", is_name=True, is_personal=True),
                _instant("added_at", required=False),
            ),
            key=("playlist_id", "position"),
        ),
        Contract(
            "audio_features",
            (
                _TRACK,
                Field("audio_id"),
                Field("file", is_personal=True),
                Field("codec"),
                Field("duration_ms", Kind.INTEGER, low=0, high=86_400_000),
                Field("rate_hz", Kind.INTEGER, low=1, high=10_000_000),
                Field("n_channels", Kind.INTEGER, low=1, high=1_024),
                Field("lost_ms", Kind.INTEGER, low=0, high=86_400_000),
                *fields_of(Features),
                Field("analyser", default="unknown"),
            ),
            key=("track_id",),
        ),
        Contract(
            "audio_vectors",
            (
                _TRACK,
                Field("audio_id"),
                Field("encoder", required=True),
                Field("vector", Kind.REALS, required=True, low=-_MAX_COMPONENT, high=_MAX_COMPONENT),
            ),
            key=("track_id",),
        ),
        Contract(
            "audio_tags",
            (
                _TRACK,
                Field("audio_id"),
                Field("tagger", required=True),
                Field("tag", required=True),
                _choice("kind", "genre", "mood", "instrument", "vocal", "era", "other"),
                Field("confidence", Kind.REAL, required=True, low=0, high=1),
                _real("probability", 0, 1),
            ),
            key=("track_id", "tagger", "tag"),
        ),
        Contract(
            "audio_prints",
            (
                _TRACK,
                Field("audio_id", required=True),
                Field("fingerprinter", required=True),
                Field("prints", required=True, longest=_MAX_PRINTS_CHARS),
            ),
            key=("track_id",),
        ),
        Contract(
            "takedowns",
            (_TRACK, Field("taken_down_at", Kind.DAY, required=True), Field("takedown_reason")),
            key=("track_id",),
        ),
        Contract(
            "review_decisions",
            (
                Field("kind", required=True, allowed=("duplicate", "wrong_artist", "wrong_genre")),
                _TRACK,
                _id("other_track_id"),
                Field("decision", required=True, allowed=("accepted", "rejected")),
                _instant("decided_at"),
                Field("decided_by", is_personal=True),
                Field("note", is_personal=True),
            ),
            key=("kind", "track_id", "other_track_id"),
        ),
        Contract(
            "charts",
            (
                Field("chart", required=True),
                Field(
                    "chart_date", Kind.DAY, required=True, may_be_future=True
                ),  # the date of the week that the chart is published for
                Field("rank", Kind.INTEGER, required=True, low=1, high=10_000),
                _name("title"),
                _name("artist"),
                _id("track_id", required=False),
                Field("isrc"),
                _real("value", 0, 1e15),
            ),
            key=("chart", "chart_date", "rank"),
            day="chart_date",
        ),
        Contract(
            "sales",
            (
                Field("service", required=True),
                Field("period_start", Kind.DAY, required=True),
                Field("period_end", Kind.DAY, required=True, may_be_future=True),
                Field("territory", required=True),
                Field("commercial_model", required=True),
                Field("use_type"),
                _id("resource_id"),
                Field("isrc"),
                Field("title"),
                Field("artist"),
                Field("n_usages", Kind.REAL, required=True, low=-1e12, high=1e12),  # corrections may be negative
                _real("revenue", -1e12, 1e12),
                Field("currency", pattern=r"^[A-Z]{3}$"),
                _choice("revenue_basis", "price", "share", "mixed"),
            ),
            key=("service", "period_start", "period_end", "territory", "commercial_model", "use_type", "resource_id"),
            day="period_start",
        ),
        Contract(
            "signals",
            (
                Field("day", Kind.DAY, required=True),
                Field("source", required=True),
                _id("track_id", required=False),
                _id("artist_id", required=False),
                Field("metric", required=True),
                Field("value", Kind.REAL, required=True, low=-1e15, high=1e15),
            ),
            key=("day", "source", "track_id", "artist_id", "metric"),
            day="day",
        ),
    )
}

QUARANTINE = pl.Schema(
    {
        "source_table": pl.String(),
        "reason": pl.String(),
        "column_name": pl.String(),
        "payload": pl.String(),
        "source_file": pl.String(),
        "source_line": pl.Int64(),
        "batch": pl.String(),
    }
)

INVALID_VALUES = pl.Schema(
    {"column_name": pl.String(), "reason": pl.String(), "n_values": pl.Int64(), "first_line": pl.Int64()}
)


def last_instant(today: date, zone: ZoneInfo) -> datetime:
    """Return the end of the day `today` in a time zone, as naive UTC; later instants are in the future."""
    return datetime.combine(today, datetime.max.time(), zone).astimezone(UTC).replace(tzinfo=None)
