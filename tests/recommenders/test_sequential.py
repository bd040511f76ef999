"""The sequential model: the order of plays, training windows, the sampled softmax, and reproducibility."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from recsys.dataset.interactions import History, Interactions
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.transformer import sampled_softmax
from recsys.recommenders.sequential import GAPS, PlaySequences, Sequential, SequentialConfig, recency

N_TRACKS = 8
SMALL = SequentialConfig(factors=16, epochs=40, batch_size=4, learning_rate=0.02, dropout=0.0, max_length=2)
# Every listener plays five tracks in the same circular order, t0 -> t1 -> ... -> t7 -> t0, from a start of their own.
CIRCLE = pl.DataFrame(
    [
        {"user_id": f"u{start}{copy}", "track_id": f"t{(start + n) % N_TRACKS}", "strength": 1.0, "age_days": 5.0 - n}
        for start in range(N_TRACKS)
        for copy in range(4)
        for n in range(5)
    ]
)


@pytest.fixture(scope="module")
def interactions() -> Interactions:
    """Return the interactions of the circle, which no test changes."""
    return Interactions.of(CIRCLE)


@pytest.fixture(scope="module")
def model(interactions: Interactions) -> Recommender[Sequential]:
    """Return a model fitted to the circle."""
    return Recommender(Sequential(SMALL)).fit(interactions)


def played(*tracks: str, gap_days: float = 1.0) -> pl.DataFrame:
    """The history of one listener, with the same gap between plays and after the last one."""
    ages = [gap_days * (len(tracks) - n) for n in range(len(tracks))]
    return pl.DataFrame({"user_id": "new", "track_id": tracks, "strength": 1.0, "age_days": ages})


def first(model: Recommender[Sequential], plays: pl.DataFrame, interactions: Interactions) -> str:
    """The first recommendation for one listener, played tracks excluded."""
    return str(
        model.recommend_by_history(plays, 1, filters=Filters.of(interactions, hide_seen=False))["track_id"].item()
    )


def ranked_by(config: SequentialConfig, interactions: Interactions) -> pl.DataFrame:
    """The ranking of a model with this config for all listeners."""
    return (
        Recommender(Sequential(config))
        .fit(interactions)
        .recommend(interactions.users.ids(), N_TRACKS, filters=Filters.of(interactions))
    )


@pytest.mark.parametrize("last", range(N_TRACKS))
def test_the_next_track_follows_the_last(model: Recommender[Sequential], interactions: Interactions, last: int) -> None:
    """After two consecutive tracks of the circle, the third is recommended first."""
    plays = played(f"t{(last - 1) % N_TRACKS}", f"t{last}")

    assert first(model, plays, interactions) == f"t{(last + 1) % N_TRACKS}"


def test_ages_give_the_order_and_rows_do_not(model: Recommender[Sequential], interactions: Interactions) -> None:
    """Reversing the rows does not change the recommendation; changing the ages does."""
    plays = played("t1", "t2", "t5", "t6")
    reordered = played("t5", "t6", "t1", "t2")

    assert first(model, plays.reverse(), interactions) == first(model, plays, interactions) == "t7"
    assert first(model, reordered, interactions) == "t3"


def test_only_the_latest_tracks_are_used(model: Recommender[Sequential], interactions: Interactions) -> None:
    """Tracks before the last max_length do not change the scores."""
    everything = Filters.of(interactions, hide_seen=False)
    short, long, other = played("t2", "t3"), played("t0", "t1", "t2", "t3"), played("t3")

    # Tracks in the history are excluded, so only tracks in none of the histories can be compared.
    rankings = [model.recommend_by_history(plays, N_TRACKS, filters=everything) for plays in (short, long, other)]
    scores = [dict(ranking.select("track_id", "score").iter_rows()) for ranking in rankings]

    assert [scores[0][track] for track in ("t4", "t5")] == pytest.approx([scores[1][track] for track in ("t4", "t5")])
    assert scores[0]["t4"] != pytest.approx(scores[2]["t4"])


def test_plays_are_ordered_by_age_and_ties_by_track() -> None:
    """Plays are sorted oldest first; the gap of the last play is the time until now."""
    history = Interactions.of(
        pl.DataFrame(
            {
                "user_id": ["a", "a", "a", "b"],
                "track_id": ["x", "y", "z", "y"],
                "strength": 1.0,
                "age_days": [2.5, 400.0, 2.5, 0.0],
            }
        )
    ).liked

    plays = PlaySequences.of(history)

    assert plays.tracks.tolist() == [1, 0, 2, 1]
    assert plays.gaps.tolist() == np.digitize([397.5, 0.0, 2.5, 0.0], GAPS).tolist() == [len(GAPS), 0, 5, 0]
    assert PlaySequences.of(history, np.array([2, 1, 0, 3])).tracks.tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize(("n_plays", "lengths"), [(1, []), (2, [1]), (5, [4]), (6, [4, 1]), (9, [4, 4])])
def test_windows_predict_every_play_once(n_plays: int, lengths: list[int]) -> None:
    """Each play except the first is a target in exactly one window, however long the history."""
    ages = np.arange(n_plays, dtype=np.float32)[::-1]
    pairs = pl.DataFrame({"user_id": "a", "track_id": [f"t{n}" for n in range(n_plays)], "strength": 1.0})
    plays = PlaySequences.of(Interactions.of(pairs.with_columns(age_days=pl.Series(ages))).liked)

    starts, ends = plays.windows(4)
    targets = [track for start, end in zip(starts, ends, strict=True) for track in plays.tracks[start + 1 : end + 1]]

    assert (ends - starts).tolist() == lengths
    assert sorted(targets) == list(range(1, n_plays))


def test_the_sampled_softmax_converges_to_the_full_softmax() -> None:
    """With many negatives, sampled by any distribution, the loss is that over the whole catalogue."""
    generator = torch.Generator().manual_seed(3)
    states, vectors = torch.randn(6, 4, generator=generator), torch.randn(N_TRACKS + 1, 4, generator=generator)
    targets = torch.randint(N_TRACKS, (6,), generator=generator)
    proposal = torch.softmax(torch.randn(N_TRACKS, generator=generator), dim=0)
    negatives = torch.multinomial(proposal, 200_000, replacement=True, generator=generator)

    sampled = sampled_softmax(states, vectors, targets, negatives, proposal)

    assert sampled.item() == pytest.approx(F.cross_entropy(states @ vectors[:-1].T, targets).item(), rel=0.01)


def test_the_circle_is_learned_with_sampled_negatives_too(interactions: Interactions) -> None:
    """With six negatives per batch, sampled from eight tracks, the model learns the same next tracks."""
    model = Recommender(Sequential(replace(SMALL, n_negatives=6))).fit(interactions)

    assert [first(model, played(f"t{n}", f"t{n + 1}"), interactions) for n in range(6)] == [
        f"t{n + 2}" for n in range(6)
    ]


def test_the_global_state_of_torch_does_not_change(interactions: Interactions) -> None:
    """Fitting neither changes nor depends on the random state and the number of threads of the process."""
    torch.set_num_threads(2)  # harmless to other tests: every fit uses one thread
    torch.manual_seed(11)
    random_state = torch.random.get_rng_state()

    one = ranked_by(replace(SMALL, epochs=2, n_negatives=6), interactions)
    assert torch.equal(torch.random.get_rng_state(), random_state)
    assert torch.get_num_threads() == 2
    torch.manual_seed(12)
    two = ranked_by(replace(SMALL, epochs=2, n_negatives=6), interactions)

    assert_frame_equal(one, two, check_exact=True)


def test_histories_of_one_track_do_not_raise() -> None:
    """Histories of one track have no next track to learn from, but the model still ranks."""
    interactions = Interactions.of(
        pl.DataFrame({"user_id": ["a", "b"], "track_id": ["x", "y"], "strength": [1.0, 1.0]})
    )

    ranking = (
        Recommender(Sequential(SMALL)).fit(interactions).recommend(["a", "b"], 1, filters=Filters.of(interactions))
    )

    assert ranking["track_id"].to_list() == ["y", "x"]


def test_recent_plays_weigh_more_as_reasons() -> None:
    """A history track's weight as a reason halves with every ten more recent tracks."""
    pairs = pl.DataFrame({"user_id": "a", "track_id": [f"t{n:02}" for n in range(11)], "strength": 1.0})
    history: History = Interactions.of(pairs.with_columns(age_days=pl.int_range(pl.len()).cast(pl.Float32))).liked

    weights = recency(history)

    assert (weights[0], weights[10]) == (1.0, 0.5)
    assert (np.diff(weights) < 0).all()
