"""
What to play next after some tracks, by the published model, for `recsys next`.

The tracks are folded in as the history of a listener who has played nothing else. Ages say which was played last: the
models' default decay by days makes earlier ones count less, whatever decay was tuned for nightly lists. On real
sessions, the last tracks tell far more about the next one than all that a listener has played
(`python -m bench.recommenders.own_order --next track`).
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from recsys.cleaning.listing import listing
from recsys.home import Home
from recsys.products.base import with_hidden_copies
from recsys.published.explain import published_model
from recsys.recommenders.parts.confidence import RECENT_DAYS
from recsys.recommenders.parts.filters import Filters
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

FACTOR = 3.0  # where old plays decay by recency = 1, a track counts 1 / FACTOR of the one after it
MAX_TRACKS = 20  # earlier tracks would count less than FACTOR ** -20


def next_tracks(home: Home, track_ids: Sequence[str], n: int) -> pl.DataFrame:
    """
    List what to play next.

    Args:
        home: A home with a published release.
        track_ids: The tracks that were played, the last one last.
        n: Maximum number of tracks to list.

    Returns:
        rank, title, artist_name, score, track_id. Only tracks that are available everywhere, and neither the played
        ones nor copies of them.

    Raises:
        UnknownIds: The model was not trained with such a track in its catalogue.
        SetupError: No warehouse or no model has been published yet.
    """
    model = published_model(home)
    model.tracks.rows(track_ids)  # raises UnknownIds
    model.scorer.decay_by_default()
    with Warehouse.open(home.published_warehouse()) as warehouse:
        served_on = warehouse.query(internal_sql("as_of")).item() + timedelta(days=1)
        catalogue = warehouse.query(internal_sql("catalogue"), {"served_on": served_on})
        links = warehouse.query(internal_sql("linked_copies"))
        titles = warehouse.query(internal_sql("names_of_tracks"))
    listed, copies = listing(catalogue, links, served_on)
    filters = Filters.public(listed, tracks=model.tracks, as_of=served_on)
    ranking = model.recommend_by_history(with_hidden_copies(session(track_ids), copies), n, filters=filters)
    named = ranking.join(titles, on="track_id", how="left", maintain_order="left")
    return named.select("rank", "title", "artist_name", "score", "track_id")


def session(track_ids: Sequence[str]) -> pl.DataFrame:
    """
    Return the tracks as the plays of one listener: user_id, track_id, age_days, latest first.

    A track that was played twice is as old as its last play. The age of the n-th last track is such that
    (1 + age / RECENT_DAYS) ** -1 is FACTOR ** -n, n counted from 0; it stands for a decay, not for days that passed.

    >>> session(["a", "b", "a"]).rows()
    [('session', 'a', 0.0), ('session', 'b', 60.0)]
    """
    latest = list(dict.fromkeys(reversed(track_ids)))
    ages = [RECENT_DAYS * (FACTOR ** min(n, MAX_TRACKS) - 1) for n in range(len(latest))]
    return pl.DataFrame({"user_id": "session", "track_id": latest, "age_days": ages})
