"""
The catalogue as the search sees it: the columns that terms ask for, read once from the marts and kept in memory.

The tables in memory are `tracks` (the rows of `sql/internal/searched_tracks.sql`, with their number `row`, the words of
all names in `names`, `has_sound`, `has_lyrics`, `has_verses` and `has_themes`), `tags` (`row`, tag, confidence; sorted
by tag) and `themes` of lyrics (`row`, theme, share). All searches of one warehouse file can share them.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from recsys.arrays import F32, Rows
from recsys.errors import InputError
from recsys.search.condition import UNKNOWN, literal
from recsys.search.names import FIELDS, NAMES, SEPARATOR, part, words
from recsys.text.encoder import is_installed
from recsys.text.meanings import Meanings
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.memory import in_memory
from recsys.warehouse.query import Warehouse, stored_tables

if TYPE_CHECKING:
    from recsys.search.by_text import VerseIndex
    from recsys.search.vector_index import Index  # needs faiss, and catalogues without audio do without

Texts = Callable[[Sequence[str]], Mapping[str, str]]
NO_ROW = -1  # of a vector that belongs to no track, or was removed
LIMIT_S = 30  # duration after which a query of a search is stopped [s]
MAX_TAGS = 5_000  # the most frequent ones are recognised
MAX_MEANINGS = 1_000  # moods and instruments that are found by meaning too, the most frequent ones
FEATURES = ("energy", "danceability", "loudness_lufs")
_NAMES = pl.concat_str(
    [column.removeprefix("t.") for column, _ in FIELDS.values()], separator=SEPARATOR, ignore_nulls=True
)
QUANTILES = (0.1, 0.4, 0.6, 0.9)


@dataclass(frozen=True)
class Quantiles:
    """Values of a feature below which a tenth, two fifths, three fifths and nine tenths of the recordings lie."""

    tenth: float = 0.0
    low: float = 0.0
    high: float = 0.0
    nine_tenths: float = 0.0

    def side(self, column: str, *, is_high: bool) -> tuple[str, str]:
        """Return the predicate of the upper or lower two fifths, and a score that rises towards the outer tenth."""
        inner, outer = (self.high, self.nine_tenths) if is_high else (self.low, self.tenth)
        where = f"{column} {'>=' if is_high else '<='} {inner!r}"
        if outer == inner:
            return where, "1.0"
        return where, f"least(1.0, greatest(0.0, 0.5 + 0.5 * ({column} - {inner!r}) / {outer - inner!r}))"


@dataclass(frozen=True, eq=False)
class Reference:
    """
    What a search for similar sound starts from.

    Attributes:
        name: Title and artist, or the name of the file.
        vector: Embedding, shape (d,).
        recording_id: The recording, whose tracks are no results; None for a file.
        tempo_bpm: Tempo, None where unknown; so also loudness_lufs and energy.
    """

    name: str
    vector: F32
    recording_id: str | None = None
    tempo_bpm: float | None = None
    loudness_lufs: float | None = None
    energy: float | None = None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """
    A catalogue in memory.

    Attributes:
        tables: `tracks`, `tags` and `themes`.
        as_of: Last day of the data.
        n_tracks: Number of tracks.
        track_ids: Their ids, in the order of their rows.
        index: The vectors of the sound; None where sound is not searched.
        rows_of_index: Row in `tracks` of each row of the index, NO_ROW for other vectors. Shape (n_indexed,).
        embed: Embeds the audio file at a path, or returns None for a text that is no path; None where files of this
            machine may not be read.
        spellings: Key of a tag (see `tag_key`) -> how the catalogue spells it, the most frequent spelling first.
        quantiles: Feature -> its quantiles.
        stated: The genres that tracks state.
        heard: The tags that `tags` has.
        described: Moods and instruments that were heard, the most frequent first.
        source: The warehouse, which must stay open for words of lyrics and licences; None in tests of others.
        marts: The marts of its file, of which that of a label lacks some.
        verses: The vectors of sections of lyrics; None where their meaning is not searched.
        texts: Returns the texts of lyrics that the lake keeps, by text_id; None where these may not be read.
    """

    tables: Warehouse
    as_of: date
    n_tracks: int
    track_ids: pl.Series
    index: "Index | None" = None
    rows_of_index: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    embed: Callable[[str], Reference | None] | None = None
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    quantiles: Mapping[str, Quantiles] = field(default_factory=dict)
    stated: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    described: tuple[str, ...] = ()
    source: Warehouse | None = None
    marts: frozenset[str] = frozenset()
    verses: "VerseIndex | None" = None
    texts: Texts | None = None

    @classmethod
    def read(
        cls,
        warehouse: Warehouse,
        index: "Index | None" = None,
        embed: Callable[[str], Reference | None] | None = None,
        *,
        verses: "VerseIndex | None" = None,
        texts: Texts | None = None,
    ) -> "Catalogue":
        """Read the catalogue of a warehouse into memory; see the attributes."""
        as_of = warehouse.query(internal_sql("as_of")).item()
        tracks = warehouse.query(internal_sql("searched_tracks"), {"as_of": as_of}).with_row_index("row")
        heard = warehouse.query(internal_sql("searched_tags"))
        themes = warehouse.query(internal_sql("searched_themes"))
        ids = pl.DataFrame({"track_id": _indexed(index)}, schema={"track_id": pl.String})
        tracks = tracks.with_columns(
            has_sound=pl.col("track_id").is_in(ids["track_id"].drop_nulls().implode()),
            has_lyrics=pl.col("track_id").is_in(_with_lyrics(warehouse).implode()),
            has_verses=pl.col("track_id").is_in(pl.Series(verses.ids if verses else [], dtype=pl.String).implode()),
            has_themes=pl.col("track_id").is_in(themes["track_id"].implode()),
            row=pl.col("row").cast(pl.Int64),
            **{NAMES: _NAMES},
        )
        rows = ids.join(tracks.select("track_id", "row"), on="track_id", how="left", maintain_order="left")["row"]
        row_of = tracks.select("track_id", "row")
        tags = heard.join(row_of, on="track_id", maintain_order="left").drop("track_id")
        of_rows = themes.join(row_of, on="track_id", maintain_order="left").drop("track_id")
        stated = tracks["genres"].explode().drop_nulls().rename("tag")
        counts = pl.concat([stated, heard["tag"]]).value_counts()
        return cls(
            tables=in_memory({"tracks": tracks, "tags": tags, "themes": of_rows}),
            as_of=as_of,
            n_tracks=tracks.height,
            track_ids=tracks["track_id"],
            index=index,
            rows_of_index=rows.fill_null(NO_ROW).to_numpy(),
            embed=embed,
            spellings=_spellings(counts),
            stated=frozenset(stated.unique()),
            heard=frozenset(heard["tag"].unique()),
            described=tuple(warehouse.query(internal_sql("described_tags"))["tag"]),
            quantiles={name: _quantiles(tracks[name].drop_nulls()) for name in FEATURES},
            source=warehouse,
            marts=frozenset(stored_tables(warehouse)),
            verses=verses,
            texts=texts,
        )

    def query(self, sql: str, params: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a query on `tables`; raises InputError if it takes longer than LIMIT_S."""
        return self.tables.query(sql, params, limit_s=LIMIT_S, if_slow="Write fewer terms")

    def mart_query(self, sql: str, mart: str, **params: object) -> pl.DataFrame:
        """Run a query on the warehouse that reads a mart; raises InputError where the file lacks it."""
        if self.source is None or mart not in self.marts:
            raise InputError(f"This is not searched here: {mart} is not in this file, which may be that of a label")
        return self.source.query(sql, params, limit_s=LIMIT_S, if_slow="Write fewer words")

    @property
    def served_on(self) -> date:
        """The day after the last day of the data, on which the lists are shown."""
        return self.as_of + timedelta(days=1)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Track id -> row in `tracks`."""
        return {track_id: row for row, track_id in enumerate(self.track_ids)}

    def rows_of(self, found: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a frame with `track_id` whose tracks are in `tracks`, with the column row instead."""
        return found.join(self._numbered, on="track_id", maintain_order="left").drop("track_id")

    @cached_property
    def _numbered(self) -> pl.DataFrame:
        return self.track_ids.to_frame("track_id").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))

    @cached_property
    def tags(self) -> list[str]:
        """The tags as the catalogue spells them most often."""
        return [spellings[0] for spellings in self.spellings.values()]

    @cached_property
    def meanings(self) -> Meanings:
        """The meanings of moods and instruments; none where the encoder of texts is not installed."""
        known = [tag for tag in self.described if tag_key(tag) in self.spellings]
        return Meanings.of(known[:MAX_MEANINGS] if is_installed() else ())

    @cached_property
    def words_of_names(self) -> pl.Series:
        """Every word of a title or a name, in lower case and without accents."""
        names = self.tables.query(f"select distinct {NAMES} from tracks")[NAMES]
        return names.str.replace_all(SEPARATOR, "", literal=True).str.split(" ").explode().drop_nulls().unique().sort()

    def find(self, name: str, artist: str) -> pl.DataFrame:
        """
        Find a track by its id, or by its title and a part of its artist's name.

        Args:
            name: Id or title, whatever its case and accents.
            artist: Part of the artist's name; '' for any.

        Returns:
            row, recording_id, title, artist_name, tempo_bpm, loudness_lufs, energy, has_sound; those with sound first.
        """
        return self.tables.query(
            f"""
            select row, recording_id, title, artist_name, tempo_bpm, loudness_lufs, energy, has_sound from tracks
            where (track_id = {literal(name)} or title_words = {words(name)})
                and contains(coalesce(artist_words, ''), {part(artist)})
            order by has_sound desc, row
            """
        )


def _indexed(index: "Index | None") -> list[str | None]:
    """Return the id of each row of an index; None for a removed vector."""
    if index is None:
        return []
    return [name if is_there else None for name, is_there in zip(index.ids, index.is_there, strict=True)]


def _with_lyrics(warehouse: Warehouse) -> pl.Series:
    """Return the recordings with lyrics; none where an older version built the warehouse."""
    if "marts.track_lyrics" not in stored_tables(warehouse):
        return pl.Series(dtype=pl.String)
    return warehouse.query(internal_sql("tracks_with_lyrics"))["track_id"]


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
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for tag in counts.sort(["count", "tag"], descending=[True, False])["tag"].head(MAX_TAGS):
        if tag != UNKNOWN and tag_key(tag):
            grouped[tag_key(tag)].append(tag)
    return {key: tuple(tags) for key, tags in grouped.items()}


def _quantiles(values: pl.Series) -> Quantiles:
    if values.is_empty():
        return Quantiles()
    return Quantiles(*(float(value) for value in np.quantile(values.to_numpy(), QUANTILES)))
