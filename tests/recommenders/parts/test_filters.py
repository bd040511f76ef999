"""Filters: which tracks are excluded for which listener."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Vocab
from recsys.recommenders.parts.filters import Filters

TRACKS = Vocab.of(["everywhere", "germany", "gone", "going", "unlisted"], kind="track")
CATALOGUE = pl.DataFrame(
    {
        "track_id": ["everywhere", "germany", "gone", "going", "new"],
        "available_in": [None, ["DE", "AT"], [], [], []],
        "withdrawn_at": [None, None, date(2026, 6, 30), date(2026, 7, 1), None],
    },
    schema_overrides={"available_in": pl.List(pl.String)},
)
LISTENERS = pl.DataFrame({"user_id": ["ann", "bob", "cyd", "dan"], "country": ["DE", "FR", "unknown", None]})


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [
        ("ann", {"everywhere", "germany", "going"}),
        ("bob", {"everywhere", "going"}),
        ("cyd", {"everywhere", "going"}),
        ("dan", {"everywhere", "going"}),
        ("stranger", {"everywhere", "going"}),
    ],
)
def test_territory_and_withdrawal(user_id: str, expected: set[str]) -> None:
    """Restricted tracks are allowed in listed countries only; withdrawn and unlisted tracks are never allowed."""
    filters = Filters.for_listeners(LISTENERS, CATALOGUE, tracks=TRACKS, as_of=date(2026, 6, 30))

    mask = filters.mask(["ann", user_id] if user_id != "ann" else ["bob", user_id])

    assert set(TRACKS.ids(np.flatnonzero(mask.allowed[mask.group[1]]))) == expected


def test_seen_and_blocked_pairs_are_hidden() -> None:
    """Pairs seen in another window and blocked pairs are excluded by id; ids outside the catalogue are ignored."""
    seen = Interactions.of(
        pl.DataFrame({"user_id": ["ann", "eve"], "track_id": ["going", "elsewhere"], "strength": [-1.0, 1.0]})
    )
    blocked = pl.DataFrame({"user_id": ["bob", "bob"], "track_id": ["everywhere", "elsewhere"]})

    filters = Filters.for_listeners(
        LISTENERS, CATALOGUE, tracks=TRACKS, as_of=date(2026, 6, 30), seen=seen, blocked=blocked
    )

    assert _hidden(filters, ["bob", "ann", "eve", "stranger"]) == [["everywhere"], ["going"], [], []]


def test_filters_for_evaluation_exclude_seen_pairs() -> None:
    """Only seen pairs are excluded, skips included; with hide_seen=False no pair is excluded."""
    interactions = Interactions.of(
        pl.DataFrame({"user_id": ["a", "b"], "track_id": ["x", "y"], "strength": [-1.0, 1.0]})
    )

    assert _hidden(Filters.of(interactions), ["b", "a"]) == [["y"], ["x"]]
    assert _hidden(Filters.of(interactions, hide_seen=False), ["b", "a"]) == [[], []]


def test_pairs_are_allowed_by_listener_and_track() -> None:
    """A blocked pair, a restricted track and an unknown track are not allowed; of no pairs, none is."""
    filters = Filters.for_listeners(
        LISTENERS,
        CATALOGUE,
        tracks=TRACKS,
        as_of=date(2026, 6, 30),
        blocked=pl.DataFrame({"user_id": ["ann"], "track_id": ["everywhere"]}),
    )
    tracks = ["everywhere", "everywhere", "germany", "germany", "elsewhere"]
    pairs = pl.DataFrame({"user_id": ["ann", "bob", "ann", "bob", "ann"], "track_id": tracks})

    assert filters.allow(pairs).tolist() == [False, True, True, False, False]
    assert filters.allow(pairs.clear()).tolist() == []


def _hidden(filters: Filters, user_ids: list[str]) -> list[list[str]]:
    mask = filters.mask(user_ids)
    return [filters.tracks.ids(mask.hidden[row].indices).to_list() for row in range(len(user_ids))]
