"""
Explain why a track was or was not recommended to a listener.

The champion gives the contribution of each track in the listener's history to the score; the published lists and
candidates show the effect of rerank rules and exploration. Used by `recsys explain` and the page of recommendations.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.pipeline.export import checked_file
from recsys.recipe import POPULARITY_BASELINE
from recsys.recommenders.base import Recommender
from recsys.releases import registry
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

CANDIDATES = "candidates.parquet"  # of an export


@dataclass(frozen=True, eq=False)
class Explanation:
    """
    Why a track is or is not in a listener's published list.

    Attributes:
        track: 'Title by Artist'.
        rank: Its rank in the published list, from 1; None if it is not in the list.
        reason: The published reason of the recommendation; None if the track is not in the list.
        is_explored: Whether exploration put the track into the list.
        challenger: The recommender that chose the track in an interleaved list; None if the champion chose it, or if it
            is not in the list.
        n_listed: Length of the published list; 0 if the listener has none.
        candidate_rank: Rank by the model's score, from 1, before rerank rules and exploration; None if the track is not
            among the candidates that the run stored.
        contributions: Contribution of each track in the listener's history to the score: title, artist_name, track_id,
            contribution (see `Recommender.explain`) and share (contribution divided by the sum of absolute
            contributions, -1..1). Highest contribution first.
    """

    track: str
    rank: int | None
    reason: str | None
    is_explored: bool
    challenger: str | None
    n_listed: int
    candidate_rank: int | None
    contributions: pl.DataFrame

    @property
    def rank_explanation(self) -> str:
        """
        Text, one or two sentences: why the track has its rank, or why it is not in the list.

        It names the model's rank, and the effect of rerank rules, exploration and interleaving.
        """
        if self.challenger:
            return f"The recommender {self.challenger} chose it, which takes turns with the published one in this list."
        explored = "Exploration drew it, to learn whether the listener likes it. " if self.is_explored else ""
        if self.candidate_rank is None:
            return f"{explored}It is not among the candidates that the run kept for this listener."
        ranked = f"The model ranked it {self.candidate_rank} among this listener's candidates"
        return f"{explored}{ranked}." if self.is_explored else f"{ranked}{self._moved(self.candidate_rank)}."

    def _moved(self, candidate_rank: int) -> str:
        """Return how the rank in the list differs from the model's rank, as the end of a sentence."""
        if self.rank is None and candidate_rank > self.n_listed:
            return f"; the list has {self.n_listed:,} tracks"
        if self.rank is None:
            return "; rerank rules or exploration left it out of the list"
        if self.rank < candidate_rank:
            return "; rerank rules moved it up"
        return (
            "; rerank rules or exploration moved it down" if self.rank > candidate_rank else ", the same as in the list"
        )


def explain(home: Home, user_id: str, track_id: str) -> Explanation:
    """
    Explain why a track is or is not recommended to a listener.

    Raises:
        InputError: The warehouse has no such listener or track, or the champion was not trained on the track.
        SetupError: No warehouse or no model has been published yet.
    """
    champion = published_model(home)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        rank = _candidate_rank(home, user_id, track_id)
        return explain_in(warehouse, champion, user_id, track_id, candidate_rank=rank)


def explain_in(
    warehouse: Warehouse, champion: Recommender[Any], user_id: str, track_id: str, *, candidate_rank: int | None
) -> Explanation:
    """
    Explain as `explain` does, by the parts of one release.

    Args:
        warehouse: Its warehouse.
        champion: Its model.
        user_id: The listener.
        track_id: The track.
        candidate_rank: See `Explanation`.
    """
    pair: dict[str, object] = {"user_id": user_id, "track_id": track_id}
    place = warehouse.query(internal_sql("place_of_track"), pair)
    if warehouse.query(internal_sql("known_listener"), {"user_id": user_id}).is_empty():
        raise InputError(f"There is no listener {user_id!r}. Search by part of the id: recsys find WORDS")
    if place.is_empty():
        raise InputError(f"There is no track {track_id!r}. Search by title, artist or id: recsys find WORDS")
    window: dict[str, object] = {"since": date.min, "until": warehouse.query(internal_sql("as_of")).item()}
    listened = f"select * from ({internal_sql('listened_pairs')}) as pairs where user_id = $user_id"
    interactions = Interactions.of(warehouse.query(listened, {**window, "user_id": user_id}))
    titles = warehouse.query(internal_sql("names_of_tracks"))
    contributions = (
        champion.explain(user_id, track_id, interactions)
        .join(titles, on="track_id", how="left", maintain_order="left")
        .with_columns(share=pl.col("contribution") / pl.col("contribution").abs().sum())
    )
    title, artist, rank, reason, is_explored, n_listed, recommender = place.row(0)
    return Explanation(
        track=f"{title} by {artist}",
        rank=rank,
        reason=reason,
        is_explored=is_explored,
        challenger=None if recommender in (None, champion.scorer.name, POPULARITY_BASELINE) else recommender,
        n_listed=n_listed,
        candidate_rank=candidate_rank,
        contributions=contributions.select("title", "artist_name", "track_id", "contribution", "share"),
    )


def candidates(home: Home, user_id: str, n: int) -> pl.DataFrame:
    """
    List the first n candidates of a listener, from which rerank rules and exploration chose the published list.

    Returns:
        rank (by the model's score, before rerank rules and exploration), title, artist_name, score, place (rank in the
        published list; null if the track is not in it), track_id. No rows if the listener has no list.

    Raises:
        SetupError: No lists are published yet.
    """
    release = registry.current(home)
    if release is None or release.export is None:
        raise SetupError(f"{home.path} has no published lists yet. Run: recsys nightly")
    path = checked_file(release.export, CANDIDATES)
    if path is None:
        raise SetupError(f"{release.export} has no {CANDIDATES}. Run: recsys nightly")
    stored = pl.scan_parquet(path).filter(user_id=user_id).sort("rank")
    best = stored.head(n).select("rank", "score", "track_id").collect()
    with Warehouse.open(release.warehouse) as warehouse:
        places = warehouse.query(
            internal_sql("places_of_tracks"), {"user_id": user_id, "track_ids": best["track_id"].to_list()}
        )
    named = best.join(places, on="track_id", how="left", maintain_order="left")
    return named.select("rank", "title", "artist_name", "score", "place", "track_id")


def _candidate_rank(home: Home, user_id: str, track_id: str) -> int | None:
    """Return the rank of a track among a listener's stored candidates; None if it is not among them."""
    release = registry.current(home)
    path = None if release is None or release.export is None else checked_file(release.export, CANDIDATES)
    if path is None:
        return None
    kept = pl.scan_parquet(path).filter(user_id=user_id, track_id=track_id)
    ranks = kept.select("rank").collect()["rank"]
    return ranks[0] if len(ranks) else None


def published_model(home: Home) -> Recommender[Any]:
    """Load the champion; raises SetupError if there is none yet."""
    release = registry.current(home)
    if release is None or release.model is None:
        raise SetupError(f"{home.path} has no published model yet. Run: recsys nightly")
    return Recommender.load(release.model)
