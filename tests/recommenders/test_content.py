"""The content model: scores of tracks that nobody has played, in catalogues small enough to check by hand."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import scipy.sparse as sp
from lightfm import LightFM

from recsys.dataset.feature_vectors import tfidf_features
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.evaluate.ranking import evaluate_lists, ndcg_at_k
from recsys.experiments.protocols import from_folder
from recsys.recommenders.base import Recommender
from recsys.recommenders.content import Content, ContentConfig, leverage, ridge_inverse
from recsys.recommenders.parts.filters import Filters

ROOT = Path(__file__).parents[2]
SMALL = ContentConfig(factors=4, regularization=0.1)
N_PLAYED = 6  # tracks of each of two groups, a0.. and b0..; each of a group's eight listeners plays all but one


def fitted(new: dict[str, list[str]], played: dict[str, list[str]]) -> tuple[Recommender[Content], Interactions]:
    """
    Fit the model to two groups of listeners that share no track.

    Args:
        new: Features of the tracks that nobody plays, by track id.
        played: Features of the tracks of each group, by its letter.
    """
    pairs = [
        {"user_id": f"{side}{user}", "track_id": f"{side}{track}", "strength": 1.0}
        for side in "ab"
        for user in range(8)
        for track in range(N_PLAYED)
        if track != user % N_PLAYED
    ]
    known = {f"{side}{track}": names for side, names in played.items() for track in range(N_PLAYED)} | new
    rows = [{"track_id": track, "name": name, "weight": 1.0} for track, names in known.items() for name in names]
    bare = Interactions.of(pl.DataFrame(pairs), catalogue=pl.DataFrame({"track_id": list(known)}))
    features = type(bare.track_features).weighted(bare.tracks, pl.DataFrame(rows))
    interactions = replace(bare, track_features=features)
    return Recommender(Content(SMALL)).fit(interactions), interactions


def scores(model: Recommender[Content], interactions: Interactions, user: str) -> dict[str, float]:
    """Scores of all tracks for one listener, by track id."""
    filters = Filters.of(interactions, hide_seen=False)
    ranking = model.recommend([user], len(interactions.tracks), filters=filters)
    return dict(ranking.select("track_id", "score").iter_rows())


def test_a_new_track_of_the_listeners_artist_comes_first() -> None:
    """Of two tracks that nobody has played, the one by the artist in the listener's history scores higher."""
    played = {"a": ["artist=one", "genre=rock"], "b": ["artist=two", "genre=rock"]}

    model, interactions = fitted({"new1": ["artist=one"], "new2": ["artist=two"]}, played)

    for user, first, second in (("a7", "new1", "new2"), ("b7", "new2", "new1")):
        by_track = scores(model, interactions, user)
        assert by_track[first] > 0
        assert by_track[first] > by_track[second]


def test_tags_decide_between_two_new_tracks() -> None:
    """Both tracks are by an artist that nobody has played; the one tagged like the listener's tracks scores higher."""
    new = {"new1": ["artist=x", "tag=doom"], "new2": ["artist=x", "tag=swing"]}

    model, interactions = fitted(new, {"a": ["tag=doom"], "b": ["tag=swing"]})

    assert scores(model, interactions, "a7")["new1"] > scores(model, interactions, "a7")["new2"]
    assert scores(model, interactions, "b7")["new2"] > scores(model, interactions, "b7")["new1"]


def test_a_rare_tag_weighs_more_than_a_common_one() -> None:
    """A track that shares a rare tag with the history scores higher than one that shares a tag of nearly all tracks."""
    new = {"new1": ["tag=rare", "tag=p"], "new2": ["tag=common", "tag=p"], "new3": ["tag=p"]}

    model, interactions = fitted(new, {"a": ["tag=rare", "tag=common"], "b": ["tag=common"]})

    by_track = scores(model, interactions, "a7")
    assert by_track["new1"] > by_track["new2"]


def test_unknown_values_are_not_shared() -> None:
    """Unknown artists do not make two tracks similar: a new track by an unknown artist scores 0."""
    model, interactions = fitted({"new1": ["artist=unknown"]}, {"a": ["artist=unknown"], "b": ["artist=two"]})

    assert scores(model, interactions, "a7")["new1"] == 0


def test_without_features_all_scores_are_zero() -> None:
    """A catalogue without features does not raise."""
    pairs = pl.DataFrame({"user_id": ["u", "v"], "track_id": ["s", "t"], "strength": 1.0})
    interactions = Interactions.of(pairs)

    by_track = scores(Recommender(Content(SMALL)).fit(interactions), interactions, "u")

    assert by_track == {"s": 0, "t": 0}


def test_a_played_track_is_predicted_from_the_others() -> None:
    """The score of a played track equals that of a regression fitted without it, even for its own listeners."""
    interactions = mixed()
    model = Content(SMALL).fit(interactions)
    states = model.states(np.arange(len(interactions.users)))
    computed = np.empty(interactions.matrix.shape, np.float32)

    model.score(states, computed)

    features, factors = model._features.toarray(), model._als.track_factors
    targets = factors @ states.factors.T + states.liked.T.toarray()  # (n_tracks, n_users)
    for track in range(len(interactions.tracks)):
        others = np.flatnonzero(np.arange(len(interactions.tracks)) != track)
        x = features[others]
        weights = np.linalg.solve(x.T @ x + 0.1 * np.eye(x.shape[1]), x.T @ targets[others])
        np.testing.assert_allclose(computed[:, track], features[track] @ weights, atol=1e-4)


