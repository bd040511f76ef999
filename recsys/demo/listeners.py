"""
The listeners: who they are, how much and when they listen, and what they like.

A taste is a mixture of few scenes (the home country's more likely) and a direction within every scene; an artist's
weight for a listener is scene share x artist weight x exp(direction . place). That is the structure recommenders
can learn. What a listener tells about themselves in the users file is less than what is known here.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.catalogue import TASTE_DIMENSIONS, Artists, with_nulls
from recsys.demo.geography import CODES, COUNTRIES, SCENES
from recsys.demo.world import World

TASTE_STRENGTH = 0.45  # standard deviation of a direction's coordinates: how picky listeners are within a scene
ABSENT_SHARE = 0.04  # of the listeners, from the users file
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")


@dataclass(frozen=True, slots=True)
class Listeners:
    """
    Listeners by row; all arrays start with n_listeners.

    `n_listens` is the expected number in the period, `discovers` and `skips` are probabilities of a listen,
    `join_day` and `leave_day` bound the days they listen, `hours` (n, 4) are the chances of morning, noon, evening
    and night, `mix` (n, n_scenes) the shares of the scenes, `direction` (n, TASTE_DIMENSIONS) the taste within one.
    """

    ids: np.ndarray
    country: np.ndarray
    offset_min: np.ndarray
    n_listens: np.ndarray
    discovers: np.ndarray
    skips: np.ndarray
    join_day: np.ndarray
    leave_day: np.ndarray
    hours: np.ndarray
    mix: np.ndarray
    direction: np.ndarray
    table: pl.DataFrame

    def artist_weights(self, artists: Artists, rows: slice) -> np.ndarray:
        """Return how much the listeners in `rows` lean to each artist: (n_rows, n_artists) float64, rows sum to 1."""
        weights = self.mix[rows][:, artists.scene] * artists.weight * np.exp(self.direction[rows] @ artists.place.T)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def affinity(self, artists: Artists, artist: int) -> np.ndarray:
        """Return every listener's leaning to one artist: (n_listeners,) float64, comparable between listeners."""
        return np.asarray(self.mix[:, artists.scene[artist]] * np.exp(self.direction @ artists.place[artist]))


def make_listeners(world: World, rng: np.random.Generator) -> Listeners:
    """Draw the listeners of a world."""
    n = world.n_listeners
    shares = np.array([country.share for country in COUNTRIES])
    country = rng.choice(len(COUNTRIES), n, p=shares / shares.sum())
    age = rng.choice(len(AGE_BANDS), n, p=[0.05, 0.24, 0.29, 0.18, 0.12, 0.08, 0.04])
    join_day = np.where(rng.random(n) < 0.15, rng.integers(0, world.n_days - 10, n), 0)
    leave_day = np.where(rng.random(n) < 0.06, rng.integers(20, world.n_days, n), world.n_days)
    ids = names.ids("acct", n, 6, rng)
    return Listeners(
        ids=ids,
        country=country,
        offset_min=_offsets(country, rng),
        n_listens=_activity(world, n, rng),
        discovers=rng.beta(6.0, 11.0, n),
        skips=rng.beta(2.0, 11.0, n),
        join_day=join_day,
        leave_day=np.maximum(leave_day, join_day + 7).clip(max=world.n_days),
        hours=rng.dirichlet([1.0, 0.8, 1.6, 0.6], n),
        mix=_mixes(country, age, rng),
        direction=rng.normal(0.0, TASTE_STRENGTH, (n, TASTE_DIMENSIONS)),
        table=_user_table(world, rng, ids=ids, country=country, age=age, join_day=join_day),
    )


def _offsets(country: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the country's clocks, the first most often [min]."""
    clocks = np.array([[c.offsets_min[min(i, len(c.offsets_min) - 1)] for i in range(4)] for c in COUNTRIES])
    return np.asarray(clocks[country, rng.choice(4, len(country), p=[0.45, 0.25, 0.1, 0.2])])


def _activity(world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    listens = rng.lognormal(0.0, 0.95, n).clip(0.04, 7.0)
    return np.asarray(listens * 1.04 * world.listens_per_listener / listens.mean())


def _mixes(country: np.ndarray, age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two to four scenes make up most of a taste; a little of everything is in each."""
    at_home = np.array([[code in scene.countries for scene in SCENES] for code in CODES])
    by_age = rng.lognormal(0.0, 0.6, (len(AGE_BANDS), len(SCENES)))
    reach = rng.lognormal(0.0, 0.45, len(SCENES))
    raw = rng.gamma(0.22, size=(len(country), len(SCENES))) + 0.004
    raw *= reach * by_age[age] * (1.0 + 2.5 * at_home[country])
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def _user_table(
    world: World,
    rng: np.random.Generator,
    *,
    ids: np.ndarray,
    country: np.ndarray,
    age: np.ndarray,
    join_day: np.ndarray,
) -> pl.DataFrame:
    n = len(ids)
    signed_up = np.where(join_day > 0, join_day, -rng.integers(1, 2_500, n))
    table = pl.DataFrame(
        {
            "user_id": ids,
            "gender": rng.choice(["female", "male", "nonbinary", "unknown"], n, p=[0.42, 0.43, 0.03, 0.12]),
            "age_band": np.where(rng.random(n) < 0.08, "unknown", np.array(AGE_BANDS)[age]),
            "country": with_nulls(CODES[country], 0.07, rng),
            "signed_up_at": [world.date_of(day) for day in signed_up],
        }
    )
    return table.filter(rng.random(n) >= ABSENT_SHARE)
