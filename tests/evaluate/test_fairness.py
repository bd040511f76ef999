"""Fairness counted by hand: shares of exposure, attention-weighted fairness, expected exposure, gaps and what-ifs."""

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
from recsys.evaluate.expected_exposure import PATIENCE, expected_exposure, expected_exposure_loss_at_k
from recsys.evaluate.exposure import (
    attention_fairness,
    crossed,
    discounts,
    exposure_of_listeners,
    exposure_shares,
    share_if,
)
from recsys.evaluate.fairness import gaps
from recsys.evaluate.ranking import judge
from recsys.evaluate.training_profile import TrainingProfile

# Two of the six tracks are women's, one is of nobody known. Ann is shown a woman first, bob last.
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
    """Women have places 1 and 2 of four, men the same; the unknown stand there with nothing."""
    table = exposure_shares(LISTS, GROUPS, PLAYS, seed=7)

    assert table["group_name"].to_list() == ["female", "male", "unknown"]
    assert table["n_tracks"].to_list() == [2, 3, 1]
    assert table["catalogue_share"].to_list() == pytest.approx([2 / 6, 3 / 6, 1 / 6], abs=1e-12)
    assert table["listening_share"].to_list() == pytest.approx([1 / 4, 2 / 4, 1 / 4], abs=1e-12)
    assert table["exposure_share"].to_list() == pytest.approx([0.5, 0.5, 0], abs=1e-12)
    # Draws hold ann twice, bob twice, or both: women get 1, SECOND or the mean of what two places give.
    assert table.row(0)[6:8] == pytest.approx((SECOND / (1 + SECOND), 1 / (1 + SECOND)), abs=1e-12)
    assert table["n_users"].unique().to_list() == [2]


def test_discounts_are_those_of_ndcg() -> None:
    """1 / log2(1 + place)."""
    assert discounts(3).tolist() == pytest.approx([1, SECOND, 0.5], abs=1e-12)


def test_without_lists_or_plays_shares_are_null() -> None:
    """No evidence is not zero."""
    table = exposure_shares(LISTS.clear(), GROUPS, PLAYS.clear(), seed=7)

    assert table["exposure_share"].to_list() == table["listening_share"].to_list() == [None] * 3
    assert table["catalogue_share"].sum() == pytest.approx(1)


@given(st.permutations(list("abcdef")), st.integers(1, 6))
def test_shares_of_a_kind_sum_to_one(order: list[str], n: int) -> None:
    """Whatever is shown."""
    lists = pl.DataFrame({"user_id": "u", "track_id": order[:n], "rank": range(1, n + 1)})

    assert exposure_shares(lists, GROUPS, PLAYS, seed=7)["exposure_share"].sum() == pytest.approx(1)


def test_attention_fairness_by_hand() -> None:
    """Half and half is wanted: ann gives women 1 / (1 + SECOND), bob the rest; a list of the unknown gives neither."""
    wanted = {"female": 0.5, "male": 0.5}
    more = 1 / (1 + SECOND)
    lists = pl.concat([LISTS, pl.DataFrame({"user_id": ["cy"], "track_id": ["f"], "rank": [1]})])

    values = attention_fairness(lists, GROUPS, wanted)

    assert values.tolist() == pytest.approx([1.5 - more, 1.5 - more, 0], abs=1e-12)


def test_a_wanted_group_that_is_nowhere_counts_as_missing() -> None:
    """All of ann's and bob's exposure is elsewhere."""
    assert attention_fairness(LISTS, GROUPS, {"nonbinary": 1.0}).tolist() == pytest.approx([0, 0])


def test_wanted_shares_that_do_not_sum_to_one_are_refused() -> None:
    """A distance from what is no distribution means nothing."""
    with pytest.raises(InputError, match=r"sum to 0\.900000; expected 1"):
        attention_fairness(LISTS, GROUPS, {"female": 0.9})


def counted_target(relevant: set[str], patience: float) -> dict[str, float]:
    """Mean exposure of each group over every order of the six tracks that puts the relevant first."""
    names = dict(GROUPS.select("track_id", "group_name").iter_rows())
    orders = [order for order in permutations("abcdef") if set(order[: len(relevant)]) == relevant]
    total = dict.fromkeys(["female", "male", "unknown"], 0.0)
    for order in orders:
        for place, track in enumerate(order):
            total[names[track]] += patience**place / len(orders)
    return total


