"""Radio: a long, varied walk from each artist: their best known track first, then what goes with all of theirs."""

import polars as pl

from recsys.products.base import ProductInputs
from recsys.rerank.base import RerankContext
from recsys.rerank.lists import rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.diversity import Diversity

N_TRACKS = 40
N_CANDIDATES = 200
RULES = (ArtistCap(tracks=3, apart=3), Diversity(0.2))


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Start a station for every artist of whom the model knows a track that is available everywhere.

    Returns:
        artist_id, rank, track_id, score (null for the artist's own track, which opens). No artist stands there more
        than three times, nor within three tracks of themselves where others can stand between.
    """
    own = inputs.open_catalogue.select("track_id", "artist_id").drop_nulls()
    seeds = own.select(pl.col("artist_id").alias("key"), "track_id")
    found = inputs.continued(seeds, N_CANDIDATES).rename({"key": "user_id"})
    walks = rerank(found, RULES, RerankContext.of(inputs.interactions), N_TRACKS - 1).rename({"user_id": "artist_id"})
    opening = own.join(inputs.listeners_of, on="track_id").filter(
        pl.col("artist_id").is_in(walks["artist_id"].implode())
    )
    opening = opening.sort("n_listeners", "track_id", descending=[True, False]).unique("artist_id", keep="first")
    first = opening.select(
        "artist_id", pl.lit(1, pl.Int32).alias("rank"), "track_id", pl.lit(None, pl.Float32).alias("score")
    )
    rest = walks.select("artist_id", pl.col("rank") + 1, "track_id", "score")
    return pl.concat([first, rest]).sort("artist_id", "rank")
