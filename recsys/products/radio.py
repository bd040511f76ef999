"""
Radio: a long, varied list per artist.

It starts with the artist's most popular track, followed by tracks similar to the artist's whole catalogue.
"""

import polars as pl

from recsys.products.base import CATALOGUE, Key, ProductInputs
from recsys.rerank.base import RerankContext
from recsys.rerank.lists import rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.diversity import Diversity

KEY: Key = CATALOGUE
N_TRACKS = 40
N_CANDIDATES = 200
RULES = (ArtistCap(tracks=3, apart=3), Diversity(0.2))


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Make a list per artist who has a track that is available everywhere and that the model was trained on.

    Returns:
        artist_id, rank, track_id, score (null for the first track, which is the artist's own). After the first track,
        no artist has more than three tracks in a list, with at least three tracks by others between two of them where
        possible.
    """
    own = inputs.public_catalogue.select("track_id", "artist_id").drop_nulls()
    seeds = own.select(pl.col("artist_id").alias("key"), "track_id")
    candidates = inputs.continuations(seeds, N_CANDIDATES).rename({"key": "user_id"})
    stations = rerank(candidates, RULES, RerankContext.of(inputs.interactions), N_TRACKS - 1).rename(
        {"user_id": "artist_id"}
    )
    opening = own.join(inputs.listener_counts, on="track_id").filter(
        pl.col("artist_id").is_in(stations["artist_id"].implode())
    )
    opening = opening.sort("n_listeners", "track_id", descending=[True, False]).unique("artist_id", keep="first")
    first = opening.select(
        "artist_id", pl.lit(1, pl.Int32).alias("rank"), "track_id", pl.lit(None, pl.Float32).alias("score")
    )
    rest = stations.select("artist_id", pl.col("rank") + 1, "track_id", "score")
    return pl.concat([first, rest]).sort("artist_id", "rank")
