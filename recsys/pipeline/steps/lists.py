"""The step that makes recommendations: a list per listener with a reason per track, and the products."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from recsys.analytics.communities import TRACKS
from recsys.cleaning.listing import heard_copies, listing
from recsys.columns import (
    GROUP_KIND,
    GROUP_NAME,
    IS_EXPLORED,
    IS_FALLBACK,
    PROPENSITY,
    RANK,
    REASON,
    REASON_KIND,
    REASON_TRACK_ID,
    RECOMMENDER,
    RUN_ID,
    SCORE,
    TRACK_ID,
    USER_ID,
    Column,
)
from recsys.dataset.interactions import Interactions
from recsys.feedback.exploration import EXPLORATIONS_COLUMNS, exploration_log, explore, learn_posterior
from recsys.feedback.interleaving import SECOND
from recsys.pipeline.interleaved import INTERLEAVINGS_COLUMNS, challengers_lists, interleaved, interleavings
from recsys.pipeline.results import Artefact, Outcome, Result, step, whole_folder, write_table
from recsys.pipeline.without_list import WITHOUT_LIST_COLUMNS, summary, without_list
from recsys.products.base import ProductInputs, product_maker, product_names
from recsys.recipe import POPULARITY_BASELINE, Recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.imported import Imported
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.reason_text import with_exploration_text, with_reason_kind, with_reason_text
from recsys.rerank.base import RerankContext
from recsys.rerank.lists import full_lists
from recsys.rerank.rules.exposure import Exposure


def _read_products(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def _write_products(folder: Path, tables: Mapping[str, pl.DataFrame]) -> None:
    for name, table in tables.items():
        write_table(folder / f"{name}.parquet", table)


UNKNOWN_REASON = "chosen for you"  # of imported lists, which say not why

CANDIDATES = Result("candidates", (USER_ID, RANK, TRACK_ID, SCORE, IS_FALLBACK), history=None)
RECOMMENDATIONS = Result(
    "recommendations",
    (
        *(RUN_ID, USER_ID, RANK, TRACK_ID, SCORE, RECOMMENDER),
        *(REASON, REASON_KIND, REASON_TRACK_ID, IS_EXPLORED, PROPENSITY),
    ),
)
EXPLORATIONS = Result("explorations", (RUN_ID, *EXPLORATIONS_COLUMNS), history="published runs")
INTERLEAVINGS = Result("interleavings", INTERLEAVINGS_COLUMNS, history="published runs")
EXPOSURE_TARGETS = Result("exposure_targets", (GROUP_KIND, GROUP_NAME, Column("target_share", pl.Float64())))
WITHOUT_LIST = Result("listeners_without_list", WITHOUT_LIST_COLUMNS, history=None)
PRODUCTS = Artefact("products", read=_read_products, write=whole_folder(_write_products))  # a table for each product


@step(CANDIDATES, RECOMMENDATIONS, WITHOUT_LIST, EXPLORATIONS, INTERLEAVINGS, EXPOSURE_TARGETS, PRODUCTS)
def recommend(
    *,
    model: Recommender[Any],
    interactions: Interactions,
    listeners: pl.DataFrame,
    catalogue: pl.DataFrame,
    duplicate_links: pl.DataFrame,
    playlists: pl.DataFrame,
    communities: pl.DataFrame,
    community_members: pl.DataFrame,
    repeats: pl.DataFrame,
    track_groups: pl.DataFrame,
    feedback: pl.DataFrame,
    recipe: Recipe,
    as_of: date,
    served_on: date,
    note: Callable[..., None],
) -> Outcome:
    """Rerank each listener's candidates, fill the exploration slots, add reasons, and make the products."""
    listed, copies = listing(catalogue, duplicate_links, served_on)
    seen, heard = (interactions, heard_copies(interactions, copies)) if recipe.export.new_only else (None, None)
    filters = Filters.for_listeners(listeners, listed, tracks=model.tracks, as_of=served_on, seen=seen, blocked=heard)
    inputs = ProductInputs(
        model=model,
        interactions=interactions,
        filters=filters,
        listeners=listeners if interactions.matrix.nnz else listeners.clear(),  # nothing liked: nothing is popular
        catalogue=listed,
        playlists=playlists,
        clusters=_clusters(communities, community_members),
        copies=copies,
        repeats=repeats,
        n_candidates=recipe.export.candidates,
        served_on=served_on,
    )
    k, exploration = recipe.export.k, recipe.exploration
    context, rules = RerankContext.of_groups(interactions, track_groups), list(recipe.rerank.values())
    chosen, n_widened = full_lists(inputs.candidates, inputs.recommend, rules, context, exploration.candidate_length(k))
    rng = exploration.generator(as_of)
    ranking = explore(chosen, context, k, settings=exploration, posterior=learn_posterior(feedback), rng=rng)
    challenge = partial(challengers_lists, inputs=inputs, recipe=recipe, context=context, rules=rules)
    ranking = interleaved(ranking, chosen, challenge, recipe=recipe, as_of=as_of)
    lists = _with_reasons(model.add_reasons(ranking, interactions), catalogue, recipe)
    without = _noted(without_list(listeners, lists, inputs.filters), listeners.height, note)
    products = {name: product_maker(name)(inputs) for name in product_names()}
    counts = _list_counts(lists, ranking, k) | {
        "n_without_list": without.height,
        "n_widened": n_widened,
        "n_candidates": inputs.candidates.height,
        "products": {name: table.height for name, table in products.items()},
    }
    made = {
        CANDIDATES.name: inputs.candidates,
        RECOMMENDATIONS.name: lists,
        WITHOUT_LIST.name: without,
        **_logs(ranking, recipe, served_on),
        EXPOSURE_TARGETS.name: _exposure_targets(recipe),
        PRODUCTS.name: products,
    }
    return Outcome(made, counts)


