"""Similar artists: artists who share many listeners."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.dataset.vocab import Vocab
from recsys.products.base import CATALOGUE, LIST_LENGTH, Key, ProductInputs
from recsys.recommenders.item_knn import divide_by_norm, neighbours

KEY: Key = CATALOGUE
MIN_COMMON = 5  # minimum number of shared listeners: fewer may be chance, and could identify people


def make(inputs: ProductInputs) -> pl.DataFrame:
    """
    Compare artists by the cosine similarity of their sets of listeners.

    Returns:
        artist_id, rank, similar_artist_id, score (cosine, 0..1), n_common (number of shared listeners). Pairs with
        fewer than five shared listeners are omitted.
    """
    heard = inputs.seen_artists
    artists, users = Vocab.of(heard["artist_id"], kind="artist"), Vocab.of(heard["user_id"], kind="listener")
    pairs_played = (artists.rows(heard["artist_id"]), users.rows(heard["user_id"]))
    played = sp.csr_matrix((np.ones(len(heard), np.float32), pairs_played), shape=(len(artists), len(users)))
    cosine = divide_by_norm(played, 1.0)
    near = neighbours(cosine, cosine, LIST_LENGTH).tocoo()
    n_common = np.asarray(played[near.row].multiply(played[near.col]).sum(axis=1)).ravel()
    ids = {"artist_id": artists.ids(near.row), "similar_artist_id": artists.ids(near.col)}
    pairs = pl.DataFrame({**ids, "score": near.data, "n_common": n_common.astype(np.int64)})
    kept = pairs.filter(pl.col("n_common") >= MIN_COMMON).sort("artist_id", "score", descending=[False, True])
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("artist_id")
    return kept.select("artist_id", rank.alias("rank"), "similar_artist_id", "score", "n_common")
