"""The cold-start fallback: which segment a listener gets, and popularity within segments."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.recommenders.parts.segments import (
    EVERYBODY,
    MIN_SEGMENT,
    PRIOR_LISTENERS,
    Segments,
    popularity,
    profiles_of,
)

HALF_LIFE_DAYS = 30.0
# All listeners of a group like one track: (country, age_band, n_listeners, track, age in days)
GROUPS = [
    ("DE", "25-34", MIN_SEGMENT, "a", 0),
    ("DE", "65+", MIN_SEGMENT - 1, "b", 30),
    ("FR", "25-34", MIN_SEGMENT - 1, "c", 0),
    ("unknown", "unknown", 200, "d", 0),
]


@pytest.fixture
def interactions() -> Interactions:
    """Interactions of the listeners in GROUPS."""
    listeners = pl.DataFrame(
        [
            {"user_id": f"{country}{age}{n}", "country": country, "age_band": age, "track_id": track, "age_days": days}
            for country, age, n_listeners, track, days in GROUPS
            for n in range(n_listeners)
        ]
    )
    pairs = listeners.select("user_id", "track_id", "age_days", strength=1.0)
    return Interactions.of(pairs, listeners=listeners.select("user_id", "country", "age_band"))


@pytest.fixture
def segments(interactions: Interactions) -> Segments:
    """Popularity within the segments of these listeners."""
    return Segments.of(interactions, HALF_LIFE_DAYS)


def test_a_segment_needs_enough_listeners_and_known_values(segments: Segments) -> None:
    """Only segments with at least `MIN_SEGMENT` listeners exist, and no segment has an unknown value."""
    assert segments.names.ids().to_list() == ["age_band=25-34", "country=DE", "country=DE, age_band=25-34"]


@pytest.mark.parametrize(
    ("country", "age_band", "segment"),
    [
        ("DE", "25-34", "country=DE, age_band=25-34"),
        ("DE", "65+", "country=DE"),
        ("DE", "unknown", "country=DE"),
        ("DE", None, "country=DE"),
        ("FR", "25-34", "age_band=25-34"),
        ("unknown", "25-34", "age_band=25-34"),
        ("FR", "65+", EVERYBODY),
        ("unknown", "unknown", EVERYBODY),
        (None, None, EVERYBODY),
    ],
)
def test_a_listener_gets_the_finest_large_segment(
    segments: Segments, country: str | None, age_band: str | None, segment: str
) -> None:
    """Country and age band, else country, else age band, else everybody."""
    types = {"user_id": pl.String, "country": pl.String, "age_band": pl.String}
    profiles = pl.DataFrame([{"user_id": "new", "country": country, "age_band": age_band}], schema=types)

    assert segments.names_of(segments.find(pl.Series(["new"]), profiles)).to_list() == [segment]


def test_a_listener_without_profile_gets_everybody(segments: Segments) -> None:
    """The listener is missing in the profiles, or there are no profiles at all."""
    profiles = pl.DataFrame({"user_id": ["one"], "country": ["DE"], "age_band": ["65+"]})

    user_ids = pl.Series(["other", "one"])
    assert segments.names_of(segments.find(user_ids, profiles)).to_list() == [EVERYBODY, "country=DE"]
    assert segments.names_of(segments.find(user_ids, None)).to_list() == [EVERYBODY, EVERYBODY]


def test_popularity_counts_listeners_and_decays(interactions: Interactions) -> None:
    """Each listener has weight 1, and 0.5 after a half-life."""
    assert popularity(interactions, HALF_LIFE_DAYS).tolist() == [
        MIN_SEGMENT,
        (MIN_SEGMENT - 1) / 2,
        MIN_SEGMENT - 1,
        200,
    ]


def test_a_segment_is_smoothed_towards_everybody(interactions: Interactions, segments: Segments) -> None:
    """The score in a segment is its own popularity plus that of `PRIOR_LISTENERS` average listeners."""
    everybody, n_listeners = popularity(interactions, HALF_LIFE_DAYS), len(interactions.users)
    out = np.empty((3, 4), np.float32)

    segments.score(np.array([2, -1, 1]), out)

    own = np.array([[MIN_SEGMENT, 0, 0, 0], [0, 0, 0, 0], [MIN_SEGMENT, (MIN_SEGMENT - 1) / 2, 0, 0]])
    prior = everybody * PRIOR_LISTENERS / n_listeners
    assert out == pytest.approx(np.array([own[0] + prior, everybody, own[2] + prior]), rel=1e-6)


def test_gender_forms_no_segment() -> None:
    """There is no segment of a gender, even if enough listeners have it."""
    pairs = pl.DataFrame({"user_id": [f"u{n}" for n in range(MIN_SEGMENT)], "track_id": "a", "strength": 1.0})
    women = pairs.select("user_id", gender=pl.lit("female"))

    assert len(Segments.of(Interactions.of(pairs, listeners=women), HALF_LIFE_DAYS).names) == 0


def test_without_features_there_are_no_segments(tmp_path: Path) -> None:
    """Without segments, a saved and loaded fallback has only the global popularity."""
    pairs = pl.DataFrame({"user_id": ["u", "v"], "track_id": ["a", "b"], "strength": [1.0, 1.0]})
    plain = Segments.of(Interactions.of(pairs), HALF_LIFE_DAYS)
    out = np.empty((1, 2), np.float32)

    plain.save(tmp_path)
    Segments.load(tmp_path).score(np.array([-1]), out)

    assert len(plain.names) == 0
    assert out.tolist() == [[1, 1]]


def test_of_several_values_the_first_by_name_is_taken() -> None:
    """The features in a split folder may have two countries for one listener."""
    rows = Vocab.of(["u", "v"], kind="listener")
    values = {"user_id": ["u", "u", "v"], "name": ["country=SE", "country=DE", "mood=sad"], "weight": [1.0, 2.0, 1.0]}

    profiles = profiles_of(Features.weighted(rows, pl.DataFrame(values)))

    assert profiles.rows() == [("DE", None), (None, None)]


def test_invalid_profiles_are_refused(segments: Segments) -> None:
    """A missing column and a repeated listener raise, and the message says what to do."""
    user_ids = pl.Series(["u"])
    profiles = pl.DataFrame({"user_id": ["u", "u"], "country": ["DE", "FR"], "age_band": ["65+", "65+"]})

    with pytest.raises(
        InputError, match="profiles: found no column age_band, expected user_id, country, age_band; add"
    ):
        segments.find(user_ids, profiles.drop("age_band"))
    with pytest.raises(InputError, match="profiles: found a listener in several rows, expected one row per listener"):
        segments.find(user_ids, profiles)
