"""Fairness by hand: shares of exposure, attention-weighted rank fairness, expected exposure, gaps and what-ifs."""

from itertools import permutations
from math import log2

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from recsys.dataset.features import Features
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.expected_exposure import CONTINUATION_PROBABILITY, expected_exposure, expected_exposure_loss_at_k
from recsys.evaluate.exposure import (
    attention_fairness,
    cross_groups,
    exposure_of_listeners,
    exposure_shares,
    share_if,
)
from recsys.evaluate.fairness import group_gaps
from recsys.evaluate.ranking import discounts, evaluate_lists
from recsys.evaluate.training_profile import TrainingProfile

# Two of the six tracks are by women, one is by an unknown artist. Ann's list begins with a woman, bob's ends with one.
GROUPS = pl.DataFrame(
    {
        "track_id": list("abcdef"),
        "group_kind": "artist_gender",
        "group_name": ["female", "female", "male", "male", "male", "unknown"],
    }
)
LISTS = pl.DataFrame(
    [("ann", "a", 1), ("ann", "c", 2), ("bob", "d", 1), ("bob", "b", 2)], ["user_id", "track_id", "rank"], orient="row"
)
PLAYS = pl.DataFrame({"track_id": ["a", "c", "f"], "n_plays": [1, 2, 1]})
SECOND = 1 / log2(3)


def test_shares_of_exposure_by_hand() -> None:
    """Women have one rank 1 and one rank 2, men too; the unknown artist has a row with share 0."""
    table = exposure_shares(LISTS, GROUPS, PLAYS, seed=7)

    assert table["group_name"].to_list() == ["female", "male", "unknown"]
    assert table["n_tracks"].to_list() == [2, 3, 1]
    assert table["catalogue_share"].to_list() == pytest.approx([2 / 6, 3 / 6, 1 / 6], abs=1e-12)
    assert table["listening_share"].to_list() == pytest.approx([1 / 4, 2 / 4, 1 / 4], abs=1e-12)
    assert table["exposure_share"].to_list() == pytest.approx([0.5, 0.5, 0], abs=1e-12)
    # Bootstrap samples hold ann twice, bob twice, or both: women have the share of rank 1, of rank 2, or half.
    assert table.row(0)[6:8] == pytest.approx((SECOND / (1 + SECOND), 1 / (1 + SECOND)), abs=1e-12)
    assert table["n_users"].unique().to_list() == [2]


def test_discounts_are_those_of_ndcg() -> None:
    """The exposure of a rank is 1 / log2(1 + rank), as in nDCG."""
    assert discounts(3).tolist() == pytest.approx([1, SECOND, 0.5], abs=1e-12)


def test_without_lists_or_plays_shares_are_null() -> None:
    """Shares that cannot be computed are null, not 0."""
    table = exposure_shares(LISTS.clear(), GROUPS, PLAYS.clear(), seed=7)

    assert table["exposure_share"].to_list() == table["listening_share"].to_list() == [None] * 3
    assert table["catalogue_share"].sum() == pytest.approx(1)


@given(st.permutations(list("abcdef")), st.integers(1, 6))
def test_shares_of_a_kind_sum_to_one(order: list[str], n: int) -> None:
    """The shares of all groups of a kind sum to 1 for any list."""
    lists = pl.DataFrame({"user_id": "u", "track_id": order[:n], "rank": range(1, n + 1)})

    assert exposure_shares(lists, GROUPS, PLAYS, seed=7)["exposure_share"].sum() == pytest.approx(1)


def test_attention_fairness_by_hand() -> None:
    """The target is half each: ann's list gives women 1 / (1 + SECOND), bob's the rest, cy's neither group anything."""
    target = {"female": 0.5, "male": 0.5}
    more = 1 / (1 + SECOND)
    lists = pl.concat([LISTS, pl.DataFrame({"user_id": ["cy"], "track_id": ["f"], "rank": [1]})])

    values = attention_fairness(lists, GROUPS, target)

    assert values.tolist() == pytest.approx([1.5 - more, 1.5 - more, 0], abs=1e-12)


def test_a_target_for_a_group_without_tracks_is_missed() -> None:
    """All of ann's and bob's exposure goes to other groups."""
    assert attention_fairness(LISTS, GROUPS, {"nonbinary": 1.0}).tolist() == pytest.approx([0, 0])


def test_target_shares_that_do_not_sum_to_one_are_refused() -> None:
    """A distance is only defined between distributions."""
    with pytest.raises(InputError, match=r"sum to 0\.900000, expected a sum of 1"):
        attention_fairness(LISTS, GROUPS, {"female": 0.9})


def counted_target(relevant: set[str], patience: float) -> dict[str, float]:
    """Return each group's mean exposure over all orders of the six tracks that put the relevant ones first."""
    names = dict(GROUPS.select("track_id", "group_name").iter_rows())
    orders = [order for order in permutations("abcdef") if set(order[: len(relevant)]) == relevant]
    total = dict.fromkeys(["female", "male", "unknown"], 0.0)
    for order in orders:
        for position, track in enumerate(order):
            total[names[track]] += patience**position / len(orders)
    return total


