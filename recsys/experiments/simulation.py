"""
Simulate the feedback loop for listeners of the published warehouse, with the remedies of a recipe (`feedback.loop`).

The remedies are: each rerank rule alone, all rules together, exploration alone, and all rules with exploration. Called
by `recsys simulate`.
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

# groups whose exposure is reported, besides those that have a target in the recipe
REPORTED_GROUPS = ("popularity=tail", "artist_gender=female", "age=current")
MIN_SHARE = 0.05  # share of exploration slots in the simulation if the recipe has none


@dataclass(frozen=True, eq=False)
class SimulationResult:
    """
    The result of a simulation.

    Attributes:
        weeks: Metrics by remedy and week, as `loop.simulate` returns them.
        description: A sentence on the listeners and tracks that were simulated.
    """

    weeks: pl.DataFrame
    description: str


def simulate_feedback_loop(
    home: Home, recipe: Recipe, settings: LoopSettings, *, n_listeners: int, tell: Tell = lambda _event: None
) -> SimulationResult:
    """
    Simulate the weekly cycle of recommending and retraining, for a sample of listeners in the published warehouse.

    Args:
        home: The home whose published warehouse is read.
        recipe: Its rerank rules and exploration are compared with a run without them.
        settings: Length of the simulation and other settings.
        n_listeners: Maximum number of listeners, sampled at random from those with a liked track.
        tell: Called after every week, for progress messages.

    Raises:
        InputError: There are too few listeners or tracks for the preference model.
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
    listeners = SimulatedListeners.of(context, _reported_groups(recipe), settings.seed)
    weeks = simulate(listeners, remedies(recipe), settings, tell=tell)
    n_tracks, last_day = len(interactions.tracks), interactions.as_of
    description = f"{len(sample):,} of {len(known):,} listeners and {n_tracks:,} tracks, log up to {last_day}."
    return SimulationResult(weeks, description)


def remedies(recipe: Recipe) -> dict[str, Remedy]:
    """Return the remedies of a recipe by name. The first is 'no remedy', the baseline of all comparisons."""
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


def _reported_groups(recipe: Recipe) -> Sequence[str]:
    rule = recipe.rerank.get("exposure")
    return list(dict.fromkeys([*REPORTED_GROUPS, *(rule.targets if isinstance(rule, Exposure) else {})]))
