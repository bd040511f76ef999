"""
Why one track was or was not recommended to one listener: what each of their own tracks says for or against it.

It asks the model in charge and the published warehouse, so it explains the lists that were exported. Called by
`recsys explain`.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.recommenders.base import Recommender
from recsys.releases import registry
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse


@dataclass(frozen=True, eq=False)
class Explanation:
    """
    What speaks for a track.

    Attributes:
        track: 'Title by Artist'.
        rank: Its place in the listener's published list, None where it is not in it.
        reason: The reason that was exported with it.
        contributions: title, artist_name, track_id, contribution (see `Recommender.explain`) and share: of the
            contributions' absolute sum, -1..1; strongest first.
    """

    track: str
    rank: int | None
    reason: str | None
    contributions: pl.DataFrame


def explain(home: Home, user_id: str, track_id: str) -> Explanation:
    """
    Explain one pair.

    Raises:
        InputError: The warehouse has no such listener or track, or the model learned of no such track.
        SetupError: Nothing was published yet, or no model.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        asked: dict[str, object] = {"user_id": user_id, "track_id": track_id}
        place = warehouse.query(internal_sql("place_of_track"), asked)
        if warehouse.query(internal_sql("known_listener"), {"user_id": user_id}).is_empty():
            raise InputError(f"no listener is called {user_id!r}; recsys find WORDS finds listeners by their id")
        if place.is_empty():
            raise InputError(f"no track is called {track_id!r}; recsys find WORDS finds tracks by title, artist or id")
        interactions = Interactions.read(warehouse, until=warehouse.query(internal_sql("as_of")).item())
        titles = warehouse.query(internal_sql("names_of_tracks"))
    said = _model_in_charge(home).explain(user_id, track_id, interactions)
    title, artist, rank, reason = place.row(0)
    share = pl.col("contribution") / pl.col("contribution").abs().sum()
    named = said.join(titles, on="track_id", how="left", maintain_order="left")
    columns = "title", "artist_name", "track_id", "contribution"
    return Explanation(f"{title} by {artist}", rank, reason, named.select(*columns, share=share))


def candidates(home: Home, user_id: str, n: int) -> pl.DataFrame:
    """
    List a listener's best candidates of the published export, among which the rules chose.

    Returns:
        rank (the recommender's own), title, artist_name, score, place (in the published list; null where the rules
        chose others), track_id; empty for a listener without a list.

    Raises:
        SetupError: No lists are published yet.
    """
    release = registry.current(home)
    if release is None or release.export is None:
        raise SetupError(f"{home.path} has no published lists yet. Run: recsys nightly")
    stored = pl.scan_parquet(release.export / "candidates.parquet").filter(user_id=user_id).sort("rank")
    best = stored.head(n).select("rank", "score", "track_id").collect()
    with Warehouse.open(release.warehouse) as warehouse:
        places = warehouse.query(
            internal_sql("places_of_tracks"), {"user_id": user_id, "track_ids": best["track_id"].to_list()}
        )
    named = best.join(places, on="track_id", how="left", maintain_order="left")
    return named.select("rank", "title", "artist_name", "score", "place", "track_id")


def _model_in_charge(home: Home) -> Recommender[Any]:
    release = registry.current(home)
    if release is None or release.model is None:
        raise SetupError(f"{home.path} has no model in charge yet. Run: recsys nightly")
    return Recommender.load(release.model)
