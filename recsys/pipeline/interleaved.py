"""
Interleave the lists of some listeners with those of a challenger, and judge both by the plays of earlier runs.

The challenger is fitted on the same interactions, and its candidates pass the same filters and rerank rules. These
lists have no exploration slots: each of their tracks is the choice of one of the two.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from recsys.columns import RUN_ID, Column
from recsys.feedback.interleaving import FIRST, INTERLEAVED_COLUMNS, SECOND, team_draft, verdict
from recsys.products.base import ProductInputs
from recsys.recipe import Recipe
from recsys.recommenders.base import Recommender
from recsys.rerank.base import RerankContext, RerankRule
from recsys.rerank.lists import full_lists

INTERLEAVINGS_COLUMNS = (
    *(RUN_ID, Column("served_on", pl.Date()), Column("until", pl.Date())),
    *(Column("recommender", pl.String()), Column("challenger", pl.String())),
    *INTERLEAVED_COLUMNS,
)


def challengers_lists(
    users: pl.Series, inputs: ProductInputs, recipe: Recipe, context: RerankContext, rules: Sequence[RerankRule]
) -> pl.DataFrame:
    """Fit the challenger, and return its lists for some listeners, chosen by the same filters and rules."""
    name = recipe.interleaving.challenger
    model: Recommender[Any] = Recommender.named(name, recipe.configs[name]).fit(inputs.interactions)
    of_challenger = replace(inputs, model=model)
    candidates = of_challenger.recommend(users, inputs.n_candidates)
    return full_lists(candidates, of_challenger.recommend, rules, context, recipe.export.k)[0]


def interleaved(
    ranking: pl.DataFrame,
    chosen: pl.DataFrame,
    challenge: Callable[[pl.Series], pl.DataFrame],
    *,
    recipe: Recipe,
    as_of: date,
) -> pl.DataFrame:
    """
    Replace the lists of drawn listeners, who have one that is not a fallback, by the team draft of two.

    Args:
        ranking: All lists: user_id, rank, track_id and other columns, with each listener's rows adjacent.
        chosen: The exported recommender's own lists, without exploration, as long as or longer than the exported.
        challenge: Returns the challenger's lists of some listeners.
        recipe: Its length of lists and settings of interleaving.
        as_of: Date of the run.

    Returns:
        The lists, in the order of `ranking`, with two more columns, team and is_contested, null in other lists.
    """
    settings, k = recipe.interleaving, recipe.export.k
    rng = settings.generator(as_of)
    users = ranking.filter(~pl.col("is_fallback"))["user_id"].unique(maintain_order=True)
    drawn = users.filter(pl.Series(rng.random(len(users)) < settings.share, dtype=pl.Boolean))
    if not settings.challenger or drawn.is_empty():
        return ranking.with_columns(team=pl.lit(None, pl.String), is_contested=pl.lit(None, pl.Boolean))
    own = chosen.filter(pl.col("user_id").is_in(drawn.implode()) & (pl.col("rank") <= k))
    challenging = challenge(drawn)
    drafted = team_draft(own, challenging, k, rng=rng)
    of_teams = [rows.with_columns(team=pl.lit(team)) for rows, team in ((own, FIRST), (challenging, SECOND))]
    scored = pl.concat(of_teams, how="diagonal").drop("rank")
    mixed = drafted.join(scored, on=["user_id", "track_id", "team"], how="left", maintain_order="left")
    mixed = mixed.with_columns(is_explored=pl.lit(value=False), propensity=pl.lit(1.0))
    whole = pl.concat([ranking.join(drafted, on="user_id", how="anti"), mixed], how="diagonal_relaxed")
    order = ranking.select(pl.col("user_id").unique(maintain_order=True)).with_row_index("position")
    return whole.join(order, on="user_id").sort("position", "rank").drop("position")


def interleavings(ranking: pl.DataFrame, recipe: Recipe, served_on: date) -> pl.DataFrame:
    """Return the log of the interleaved lists, one row per position, with INTERLEAVINGS_COLUMNS except the run."""
    until = served_on + timedelta(days=recipe.interleaving.days - 1)
    return ranking.filter(pl.col("team").is_not_null()).with_columns(
        served_on=pl.lit(served_on),
        until=pl.lit(until),
        recommender=pl.lit(recipe.recommender),
        challenger=pl.lit(recipe.interleaving.challenger),
    )


def judged(plays: pl.DataFrame, recipe: Recipe) -> dict[str, Any]:
    """
    Return what listeners prefer, for the report of the gate; empty without plays of the recipe's two recommenders.

    Args:
        plays: The rows of marts.interleavings whose days are over.
        recipe: Its recommender and challenger, and the seed of the test.
    """
    names = {"recommender": recipe.recommender, "challenger": recipe.interleaving.challenger}
    own = plays.filter("is_contested", **names)
    if own.is_empty():
        return {}
    found = verdict(own, seed=recipe.interleaving.seed)
    winner = {FIRST: names["recommender"], SECOND: names["challenger"]}.get(found.winner, "")
    return {**names, **found.difference._asdict(), "p_value": found.p_value, "winner": winner}
