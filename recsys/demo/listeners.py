"""
The synthetic listeners: demographics, activity, listening times and preferences.

A listener's preferences are shares of a few scenes (scenes of the home country are more likely), and a vector within
every scene. An artist's weight for a listener is scene share x artist weight x exp(preference . position): this is the
structure that recommenders can learn. The users file contains only some of these attributes.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.catalogue import PREFERENCE_DIMENSIONS, Artists, with_nulls
from recsys.demo.geography import CODES, COUNTRIES, SCENES
from recsys.demo.world import World

PREFERENCE_STD = 0.45  # of the preference coordinates; the higher, the more selective listeners are
ABSENT_SHARE = 0.04  # of the listeners, missing from the users file
AGE_BANDS = ("under 18", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")


@dataclass(frozen=True, slots=True)
class Listeners:
    """
    Listeners by row.

    Attributes:
        ids, country, offset_min: Account id, row of COUNTRIES, local time minus UTC [min]. Shapes (n_listeners,).
        n_listens: Expected listens in the period, (n_listeners,).
        discovery_rate, skip_rate: Probability that a listen is a discovery, or is skipped, (n_listeners,).
        join_day, leave_day: First day of listening, and the day after the last, (n_listeners,).
        daypart_shares: Probability of morning, noon, evening and night, (n_listeners, 4).
        scene_shares: Shares of the scenes, rows sum to 1, (n_listeners, n_scenes).
        preference: Preference vector within a scene, (n_listeners, PREFERENCE_DIMENSIONS).
        table: The users with the columns of their file, except mail addresses.
    """

    ids: np.ndarray
    country: np.ndarray
    offset_min: np.ndarray
    n_listens: np.ndarray
    discovery_rate: np.ndarray
    skip_rate: np.ndarray
    join_day: np.ndarray
    leave_day: np.ndarray
    daypart_shares: np.ndarray
    scene_shares: np.ndarray
    preference: np.ndarray
    table: pl.DataFrame

    def artist_weights(self, artists: Artists, rows: slice) -> np.ndarray:
        """Return the preferences of the listeners in `rows` for each artist, (n_rows, n_artists); rows sum to 1."""
        weights = (
            self.scene_shares[rows][:, artists.scene]
            * artists.weight
            * np.exp(self.preference[rows] @ artists.position.T)
        )
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def affinity(self, artists: Artists, artist: int) -> np.ndarray:
        """Return every listener's preference for one artist, (n_listeners,), comparable between listeners."""
        return np.asarray(
            self.scene_shares[:, artists.scene[artist]] * np.exp(self.preference @ artists.position[artist])
        )


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
        discovery_rate=rng.beta(6.0, 11.0, n),
        skip_rate=rng.beta(2.0, 11.0, n),
        join_day=join_day,
        leave_day=np.maximum(leave_day, join_day + 7).clip(max=world.n_days),
        daypart_shares=rng.dirichlet([1.0, 0.8, 1.6, 0.6], n),
        scene_shares=_mixes(country, age, rng),
        preference=rng.normal(0.0, PREFERENCE_STD, (n, PREFERENCE_DIMENSIONS)),
        table=_user_table(world, rng, ids=ids, country=country, age=age, join_day=join_day),
    )


def _offsets(country: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one of the country's UTC offsets [min]; the first one is the most likely."""
    offsets = np.array([[c.offsets_min[min(i, len(c.offsets_min) - 1)] for i in range(4)] for c in COUNTRIES])
    return np.asarray(offsets[country, rng.choice(4, len(country), p=[0.45, 0.25, 0.1, 0.2])])


def _activity(world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    listens = rng.lognormal(0.0, 0.95, n).clip(0.04, 7.0)
    return np.asarray(listens * 1.04 * world.listens_per_listener / listens.mean())


def _mixes(country: np.ndarray, age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the scene shares: two to four scenes have most of the weight, every scene has some."""
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
