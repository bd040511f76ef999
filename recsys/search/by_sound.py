"""What sounds like this, within what is asked for: a predicate in SQL, and not ten tracks of one album."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.arrays import F32
from recsys.errors import InputError, UnknownIds
from recsys.search.vector_index import NOTHING, Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

# What a predicate speaks of: the columns of marts.track_features, `tempo` for short, and the words that are heard.
TAGGED = 0.25  # confidence from which on a word counts
ASKED_SQL = f"""
select track_id from (
    select features.*, features.tempo_bpm as tempo, coalesce(words.tags, []) as tags
    from marts.track_features as features
    left join (
        select track_id, list(distinct tag order by tag) as tags from marts.track_tags
        where confidence >= {TAGGED} group by track_id
    ) as words using (track_id)
) as tracks
where ({{where}})
"""


@dataclass(frozen=True)
class Wanted:
    """
    What is wanted of a list.

    Attributes:
        k: Tracks.
        per_artist: At most so many of one artist.
        per_release: At most so many of one release.
    """

    k: int = 10
    per_artist: int = 2
    per_release: int = 1


def index_of(warehouse: Warehouse, last: Index | None = None) -> Index:
    """
    Make the index of a warehouse's vectors; those of the encoder that made most of them count.

    Args:
        warehouse: Read.
        last: An earlier index: where its encoder is the same, it is brought up to date and returned.

    Raises:
        InputError: The warehouse has no vectors.
        SetupError: Too many neighbours are missed.
    """
    vectors = warehouse.query(internal_sql("vectors_to_index"))
    if vectors.is_empty():
        raise InputError("The warehouse has no vectors yet. Scan some music: recsys audio scan FOLDER, recsys build")
    encoder = vectors["encoder"].mode().sort()[0]
    chosen = vectors.filter(encoder=encoder)
    ids, numbers = chosen["track_id"].to_list(), np.stack(chosen["vector"].to_list())
    if last is not None and last.version == encoder:
        last.update(ids, numbers)
        return last
    return Index.build(ids, numbers, version=encoder)


def allowed_by(warehouse: Warehouse, where: str) -> pl.Series:
    """
    Return the ids of the tracks that a predicate holds for.

    Args:
        warehouse: Asked.
        where: SQL on the columns of marts.track_features; `tempo` is tempo_bpm, `tags` the words heard with a
            confidence of at least .25: "tempo between 90 and 110 and list_contains(tags, 'piano')".

    Raises:
        InputError: It is no predicate, or names a column that is not there; DuckDB's own words say what.
    """
    query = ASKED_SQL.format(where=where)
    told = json.loads(warehouse.query("select json_serialize_sql($query) as tree", {"query": query})["tree"][0])
    statements = told.get("statements", [])
    if told.get("error") or len(statements) != 1 or statements[0]["node"]["type"] != "SELECT_NODE":
        raise InputError(f"{where!r} is no condition. Write one as after WHERE: tempo between 90 and 110")
    return warehouse.query(query)["track_id"]


def discover(
    index: Index,
    query: F32,
    tracks: pl.DataFrame,
    wanted: Wanted,
    *,
    without: str | None = None,
    only: pl.Series | None = None,
) -> pl.DataFrame:
    """
    List what is nearest to a vector.

    Args:
        index: Searched.
        query: Shape (d,).
        tracks: track_id, artist_id, release_title; an unknown artist or release is nobody else's.
        wanted: Length and variety.
        without: A track that is not listed: the query itself.
        only: Ids that may be listed; all where it is None.

    Returns:
        rank, track_id, similarity (cosine); exactly k where so many are allowed.
    """
    may = np.ones(len(index.ids), np.bool_) if only is None else np.isin(index.ids, only.to_numpy())
    if without is not None:
        may &= index.ids != without
    credit = {row[0]: row[1:] for row in tracks.select("track_id", "artist_id", "release_title").iter_rows()}
    n_fetched, n_all = 4 * wanted.k, int(may.sum())
    while True:
        found = index.search(query[None], min(n_fetched, max(n_all, 1)), allowed=may)
        chosen = _varied(index, found.rows[0], credit, wanted)
        if len(chosen) == wanted.k or n_fetched >= n_all:
            break
        n_fetched *= 4
    return pl.DataFrame(
        {
            "rank": range(1, len(chosen) + 1),
            "track_id": [index.ids[found.rows[0][at]] for at in chosen],
            "similarity": [float(found.scores[0][at]) for at in chosen],
        },
        schema={"rank": pl.Int32, "track_id": pl.String, "similarity": pl.Float64},
    )


def _varied(
    index: Index, rows: np.ndarray, credit: dict[str, tuple[str | None, str | None]], wanted: Wanted
) -> list[int]:
    """Choose places of an answer, best first, as long as artist and release have room."""
    artists: Counter[str] = Counter()
    releases: Counter[tuple[str | None, str]] = Counter()
    chosen: list[int] = []
    for at, row in enumerate(rows):
        if row == NOTHING or len(chosen) == wanted.k:
            break
        artist, release = credit.get(index.ids[row], (None, None))
        if artist is not None and artists[artist] >= wanted.per_artist:
            continue
        if release is not None and releases[artist, release] >= wanted.per_release:
            continue
        artists.update([artist] if artist is not None else [])
        releases.update([(artist, release)] if release is not None else [])
        chosen.append(at)
    return chosen


def named_track(index: Index, track_id: str) -> F32:
    """Return the vector of a track; raises UnknownIds where nobody heard it."""
    if track_id not in set(index.ids):
        raise UnknownIds.of("track", [track_id], index.ids.tolist(), "the index of analysed recordings")
    return np.asarray(index.vectors_of([track_id])[0])