@pytest.mark.parametrize("relevant", [{"a"}, {"a", "c"}, {"b", "d", "f"}, set("abcdef")])
def test_expected_exposure_is_the_mean_over_all_orders(relevant: set[str]) -> None:
    """The published formulas equal the count over all 720 orders, to 1e-9."""
    patience = 0.8
    truth = pl.DataFrame({"user_id": "ann", "track_id": sorted(relevant)})
    target = np.array(list(counted_target(relevant, patience).values()))
    shown = np.array([1, patience, 0])  # ann's a and c

    measured = expected_exposure(LISTS.filter(user_id="ann"), truth, GROUPS, patience=patience, seed=7)

    assert measured["disparity"].mean == pytest.approx(shown @ shown, abs=1e-9)
    assert measured["relevance"].mean == pytest.approx(shown @ target, abs=1e-9)
    assert measured["loss"].mean == pytest.approx(((shown - target) ** 2).sum(), abs=1e-9)


def test_the_loss_of_groups_uses_mean_exposure_over_listeners() -> None:
    """Women first for ann, men first for bob: over both lists exposure is nearer to the target than in one."""
    truth = pl.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "track_id": ["a", "c", "b", "d"]})

    both = expected_exposure(LISTS, truth, GROUPS, seed=7)["loss"]
    alone = expected_exposure(LISTS.filter(user_id="ann"), truth, GROUPS, seed=7)["loss"]

    assert both.mean < alone.mean
    assert both.low <= both.mean <= both.high


def test_gaps_by_hand() -> None:
    """The group's mean minus the others'; listeners without a value are on neither side."""
    values = np.array([1.0, 0.5, 0.0, 0.5, np.nan])
    members = np.array([[1, 0], [1, 0], [0, 0], [0, 0], [1, 1]], np.bool_)

    first, nobody = group_gaps(values, members, seed=7)

    assert first.mean == pytest.approx(0.5)
    assert first.n_users == 2
    assert first.low <= 0.5 <= first.high
    assert nobody.n_users == 0
    assert np.isnan(nobody.mean)


def test_small_cells_of_crossed_groups_are_one_group() -> None:
    """Three men of DE keep their group; all other combinations are too small and are merged."""
    countries = GROUPS.with_columns(
        group_kind=pl.lit("artist_country"), group_name=pl.Series(["DE", "FR", "DE", "DE", "DE", "FR"])
    )

    both = cross_groups(pl.concat([GROUPS, countries]), "artist_gender", "artist_country", "both", min_tracks=3)

    assert both["group_kind"].unique().to_list() == ["both"]
    assert sorted(both["group_name"]) == ["male, DE"] * 3 + ["small cells"] * 3
    assert both["track_id"].sort().to_list() == list("abcdef")


def test_what_if_one_station_played_more_women() -> None:
    """North gives women 10 of 100 plays, south 60 of 300: with half of north's, the total share would be 27.5 %."""
    plays = pl.DataFrame(
        [("north", "female", 10), ("north", "male", 90), ("south", "female", 60), ("south", "male", 240)],
        ["source", "group_name", "exposure"],
        orient="row",
    )

    assert share_if(plays, "north", "female", 0.5) == pytest.approx(0.275)
    assert share_if(plays, "north", "female", 0.1) == pytest.approx(0.175)
    with pytest.raises(
        InputError, match="source: found 'west', which is unknown or has no exposure; expected one such as north, south"
    ):
        share_if(plays, "west", "female", 0.5)


def test_exposure_of_each_listener_stands_in_its_own_row() -> None:
    """Rows in the order of the lists, columns by name; a track without a group is left out."""
    names, exposure = exposure_of_listeners(LISTS.with_columns(track_id=pl.col("track_id").replace("d", "z")), GROUPS)

    assert names == ["female", "male", "unknown"]
    assert exposure.tolist() == [pytest.approx([1, SECOND, 0]), pytest.approx([SECOND, 0, 0])]


@pytest.mark.parametrize("relevant", [{0}, {1, 2}, {0, 1, 2, 3}])
def test_the_loss_of_single_tracks_is_that_of_all_orders_counted(relevant: set[int]) -> None:
    """Two of four tracks are shown: the squared distance from the mean over all orders, relevant tracks first."""
    truth = sp.csr_matrix(([True] * len(relevant), ([0] * len(relevant), sorted(relevant))), shape=(1, 4))
    ranked = np.array([[2, 0]])
    profile = TrainingProfile(
        truth, truth, np.ones(4, np.int64), 1, Features(sp.csr_matrix((4, 0)), Vocab.of([], kind="feature"))
    )
    orders = [order for order in permutations(range(4)) if set(order[: len(relevant)]) == relevant]
    target = np.mean(
        [[CONTINUATION_PROBABILITY ** order.index(track) for track in range(4)] for order in orders], axis=0
    )
    shown = np.array([CONTINUATION_PROBABILITY, 0, 1, 0])

    loss = expected_exposure_loss_at_k(RankedLists(ranked, profile, evaluate_lists(ranked, truth), truth), 2)

    assert loss.tolist() == pytest.approx([((shown - target) ** 2).sum()], abs=1e-9)
