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

from recsys.lake.codes import (
    formed_ipi,
    formed_ipi_base,
    formed_iswc,
    normal_ipi,
    normal_isni,
    normal_isrc,
    normal_iswc,
)
from recsys.lake.field import Field, Kind
from recsys.lake.measured import Features, fields_of

EARLIEST_INSTANT = datetime(1995, 1, 1)  # noqa: DTZ001 - polars takes naive UTC as the literal for a UTC column
EARLIEST_DAY = date(1800, 1, 1)  # earlier ones are placeholders, such as 0000, 0001-01-01 and 1753-01-01
LATEST_DAY = date(9999, 12, 31)  # the last day that Python has
COUNTRY = r"^[A-Z]{2}$"
MAX_TEXT_CHARS = 120_000  # of lyrics, blank lines included
_LANGUAGE = r"^[a-z]{2,3}$"
_MAX_PRINTS_CHARS = 100_000_000
_MAX_COMPONENT = 1e15  # squares of larger components overflow where vectors are compared in float32
_LARGEST_STORED = 127  # component of a vector in whole numbers
_WORDS_OF_NAME = 4
REASONS = (
    "missing_value",
    "too_long",
    "date_order",  # a date of digits in an unstated order of day and month
    "named_zone",  # a time in a named time zone
    "bad_type",
    "out_of_range",
    "in_future",
    "ends_before_start",  # the last day of a term that lies before its first
    "not_allowed",
    "wrong_code",  # no code of its kind, or one with wrong check digits
    "other_encoder",  # a vector of another encoder than most of its file
    "other_length",  # a vector of another length than others of its encoder
)
FINDING_KINDS = ("duplicate", "wrong_artist", "wrong_genre", "wrong_tempo", "wrong_language")  # of the cleaning
RIGHTS = ("performing", "mechanical", "synchronisation")
USE_TYPES = ("stream", "download", "broadcast", "synchronisation", "identification", "training", "other")
SHARE_KINDS = ("ownership", "collection")  # who owns a work, and who collects for it in a territory
WORLD = "WW"  # territory of a claim that holds wherever the same claim has no row of its own
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
        is_delivered: Whether files may bring its rows. Those of other tables are made at ingest, from what a file
            brings, and never compared with the rows of other files: each delivery has its own.
        is_whole: Whether what a file states of a work or licence replaces all that was stated before, so that rows are
            kept although the lake has equal ones: those that a later file lacks are withdrawn.
        part_of: Of a table that is made at ingest: the table of which its rows are parts, and the column that both
            have. A part enters the lake only with its whole.
    """

    table: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    instant: str | None = None
    day: str | None = None
    is_delivered: bool = True
    is_whole: bool = False
    part_of: tuple[str, str] | None = None

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


def _part_of_lyrics(table: str, *fields: Field, key: tuple[str, ...]) -> Contract:
    """Return the contract of a table with several rows per text, which are made at ingest."""
    every = (Field("lyrics_id", required=True), *fields)
    return Contract(table, every, key=("lyrics_id", *key), is_delivered=False, part_of=("lyrics", "lyrics_id"))


def _claim(table: str, *fields: Field, key: tuple[str, ...]) -> Contract:
    """Return the contract of a table of what a source states about works, under the source's own numbers of works."""
    every = (Field("source", required=True), Field("work_id", required=True), *fields)
    return Contract(table, every, key=("source", "work_id", *key), is_whole=True)


