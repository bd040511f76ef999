"""
Ids of recordings and artists that a source names but does not identify, and the rows that such a source delivers.

Names are compared in one form: NFC, case-folded, white space collapsed. The id of a recording is
`name:<artist>/<title>`, the id of an artist `name:<artist>`; `%` and `/` within a name are escaped, so that different
pairs of names never get the same id ("Earth" + "Wind/Fire", "Earth/Wind" + "Fire").
"""

import unicodedata
from collections.abc import Iterator

import polars as pl

from recsys.ingest.source import LINE, Chunk

NAMES = ("artist", "title")
REACTION = ("user_id", "event_at", "event")
LISTEN = ("user_id", "listened_at", "ms_played", "skipped", "utc_offset_min", "source")
TRACK = ("release_title", "duration_ms", "isrc")


def named_id(*columns: str) -> pl.Expr:
    """Return the id derived from columns of names, outermost name first; null if one of them is missing or blank."""
    return "name:" + pl.concat_str([_comparable(pl.col(name)) for name in columns], separator="/")


def _comparable(name: pl.Expr) -> pl.Expr:
    """Return names in the form in which they are compared, with `%` and `/` escaped; blank names become null."""
    spaced = name.str.normalize("NFC").str.replace_all(r"\s+", " ").str.strip_chars(" ").replace("", None)
    folded = spaced.map_batches(_case_folded, return_dtype=pl.String)
    return folded.str.replace_all("%", "%25", literal=True).str.replace_all("/", "%2F", literal=True)


def _case_folded(names: pl.Series) -> pl.Series:
    """Fold case by the Unicode rules (ß = ss); for ASCII, lower case is the same and much faster."""
    lower = names.str.to_lowercase()
    foreign = names.drop_nulls().unique()
    foreign = foreign.filter(foreign.str.len_bytes() != foreign.str.len_chars())
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in foreign]
    known = pl.DataFrame({"name": foreign, "folded": pl.Series(folded, dtype=pl.String)})
    joined = names.alias("name").to_frame().join(known, on="name", how="left", maintain_order="left")
    return pl.Series(joined["folded"].fill_null(lower))


def listens(rows: pl.DataFrame, malformed: list[int]) -> Iterator[Chunk]:
    """
    Deliver the rows of a listening history as listens, tracks and artists.

    Args:
        rows: Texts, with `_line`: `artist` and `title` (names), and any of the columns of LISTEN and TRACK, `track_id`
            and `artist_id` (null where the source has no id: it is derived from the names).
        malformed: `_line` of the records that could not be parsed.

    Yields:
        The listens; then the recordings and artists that they name, which never replace delivered ones. A listen
        without any name or id has no `track_id`, so that the contract refuses it.
    """
    yield from _with_catalogue("listens", LISTEN, rows, malformed)


def reactions(rows: pl.DataFrame, malformed: list[int]) -> Iterator[Chunk]:
    """Deliver likes and other reactions as events, tracks and artists; as `listens`, with the columns of REACTION."""
    yield from _with_catalogue("events", REACTION, rows, malformed)


def _with_catalogue(table: str, columns: tuple[str, ...], rows: pl.DataFrame, malformed: list[int]) -> Iterator[Chunk]:
    optional = ("track_id", "artist_id", *NAMES, *columns, *TRACK)
    known = rows.with_columns(pl.lit(None, pl.String).alias(name) for name in optional if name not in rows.columns)
    identified = known.with_columns(
        artist_id=pl.coalesce(_given("artist_id"), named_id("artist")),
        track_id=pl.coalesce(_given("track_id"), named_id("artist", "title")),
    )
    yield Chunk(table, identified.select(*columns, "track_id", LINE), malformed)
    yield from catalogue(identified)


def _given(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().replace("", None)


def catalogue(identified: pl.DataFrame) -> Iterator[Chunk]:
    """Deliver the distinct recordings and artists of rows with ids and names, fill-only."""
    tracks = identified.filter(pl.col("track_id").is_not_null(), _given("title").is_not_null())
    distinct = tracks.filter(pl.col("artist_id").is_not_null()).unique("track_id", keep="first", maintain_order=True)
    yield Chunk("tracks", distinct.select("track_id", "artist_id", *TRACK, "title", LINE), is_fill_only=True)
    yield artists(identified)


def artists(identified: pl.DataFrame) -> Chunk:
    """Deliver the distinct artists of rows with `artist_id` and `artist` (the name), fill-only."""
    named = identified.filter(pl.col("artist_id").is_not_null(), _given("artist").is_not_null())
    distinct = named.unique("artist_id", keep="first", maintain_order=True)
    return Chunk("artists", distinct.select("artist_id", LINE, name="artist"), is_fill_only=True)
