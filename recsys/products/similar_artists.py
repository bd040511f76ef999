"""Similar artists: artists with the same listeners."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.dataset.vocab import Vocab
from recsys.products.base import K, ProductInputs
from recsys.recommenders.item_knn import divide_by_norm, neighbours

N_COMMON = 5  # listeners that two artists must share: fewer may be chance, and could identify people


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Compare artists by the cosine of their sets of listeners.

    Returns:
        artist_id, rank, similar_artist_id, score (the cosine, 0..1), n_common (listeners of both). Pairs with fewer
        than five common listeners are left out.
    """
    heard = inputs.known_artists
    artists, users = Vocab.of(heard["artist_id"], kind="artist"), Vocab.of(heard["user_id"], kind="listener")
    pairs_played = (artists.rows(heard["artist_id"]), users.rows(heard["user_id"]))
    played = sp.csr_matrix((np.ones(len(heard), np.float32), pairs_played), shape=(len(artists), len(users)))
    cosine = divide_by_norm(played, 1.0)
    near = neighbours(cosine, cosine, K).tocoo()
    n_common = np.asarray(played[near.row].multiply(played[near.col]).sum(axis=1)).ravel()
    ids = {"artist_id": artists.ids(near.row), "similar_artist_id": artists.ids(near.col)}
    pairs = pl.DataFrame({**ids, "score": near.data, "n_common": n_common.astype(np.int64)})
    kept = pairs.filter(pl.col("n_common") >= N_COMMON).sort("artist_id", "score", descending=[False, True])
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("artist_id")
    return kept.select("artist_id", rank.alias("rank"), "similar_artist_id", "score", "n_common")
