"""
Last.fm listening histories and profiles as tab-separated text (Celma, Last.fm-1K).

History: `userid, timestamp, artid, artname, traid, traname`, with or without a header. If a recording or artist has no
id, one is derived from its names; it is the same in every file. A scrobble has no duration and counts as a play.
Profile: `userid, gender, age, country, signup`; the age, or the middle of an age range, becomes an age band.
"""

from collections.abc import Iterator

import polars as pl

from recsys.ingest import names
from recsys.ingest.encoding import text_sample
from recsys.ingest.formats.csv import delimited
from recsys.ingest.source import LINE, Chunk, Source

_HISTORY = ["userid", "timestamp", "artid", "artname", "traid", "traname"]
_PROFILE = ["userid", "gender", "age", "country", "signup"]
_BANDS_BELOW = {"55-64": 65, "45-54": 55, "35-44": 45, "25-34": 35, "18-24": 25, "under 18": 18}  # years of age


def recognises(source: Source) -> bool:
    """Return whether the first line is the header of a history or profile, or has the six fields of a history."""
    fields = _first_line(source)
    is_row = len(fields) == len(_HISTORY) and fields[1][4:5] == b"-" and fields[1][10:11] == b"T"
    return _is_profile(fields) or _is_header(fields) or is_row


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read a history as listens, tracks and artists, or a profile as users; `table` is ignored."""
    first = _first_line(source)
    if _is_profile(first):
        for rows, malformed in delimited(source, _PROFILE, "\t", skip_rows=1, quote=False):
            yield Chunk("users", _users(rows), malformed)
    else:
        for rows, malformed in delimited(source, _HISTORY, "\t", skip_rows=int(_is_header(first)), quote=False):
            yield from _history(rows, malformed)


def _first_line(source: Source) -> list[bytes]:
    return text_sample(source).split(b"\n", 1)[0].rstrip(b"\r").split(b"\t")


def _is_header(fields: list[bytes]) -> bool:
    return [field.lstrip(b"#").strip().lower().decode(errors="replace") for field in fields] == _HISTORY


def _is_profile(fields: list[bytes]) -> bool:
    return [field.lstrip(b"#").strip().lower() for field in fields[:2]] in ([b"userid", b"gender"], [b"id", b"gender"])


def _history(rows: pl.DataFrame, malformed: list[int]) -> Iterator[Chunk]:
    own = {"userid": "user_id", "timestamp": "listened_at", "artid": "artist_id", "traid": "track_id"}
    yield from names.listens(rows.rename(own | {"artname": "artist", "traname": "title"}), malformed)


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