def _term(name: str, not_before: str = "") -> Field:
    return Field(name, Kind.DAY, is_binding=True, may_be_future=True, not_before=not_before)


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
                Field("language", pattern=_LANGUAGE),
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
            "lyrics",
            (
                _TRACK,
                Field("source", default="unknown"),
                Field("lyrics_id", required=True),
                Field("text_id", required=True),
                Field("form", required=True, allowed=("text", "timed", "words")),
                Field("is_stemmed", Kind.BOOLEAN),
                Field("licence"),
                _choice("training_consent", "granted", "denied"),
                Field("language", pattern=_LANGUAGE),
                Field("text", longest=MAX_TEXT_CHARS, is_withheld=True),
                Field("line_starts_ms", Kind.REALS, low=0, high=86_400_000),
                Field("n_lines", Kind.INTEGER, low=0, high=MAX_TEXT_CHARS),
                Field("n_words", Kind.INTEGER, low=0, high=1_000_000_000),
                Field("n_distinct_words", Kind.INTEGER, low=0, high=1_000_000_000),
                _real("repetition", 0, 1),
                Field("near_hash", pattern=r"^[0-9a-f]{16}$"),
                Field("detected_language", pattern=_LANGUAGE),
                Field("language_options", Kind.TEXTS, pattern=_LANGUAGE),
                _real("language_confidence", 0, 1),
                *(
                    Field(f"n_{reason}", Kind.INTEGER, low=0, high=1_000_000_000)
                    for reason in ("profanity", "sex", "violence", "drugs")
                ),
                _real("explicit_probability", 0, 1),
                _real("valence", -1, 1),
                _real("arousal", -1, 1),
                _real("happy_probability", 0, 1),
                Field("analyser", default="unknown"),
            ),
            key=("track_id", "source"),
            is_delivered=False,
        ),
        _part_of_lyrics(
            "lyric_sections",
            Field("section", Kind.INTEGER, required=True, low=1, high=MAX_TEXT_CHARS),
            _choice("kind", "verse", "chorus", "pre-chorus", "bridge", "intro", "outro", "other"),
            Field("first_line", Kind.INTEGER, required=True, low=1, high=MAX_TEXT_CHARS),
            Field("n_lines", Kind.INTEGER, required=True, low=1, high=MAX_TEXT_CHARS),
            Field("n_words", Kind.INTEGER, required=True, low=0, high=MAX_TEXT_CHARS),
            Field("repeats", Kind.INTEGER, low=1, high=MAX_TEXT_CHARS),
            Field("language", pattern=_LANGUAGE),
            Field("language_options", Kind.TEXTS, pattern=_LANGUAGE),
            _real("language_confidence", 0, 1),
            Field("start_ms", Kind.INTEGER, low=0, high=86_400_000),
            Field("end_ms", Kind.INTEGER, low=0, high=86_400_000),
            key=("section",),
        ),
        _part_of_lyrics(
            "lyric_vectors",
            Field("section", Kind.INTEGER, required=True, low=1, high=MAX_TEXT_CHARS),
            Field("encoder", required=True),
            Field("vector", Kind.REALS, required=True, low=-_LARGEST_STORED, high=_LARGEST_STORED, is_withheld=True),
            key=("section",),
        ),
        _part_of_lyrics(
            "lyric_words",
            Field("word", required=True),
            Field("n", Kind.INTEGER, required=True, low=1, high=1_000_000_000),
            key=("word",),
        ),
        _part_of_lyrics(
            "lyric_hits",
            Field("line", Kind.INTEGER, low=1, high=MAX_TEXT_CHARS),
            Field("term", required=True),
            Field("kind", required=True, allowed=("profanity", "sex", "violence", "drugs")),
            Field("n", Kind.INTEGER, required=True, low=1, high=1_000_000_000),
            key=("line", "term"),
        ),
        _part_of_lyrics(
            "lyric_themes",
            Field("theme", required=True),
            Field("share", Kind.REAL, required=True, low=0, high=1),
            key=("theme",),
        ),
        _part_of_lyrics(
            "lyric_names",
            Field("line", Kind.INTEGER, low=1, high=MAX_TEXT_CHARS),
            Field("key", required=True, pattern=r"^[0-9a-f]{32}$"),
            Field("n_words", Kind.INTEGER, required=True, low=1, high=_WORDS_OF_NAME),
            Field("term"),
            Field("kind", allowed=("place", "person", "brand")),
            key=("line", "key"),
        ),
        Contract(
            "takedowns",
            (_TRACK, Field("taken_down_at", Kind.DAY, required=True), Field("takedown_reason")),
            key=("track_id",),
        ),
        Contract(
            "review_decisions",
            (
                Field("kind", required=True, allowed=FINDING_KINDS),
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
        _claim(
            "works",
            _instant("registered_at"),
            _name("title", required=False),
            Field("iswc", is_binding=True, normal_code=formed_iswc),
            key=("registered_at",),
        ),
        _claim(
            "work_shares",
            _instant("registered_at"),
            Field("claim_no", Kind.INTEGER, required=True, low=0, high=100_000_000),
            _id("party_id"),
            _name("party_name", required=False),
            Field("ipi", is_binding=True, normal_code=formed_ipi),
            Field("ipi_base", is_binding=True, normal_code=formed_ipi_base),
            _choice("role", "writer", "publisher", "administrator", "sub_publisher"),
            Field("kind", allowed=SHARE_KINDS, is_binding=True, default=SHARE_KINDS[0]),
            Field("right_type", required=True, allowed=RIGHTS),
            Field("share", Kind.REAL, required=True, low=0, high=100),
            Field("territory", pattern=COUNTRY, is_country=True, is_binding=True, default=WORLD),
            _term("valid_from"),
            _term("valid_until", not_before="valid_from"),
            key=("registered_at", "claim_no", "right_type", "territory"),
        ),
        _claim(
            "work_recordings",
            _instant("registered_at", required=False),
            Field("isrc", is_binding=True, normal_code=normal_isrc),
            _id("track_id", required=False),
            key=("registered_at", "isrc", "track_id"),
        ),
        _claim(
            "work_acknowledgements",
            _instant("acknowledged_at"),
            Field("work_number"),
            Field("status", required=True, pattern=r"^[A-Z]{2}$"),
            key=("acknowledged_at",),
        ),
        Contract(
            "licences",
            (
                Field("source", required=True),
                Field("licence_id", required=True),
                _instant("registered_at"),
                Field("term_no", Kind.INTEGER, required=True, low=0, high=100_000_000),
                Field("isrc", is_binding=True, normal_code=normal_isrc),
                _id("track_id", required=False),
                Field("use_type", required=True, allowed=USE_TYPES),
                Field("territory", pattern=COUNTRY, is_country=True, is_binding=True, default=WORLD),
                Field("is_granted", Kind.BOOLEAN, is_binding=True, default=True),
                _term("valid_from"),
                _term("valid_until", not_before="valid_from"),
            ),
            key=("source", "licence_id", "registered_at", "term_no", "use_type", "territory"),
            is_whole=True,
        ),
    )
}

DELIVERED = {table: contract for table, contract in CONTRACTS.items() if contract.is_delivered}

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