def mixed() -> Interactions:
    """Thirty listeners with four of ten tracks each, every track with three of six genres."""
    rng = np.random.default_rng(3)
    tracks = np.concatenate([rng.choice(10, 4, replace=False) for _ in range(30)])
    users = np.repeat(np.arange(30), 4)
    pairs = pl.DataFrame({"user_id": users.astype(str), "track_id": tracks.astype(str), "strength": 1.0})
    genres = [[f"g{n}" for n in rng.choice(6, 3, replace=False)] for _ in range(10)]
    return Interactions.of(pairs, catalogue=pl.DataFrame({"track_id": [str(n) for n in range(10)], "genre": genres}))


def test_fold_in_ranks_as_for_a_training_listener() -> None:
    """A new listener who plays all but one track of a group gets that track first."""
    model, interactions = fitted({"new1": ["tag=doom"], "new2": ["tag=swing"]}, {"a": ["tag=doom"], "b": ["tag=swing"]})
    plays = pl.DataFrame({"user_id": "new", "track_id": [f"a{n}" for n in range(5)], "strength": 1.0})

    folded = model.recommend_by_history(plays, 1, filters=Filters.of(interactions))

    assert folded["track_id"].to_list() == ["a5"]


def test_leverage_follows_the_formula() -> None:
    """With a single feature it is x^2 / (sum of x^2 + regularization)."""
    vectors = sp.csr_matrix([[1.0], [2.0], [0.0]])

    computed = leverage(vectors, ridge_inverse(vectors, 5.0))

    np.testing.assert_allclose(computed, [0.1, 0.4, 0.0], atol=1e-6)


@pytest.mark.slow
def test_beats_lightfm_on_artists_that_nobody_has_played(recsys_data: Path, tmp_path: Path) -> None:
    """nDCG: 5% above a tuned LightFM with the same tags among new artists, three times as high among all artists."""
    environment = os.environ | {"RECSYS_DATA": str(recsys_data)}
    subprocess.run(
        [sys.executable, "-m", "bench.recommenders.splits", "cold", tmp_path], cwd=ROOT, env=environment, check=True
    )
    protocol = from_folder(tmp_path)
    new = pl.read_parquet(tmp_path / "candidates.parquet")["item_id"].cast(pl.String)

    model = Recommender(Content()).fit(protocol.test.train)
    ours, theirs = content_scores(model, protocol.test), lightfm_scores(protocol.test)

    allowed = np.zeros((1, len(model.tracks)), np.bool_)
    allowed[0, model.tracks.rows(new)] = True
    everything = Filters.for_split(protocol.test)
    only_new = replace(everything, allowed=allowed)
    assert ndcg(ours, protocol.test, only_new) > 1.05 * ndcg(theirs, protocol.test, only_new)
    assert ndcg(ours, protocol.test, everything) > 3 * ndcg(theirs, protocol.test, everything)


def content_scores(model: Recommender[Content], split: Split) -> npt.NDArray[Any]:
    """Scores of all tracks for all training listeners of a split."""
    states = model.scorer.states(model.users.rows(split.train.users.ids()))
    computed = np.empty(split.train.matrix.shape, np.float32)
    model.scorer.score(states, computed)
    return computed


def lightfm_scores(split: Split) -> npt.NDArray[Any]:
    """Scores of LightFM from tags alone, with settings tuned on validation and the content model's feature norms."""
    tags = tfidf_features(split.train.track_features)
    size = np.asarray(split.train.track_features.matrix.log1p().sum(axis=1)).ravel()
    lengths = np.maximum(np.asarray(tags.sum(axis=1)).ravel(), 1e-6)
    sized = (sp.diags((size / size[size > 0].mean()) ** 0.4 / lengths) @ tags).tocsr().astype(np.float32)
    learner = LightFM(64, loss="warp", max_sampled=30, item_alpha=3e-4, user_alpha=3e-4, random_state=7)
    pairs = (split.train.matrix > 0).astype(np.float32).tocoo()
    learner.fit(pairs, item_features=sized, epochs=20, num_threads=1)
    bias, vectors = learner.get_item_representations(sized)
    computed: npt.NDArray[Any] = learner.get_user_representations()[1] @ vectors.T + bias
    return computed


def ndcg(scores: npt.NDArray[Any], split: Split, filters: Filters) -> float:
    """Mean nDCG at 20 of these scores, over listeners with test pairs."""
    mask = filters.mask(split.train.users.ids())
    is_excluded = mask.hidden.toarray() | ~mask.allowed[mask.group]
    best = np.argsort(np.where(is_excluded, np.inf, -scores), axis=1, kind="stable")[:, :20]
    return float(np.nanmean(ndcg_at_k(evaluate_lists(best, split.test), 20)))
