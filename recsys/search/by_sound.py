"""
Lists of tracks that sound alike: nearest neighbours in the vector index, filtered by an SQL condition.

The number of tracks per artist and per release is limited, so that one album does not fill a list.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.arrays import F32
from recsys.errors import InputError, UnknownIds
from recsys.search.vector_index import NO_ROW, Index
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

Credit = tuple[str | None, str | None, str | None]  # artist, release and recording of a track
NO_CREDIT: Credit = (None, None, None)
TAG_CONFIDENCE = 0.25  # minimum confidence of a tag without a probability
TAG_PROBABILITY = 0.5  # minimum probability of a tag, where its tagger is calibrated
# A condition may use the columns of marts.track_features, `tempo` for tempo_bpm, and `tags`, a list.
CONDITION_SQL = f"""
select track_id from (
    select features.*, features.tempo_bpm as tempo, coalesce(words.tags, []) as tags
    from marts.track_features as features
    left join (
        select track_id, list(distinct tag order by tag) as tags from marts.track_tags
        where coalesce(probability >= {TAG_PROBABILITY}, confidence >= {TAG_CONFIDENCE})
        group by track_id
    ) as words using (track_id)
) as tracks
where ({{where}})
"""


@dataclass(frozen=True)
class ListLimits:
    """
    Length and variety of a list.

    Attributes:
        k: Number of tracks.
        per_artist: Maximum number of tracks per artist.
        per_release: Maximum number of tracks per release.
    """

    k: int = 10
    per_artist: int = 2
    per_release: int = 1


def build_index(warehouse: Warehouse, last: Index | None = None) -> Index:
    """
    Index the vectors of a warehouse; if they come from several encoders, only those of the most frequent encoder.

    Args:
        warehouse: The warehouse with the vectors.
        last: An earlier index; if its vectors come from the same encoder, it is updated and returned.

    Raises:
        InputError: The warehouse has no vectors.
        SetupError: The recall of the index is below its minimum.
    """
    vectors = warehouse.query(internal_sql("vectors_to_index"))
    if vectors.is_empty():
        raise InputError("The warehouse has no vectors yet. Scan some music: recsys audio scan FOLDER, recsys build")
    encoder = vectors["encoder"].mode().sort()[0]
    chosen = vectors.filter(encoder=encoder)
    ids, matrix = chosen["track_id"].to_list(), np.stack(chosen["vector"].to_list())
    if last is not None and last.version == encoder:
        last.update(ids, matrix)
        return last
    return Index.build(ids, matrix, version=encoder)


def filter_tracks(warehouse: Warehouse, where: str) -> pl.Series:
    """
    Return the ids of the tracks that satisfy a condition.

    Args:
        warehouse: The warehouse with the tracks.
        where: SQL condition on the columns of marts.track_features; `tempo` is tempo_bpm, `tags` lists the tags with a
            confidence of at least .25. Example: "tempo between 90 and 110 and list_contains(tags, 'piano')".

    Raises:
        InputError: `where` is not a single condition, or names an unknown column; the message quotes DuckDB's error.
    """
    query = CONDITION_SQL.format(where=where)
    tree = json.loads(warehouse.query("select json_serialize_sql($query) as tree", {"query": query})["tree"][0])
    statements = tree.get("statements", [])
    if tree.get("error") or len(statements) != 1 or statements[0]["node"]["type"] != "SELECT_NODE":
        raise InputError(
            f"{where!r} is not an SQL condition. Write what follows WHERE, such as: tempo between 90 and 110"
        )
    return warehouse.query(query)["track_id"]


def allowed_tracks(warehouse: Warehouse, which: str | pl.Series | None) -> pl.Series | None:
    """Return the ids of the tracks that may be listed: those of a condition, or the given ones; None allows all."""
    return filter_tracks(warehouse, which) if isinstance(which, str) else which


def nearest_tracks(
    index: Index,
    query: F32,
    tracks: pl.DataFrame,
    limits: ListLimits,
    *,
    exclude: str | None = None,
    allowed: pl.Series | None = None,
) -> pl.DataFrame:
    """
    List the tracks nearest to a vector.

    Args:
        index: The index of the tracks' vectors.
        query: Vector, shape (d,).
        tracks: track_id, artist_id, release_title, recording_id; without an artist or a release, a track is not
            limited by it. Of tracks with the same recording_id, one is listed.
        limits: Length and variety of the list.
        exclude: Id of a track to leave out with its copies, such as the query itself.
        allowed: Ids of the tracks that may be listed; None allows all.

    Returns:
        rank, track_id, similarity (cosine): k rows, or fewer if the limits and `allowed` leave fewer tracks.
    """
    mask = np.ones(len(index.ids), np.bool_) if allowed is None else np.isin(index.ids, allowed.to_numpy())
    if exclude is not None:
        mask &= index.ids != exclude
    credit = credits_of(tracks)
    n_fetched, n_all = 4 * limits.k, int(mask.sum())
    while True:
        found = index.search(query[None], min(n_fetched, max(n_all, 1)), allowed=mask)
        ids = [index.ids[row] for row in found.rows[0] if row != NO_ROW]  # the padding is at the end
        positions = within_limits(ids, credit, limits, exclude)
        if len(positions) == limits.k or n_fetched >= n_all:
            break
        n_fetched *= 4
    return pl.DataFrame(
        {
            "rank": range(1, len(positions) + 1),
            "track_id": [ids[position] for position in positions],
            "similarity": [float(found.scores[0][position]) for position in positions],
        },
        schema={"rank": pl.Int32, "track_id": pl.String, "similarity": pl.Float64},
    )


def credits_of(tracks: pl.DataFrame) -> dict[str, Credit]:
    """Return artist, release and recording of each track, from the columns that `nearest_tracks` describes."""
    columns = tracks.select("track_id", "artist_id", "release_title", "recording_id")
    return {row[0]: row[1:] for row in columns.iter_rows()}


def within_limits(
    ids: Sequence[str], credit: Mapping[str, Credit], limits: ListLimits, exclude: str | None
) -> list[int]:
    """
    Choose results so that the limits per artist, release and recording are kept.

    Args:
        ids: Track ids of the results, best first.
        credit: See `credits_of`.
        limits: Length and variety of the list.
        exclude: Id of a track to leave out with its copies.

    Returns:
        Positions in `ids`, best first.
    """
    artists: Counter[str] = Counter()
    releases: Counter[tuple[str | None, str]] = Counter()
    recordings = {exclude and credit.get(exclude, NO_CREDIT)[2]}
    chosen: list[int] = []
    for position, track_id in enumerate(ids):
        if len(chosen) == limits.k:
            break
        artist, release, recording = credit.get(track_id, NO_CREDIT)
        if track_id == exclude:
            continue
        if recording is not None and recording in recordings:
            continue
        if artist is not None and artists[artist] >= limits.per_artist:
            continue
        if release is not None and releases[artist, release] >= limits.per_release:
            continue
        artists.update([artist] if artist is not None else [])
        releases.update([(artist, release)] if release is not None else [])
        recordings.add(recording)
        chosen.append(position)
    return chosen


def track_vector(index: Index, track_id: str) -> F32:
    """Return the vector of a track, shape (d,); raises UnknownIds if the index does not have it."""
    if track_id not in set(index.ids):
        raise UnknownIds.of("track", [track_id], index.ids.tolist(), "the index of analysed recordings")
    return np.asarray(index.vectors_of([track_id])[0])
