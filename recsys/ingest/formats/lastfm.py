"""
Last.fm listening histories and profiles as tab-separated text (Celma, Last.fm-1K).

History: `userid, timestamp, artid, artname, traid, traname`, without a header. If a recording or artist has no id, one
is derived from its names; it is the same in every file. A scrobble has no duration and counts as a play.
Profile: `userid, gender, age, country, signup`; the age, or the middle of an age range, becomes an age band.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest.encoding import text_sample
from recsys.ingest.formats.csv import delimited
from recsys.ingest.source import LINE, Chunk, Source

_HISTORY = ["userid", "timestamp", "artid", "artname", "traid", "traname"]
_PROFILE = ["userid", "gender", "age", "country", "signup"]
_BANDS_BELOW = {"55-64": 65, "45-54": 55, "35-44": 45, "25-34": 35, "18-24": 25, "under 18": 18}  # years of age


def recognises(source: Source) -> bool:
    """Return whether the first line has the six fields of a history, or is the header of a profile."""
    fields = text_sample(source).split(b"\n", 1)[0].rstrip(b"\r").split(b"\t")
    return _is_profile(fields) or (len(fields) == len(_HISTORY) and fields[1][4:5] == b"-" and fields[1][10:11] == b"T")


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read a history as listens, tracks and artists, or a profile as users; `table` is ignored."""
    first = text_sample(source).split(b"\n", 1)[0].rstrip(b"\r").split(b"\t")
    if _is_profile(first):
        for rows, malformed in delimited(source, _PROFILE, "\t", skip_rows=1, quote=False):
            yield Chunk("users", _users(rows), malformed)
    else:
        for rows, malformed in delimited(source, _HISTORY, "\t", skip_rows=0, quote=False):
            yield from _history(rows, malformed)


def _is_profile(fields: list[bytes]) -> bool:
    return [field.lstrip(b"#").strip().lower() for field in fields[:2]] in ([b"userid", b"gender"], [b"id", b"gender"])


def _history(rows: pl.DataFrame, malformed: list[int]) -> Iterator[Chunk]:
    artist_id = pl.coalesce("artid", _named("artname"))
    track_id = pl.coalesce("traid", _named("artname", "traname"))
    named = rows.with_columns(artist_id=artist_id, track_id=track_id)
    yield Chunk("listens", named.select("track_id", LINE, user_id="userid", listened_at="timestamp"), malformed)
    tracks = named.filter(pl.col("traname").is_not_null(), pl.col("artist_id").is_not_null())
    yield Chunk("tracks", tracks.select("track_id", "artist_id", LINE, title="traname"), is_fill_only=True)
    artists = named.filter(pl.col("artname").is_not_null())
    yield Chunk("artists", artists.select("artist_id", LINE, name="artname"), is_fill_only=True)


def _named(*columns: str) -> pl.Expr:
    """Derive an id from names; null if a name is missing."""
    return "name:" + pl.concat_str([pl.col(name).str.to_lowercase() for name in columns], separator="/")


def _users(rows: pl.DataFrame) -> pl.DataFrame:
    ends = pl.col("age").str.extract_all(r"\d+").cast(pl.List(pl.Int64), strict=False)
    years = pl.when(pl.col("age").str.contains(r"^\d+(-\d+)?$")).then(ends.list.mean())
    return rows.select(
        LINE,
        user_id="userid",
        gender=pl.col("gender").str.to_lowercase().replace({"f": "female", "m": "male", "n": "unknown"}),
        age_band=pl.when(years.is_between(1, 119)).then(_age_band(years)).otherwise(pl.col("age")),
        country="country",
        signed_up_at=pl.coalesce(
            pl.col("signup").str.to_date("%b %d, %Y", strict=False).cast(pl.String), pl.col("signup")
        ),
    )


def _age_band(years: pl.Expr) -> pl.Expr:
    band = pl.lit("65+")
    for name, below in _BANDS_BELOW.items():
        band = pl.when(years < below).then(pl.lit(name)).otherwise(band)
    return band