@pytest.mark.parametrize("relevant", [{"a"}, {"a", "c"}, {"b", "d", "f"}, set("abcdef")])
def test_expected_exposure_is_the_mean_over_all_orders(relevant: set[str]) -> None:
    """The published formulas against counting all 720 orders, to 1e-9."""
    patience = 0.8
    truth = pl.DataFrame({"user_id": "ann", "track_id": sorted(relevant)})
    target = np.array(list(counted_target(relevant, patience).values()))
    shown = np.array([1, patience, 0])  # ann's a and c

    found = expected_exposure(LISTS.filter(user_id="ann"), truth, GROUPS, patience=patience, seed=7)

    assert found["disparity"].mean == pytest.approx(shown @ shown, abs=1e-9)
    assert found["relevance"].mean == pytest.approx(shown @ target, abs=1e-9)
    assert found["loss"].mean == pytest.approx(((shown - target) ** 2).sum(), abs=1e-9)


def test_the_loss_of_groups_is_of_their_mean_over_listeners() -> None:
    """Women first for ann, men first for bob: together as equal as their relevance, which no single list is."""
    truth = pl.DataFrame({"user_id": ["ann", "ann", "bob", "bob"], "track_id": ["a", "c", "b", "d"]})

    both = expected_exposure(LISTS, truth, GROUPS, seed=7)["loss"]
    alone = expected_exposure(LISTS.filter(user_id="ann"), truth, GROUPS, seed=7)["loss"]

    assert both.mean < alone.mean
    assert both.low <= both.mean <= both.high


def test_gaps_by_hand() -> None:
    """The group's mean less the others'; listeners without evidence are on neither side."""
    values = np.array([1.0, 0.5, 0.0, 0.5, np.nan])
    members = np.array([[1, 0], [1, 0], [0, 0], [0, 0], [1, 1]], np.bool_)

    first, nobody = gaps(values, members, seed=7)

    assert first.mean == pytest.approx(0.5)
    assert first.n_users == 2
    assert first.low <= 0.5 <= first.high
    assert nobody.n_users == 0
    assert np.isnan(nobody.mean)


def test_small_cells_of_crossed_groups_are_one_group() -> None:
    """Three men of DE have a name of their own; all other cells are too small to show, and are counted together."""
    countries = GROUPS.with_columns(
        group_kind=pl.lit("artist_country"), group_name=pl.Series(["DE", "FR", "DE", "DE", "DE", "FR"])
    )

    both = crossed(pl.concat([GROUPS, countries]), "artist_gender", "artist_country", "both", min_tracks=3)

    assert both["group_kind"].unique().to_list() == ["both"]
    assert sorted(both["group_name"]) == ["male, DE"] * 3 + ["small cells"] * 3
    assert both["track_id"].sort().to_list() == list("abcdef")


def test_what_if_one_station_played_more_women() -> None:
    """North plays 10 % women on 100 plays, south 20 % on 300: with half from north, the whole would rise to 27.5 %."""
    plays = pl.DataFrame(
        [("north", "female", 10), ("north", "male", 90), ("south", "female", 60), ("south", "male", 240)],
        ["source", "group_name", "exposure"],
        orient="row",
    )

    assert share_if(plays, "north", "female", 0.5) == pytest.approx(0.275)
    assert share_if(plays, "north", "female", 0.1) == pytest.approx(0.175)
    with pytest.raises(InputError, match="nothing is shown by 'west'; expected a source such as north, south"):
        share_if(plays, "west", "female", 0.5)


def test_exposure_of_each_listener_stands_in_its_own_row() -> None:
    """Rows in order of the lists, columns by name; what a list names and no group knows counts for nothing."""
    names, exposure = exposure_of_listeners(LISTS.with_columns(track_id=pl.col("track_id").replace("d", "z")), GROUPS)

    assert names == ["female", "male", "unknown"]
    assert exposure.tolist() == [pytest.approx([1, SECOND, 0]), pytest.approx([SECOND, 0, 0])]


@pytest.mark.parametrize("relevant", [{0}, {1, 2}, {0, 1, 2, 3}])
def test_the_loss_of_single_tracks_is_that_of_all_orders_counted(relevant: set[int]) -> None:
    """Four tracks of which two are shown: squared distances from the mean over all orders, relevant ones first."""
    truth = sp.csr_matrix(([True] * len(relevant), ([0] * len(relevant), sorted(relevant))), shape=(1, 4))
    ranked = np.array([[2, 0]])
    past = TrainingProfile(
        truth, truth, np.ones(4, np.int64), 1, Features(sp.csr_matrix((4, 0)), Vocab.of([], kind="feature"))
    )
    orders = [order for order in permutations(range(4)) if set(order[: len(relevant)]) == relevant]
    target = np.mean([[PATIENCE ** order.index(track) for track in range(4)] for order in orders], axis=0)
    shown = np.array([PATIENCE, 0, 1, 0])

    loss = expected_exposure_loss_at_k(RankedLists(ranked, past, judge(ranked, truth)), 2)

    assert loss.tolist() == pytest.approx([((shown - target) ** 2).sum()], abs=1e-9)