def _noted(without: pl.DataFrame, n_listeners: int, note: Callable[..., None]) -> pl.DataFrame:
    """Return the listeners without a list, with a warning if there are any."""
    if not without.is_empty():
        note(event="warning", text=summary(without, n_listeners))
    return without


def _logs(ranking: pl.DataFrame, recipe: Recipe, served_on: date) -> dict[str, pl.DataFrame]:
    """Return the logs of what was explored and interleaved, from which later runs learn."""
    return {
        EXPLORATIONS.name: exploration_log(ranking, recipe.exploration, served_on),
        INTERLEAVINGS.name: interleavings(ranking, recipe, served_on),
    }


def _list_counts(lists: pl.DataFrame, ranking: pl.DataFrame, k: int) -> dict[str, int]:
    lengths = lists.group_by("user_id").len()["len"]
    return {
        "n_listeners": len(lengths),
        "n_rows": lists.height,
        "n_short_lists": int((lengths < k).sum()),
        "n_explored": int(lists["is_explored"].sum()),
        "n_fallback": ranking.filter("is_fallback")["user_id"].n_unique(),
    }


def _clusters(communities: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return the tracks of each track cluster: community, name, track_id."""
    of_tracks = members.filter(kind=TRACKS).join(communities.filter(kind=TRACKS), on="community")
    return of_tracks.select("community", "name", track_id="member_id")


def _with_reasons(lists: pl.DataFrame, catalogue: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """Add kind and text of each reason, where explored tracks are marked, and the column recommender."""
    recommender = (
        pl.when(pl.col("team") == SECOND)
        .then(pl.lit(recipe.interleaving.challenger))
        .when("is_fallback")
        .then(pl.lit(POPULARITY_BASELINE))
        .otherwise(pl.lit(recipe.recommender))
    )
    reasoned = with_reason_text(with_reason_kind(lists, catalogue), catalogue).with_columns(recommender=recommender)
    is_imported = (pl.col("recommender") == Imported.name) & pl.col("reason_track_id").is_null()
    reason = pl.when(is_imported).then(pl.lit(UNKNOWN_REASON)).otherwise("reason")
    return with_exploration_text(reasoned.with_columns(reason=reason))


def _exposure_targets(recipe: Recipe) -> pl.DataFrame:
    """Return the exposure targets of the recipe, one row per group."""
    rule = recipe.rerank.get("exposure")
    targets = rule.targets if isinstance(rule, Exposure) else {}
    rows = [(*group.split("=", 1), share) for group, share in targets.items()]
    return pl.DataFrame(rows, EXPOSURE_TARGETS.schema, orient="row")
