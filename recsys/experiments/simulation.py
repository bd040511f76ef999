"""
The feedback loop of a home's own listeners, under the remedies of its recipe (see `feedback.loop`).

Called by `recsys simulate`. Every rule of the recipe is a remedy of its own, all of them together another, then the
places for finding out, alone and with the rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.loop import LoopSettings, Remedy, Tell, World, simulate
from recsys.home import Home
from recsys.recipe import Recipe
from recsys.rerank.base import RerankContext
from recsys.rerank.rules.exposure import Exposure
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

FOLLOWED = ("popularity=tail", "artist_gender=female", "age=current")  # beside what the recipe has targets for
MIN_SHARE = 0.05  # of places to find out with, so that a recipe without any still shows what they would do


@dataclass(frozen=True, eq=False)
class Simulated:
    """What came out: weeks as of `loop.simulate`, and whose they were, in a sentence."""

    weeks: pl.DataFrame
    description: str


def simulate_home(
    home: Home, recipe: Recipe, settings: LoopSettings, *, n_listeners: int, tell: Tell = lambda _event: None
) -> Simulated:
    """
    Let listeners of the published warehouse live with their recommender for some weeks.

    Args:
        home: Where.
        recipe: Its rules and exploration are the remedies.
        settings: How long.
        n_listeners: How many at most, drawn among those with a liked track.
        tell: Called with every week.

    Raises:
        InputError: There are too few listeners or tracks.
        SetupError: Nothing was published yet.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        interactions = Interactions.read(warehouse, until=warehouse.query(internal_sql("as_of")).item())
        groups = warehouse.query(internal_sql("track_groups"))
    known = np.flatnonzero(np.diff(interactions.matrix.indptr))
    if not len(known):
        raise InputError("no listener of the warehouse likes anything: there is nothing to begin with")
    drawn = np.random.default_rng(settings.seed).permutation(known)[:n_listeners]
    context = RerankContext.of_groups(interactions.of_users(np.sort(drawn)), groups)
    world = World.of(context, _followed(recipe), settings.seed)
    weeks = simulate(world, remedies(recipe), settings, tell=tell)
    n_tracks, last_day = len(interactions.tracks), interactions.as_of
    whose = f"{len(drawn):,} of {len(known):,} listeners and {n_tracks:,} tracks, log up to {last_day}."
    return Simulated(weeks, whose)


def remedies(recipe: Recipe) -> dict[str, Remedy]:
    """Name what the recipe could be held against: nothing first."""
    rules = list(recipe.rerank.values())
    exploration = recipe.exploration
    if not exploration.share:
        exploration = ExplorationSettings(share=MIN_SHARE)
    found = {"no remedy": Remedy(), **{name: Remedy([rule]) for name, rule in recipe.rerank.items()}}
    if len(rules) > 1:
        found["all rules"] = Remedy(rules)
    found["exploration"] = Remedy(exploration=exploration)
    if rules:
        found["rules and exploration"] = Remedy(rules, exploration)
    return found


def _followed(recipe: Recipe) -> Sequence[str]:
    rule = recipe.rerank.get("exposure")
    return list(dict.fromkeys([*FOLLOWED, *(rule.targets if isinstance(rule, Exposure) else {})]))
