"""What the search knows of a catalogue before a text is read: its tags, the range of its energy, its last day."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from recsys.arrays import F32
from recsys.search.condition import UNKNOWN
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, stored_tables

TAGS_TABLE = "marts.track_tags"
CONFIDENT = 0.25  # a tagger that is this confident has heard the tag
MAX_TAGS = 5_000  # the most frequent ones are recognised


@dataclass(frozen=True)
class Quantiles:
    """Values of a feature below which a tenth, two fifths, three fifths and nine tenths of the recordings lie."""

    tenth: float = 0.0
    low: float = 0.0
    high: float = 0.0
    nine_tenths: float = 0.0

    def side(self, column: str, *, is_high: bool) -> tuple[str, str]:
        """Return the predicate of the upper or lower two fifths, and a score that rises towards the outer tenth."""
        if is_high:
            low, high, where = self.high, self.nine_tenths, f"{column} >= {self.high!r}"
        else:
            low, high, where = self.low, self.tenth, f"{column} <= {self.low!r}"
        span = high - low
        if span == 0:
            return where, "1.0"
        return where, f"least(1.0, greatest(0.0, 0.5 + 0.5 * ({column} - {low!r}) / {span!r}))"


@dataclass(frozen=True, eq=False)
class Reference:
    """
    What a search for similar sound starts from.

    Attributes:
        name: Title and artist, or the name of the file.
        vector: Embedding, shape (d,).
        track_id: The track itself, which is not a result; None for a file.
        tempo_bpm: Tempo, None where unknown; so also loudness_lufs and energy.
    """

    name: str
    vector: F32
    track_id: str | None = None
    tempo_bpm: float | None = None
    loudness_lufs: float | None = None
    energy: float | None = None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """
    What the terms may ask about a catalogue.

    Attributes:
        as_of: Last day of the data.
        spellings: Key of a tag (see `tag_key`) -> how the catalogue spells it, the most frequent spelling first.
        has_tags: Whether there is a table of tags of the sound.
        thresholds: Tag of the sound -> confidence from which it counts as heard; CONFIDENT for others.
        energy: Quantiles of the energy; so also danceability and loudness.
        reference: Finds a track by id or by title and artist, or a file by its path; None where sound is not searched.
    """

    as_of: date
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_tags: bool = False
    thresholds: Mapping[str, float] = field(default_factory=dict)
    energy: Quantiles = Quantiles()
    danceability: Quantiles = Quantiles()
    loudness: Quantiles = Quantiles()
    reference: Callable[[str, str], Reference] | None = None

    @classmethod
    def read(cls, warehouse: Warehouse, reference: Callable[[str, str], Reference] | None = None) -> "Catalogue":
        """Read a catalogue; see the attributes."""
        has_tags = TAGS_TABLE in stored_tables(warehouse)
        counts = warehouse.query(internal_sql("genre_lists")).explode("genres").drop_nulls("genres")
        frames = [counts.select(tag="genres", n_tracks="n_tracks")]
        heard = warehouse.query(internal_sql("sound_tags")) if has_tags else pl.DataFrame()
        if has_tags:
            frames.append(heard.select("tag", "n_tracks"))
        return cls(
            as_of=warehouse.query(internal_sql("as_of")).item(),
            spellings=_spellings(pl.concat(frames)),
            has_tags=has_tags,
            thresholds=dict(heard.select("tag", "threshold").iter_rows()) if has_tags else {},
            reference=reference,
            **_quantiles(warehouse),
        )

    @cached_property
    def tags(self) -> list[str]:
        """The tags as the catalogue spells them most often."""
        return [spellings[0] for spellings in self.spellings.values()]


def tag_key(tag: str) -> str:
    """
    Return what spellings of one tag have in common.

    >>> tag_key("Hip-Hop"), tag_key("hip hop"), tag_key("R&B"), tag_key("rnb"), tag_key("rap français")
    ('hiphop', 'hiphop', 'rnb', 'rnb', 'rapfrancais')
    """
    letters = "".join(c for c in unicodedata.normalize("NFKD", tag) if not unicodedata.combining(c)).casefold()
    words = letters.replace("&", " n ").replace("'n'", " n ").split()
    return "".join(c for word in words for c in ("n" if word == "and" else word) if c.isalnum())


def _spellings(counts: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    totals = counts.group_by("tag").agg(pl.col("n_tracks").sum()).sort(["n_tracks", "tag"], descending=[True, False])
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for tag in totals["tag"].head(MAX_TAGS):
        if tag != UNKNOWN and tag_key(tag):
            grouped[tag_key(tag)].append(tag)
    return {key: tuple(tags) for key, tags in grouped.items()}


def _quantiles(warehouse: Warehouse) -> dict[str, Quantiles]:
    row = warehouse.query(internal_sql("feature_quantiles")).row(0, named=True)
    return {name: Quantiles(*(values or ())) for name, values in row.items()}
