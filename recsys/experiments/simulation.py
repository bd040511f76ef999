"""
Simulate the feedback loop of a home's own listeners under the remedies of its recipe (see `feedback.loop`).

The remedies are: each rerank rule alone, all rules together, exploration alone, and rules with exploration. Called by
`recsys simulate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.loop import LoopSettings, Remedy, SimulatedListeners, Tell, simulate
from recsys.home import Home
from recsys.recipe import Recipe
from recsys.rerank.base import RerankContext
from recsys.rerank.rules.exposure import Exposure
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

FOLLOWED = ("popularity=tail", "artist_gender=female", "age=current")  # groups reported beside those with targets
MIN_SHARE = 0.05  # share of exploration slots in the simulation if the recipe has none


@dataclass(frozen=True, eq=False)
class Simulated:
    """The outcome: `weeks` as `loop.simulate` returns them, and a sentence about the listeners and the log."""

    weeks: pl.DataFrame
    description: str


def simulate_home(
    home: Home, recipe: Recipe, settings: LoopSettings, *, n_listeners: int, tell: Tell = lambda _event: None
) -> Simulated:
    """
    Simulate weeks of recommending to listeners of the published warehouse and learning from their plays.

    Args:
        home: The home whose published warehouse is read.
        recipe: Its rules and exploration are the remedies.
        settings: Length of the simulation and other settings.
        n_listeners: Maximum number of listeners, drawn at random among those with a liked track.
        tell: Called after every week, for progress messages.

    Raises:
        InputError: There are too few listeners or tracks.
        SetupError: Nothing has been published yet.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        interactions = Interactions.read(warehouse, until=warehouse.query(internal_sql("as_of")).item())
        groups = warehouse.query(internal_sql("track_groups"))
    known = np.flatnonzero(np.diff(interactions.matrix.indptr))
    if not len(known):
        raise InputError(
            "The warehouse has no listener with a liked track; expected at least one. Run: recsys ingest FILES"
        )
    sample = np.random.default_rng(settings.seed).permutation(known)[:n_listeners]
    context = RerankContext.of_groups(interactions.of_users(np.sort(sample)), groups)
    listeners = SimulatedListeners.of(context, _followed(recipe), settings.seed)
    weeks = simulate(listeners, remedies(recipe), settings, tell=tell)
    n_tracks, last_day = len(interactions.tracks), interactions.as_of
    description = f"{len(sample):,} of {len(known):,} listeners and {n_tracks:,} tracks, log up to {last_day}."
    return Simulated(weeks, description)


def remedies(recipe: Recipe) -> dict[str, Remedy]:
    """Return the remedies of a recipe by name; the first is 'no remedy', which the others are compared with."""
    rules = list(recipe.rerank.values())
    exploration = recipe.exploration
    if not exploration.share:
        exploration = ExplorationSettings(share=MIN_SHARE)
    by_name = {"no remedy": Remedy(), **{name: Remedy([rule]) for name, rule in recipe.rerank.items()}}
    if len(rules) > 1:
        by_name["all rules"] = Remedy(rules)
    by_name["exploration"] = Remedy(exploration=exploration)
    if rules:
        by_name["rules and exploration"] = Remedy(rules, exploration)
    return by_name


def _followed(recipe: Recipe) -> Sequence[str]:
    rule = recipe.rerank.get("exposure")
    return list(dict.fromkeys([*FOLLOWED, *(rule.targets if isinstance(rule, Exposure) else {})]))
