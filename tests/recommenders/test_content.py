"""Content: where features put a track that nobody has played, in catalogues that a reader can count."""

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
from recsys.evaluate.ranking import judge, ndcg_at_k
from recsys.experiments.protocols import fixed
from recsys.recommenders.base import Recommender
from recsys.recommenders.content import Content, ContentConfig, inverse, leverage
from recsys.recommenders.parts.filters import Filters

ROOT = Path(__file__).parents[2]
SMALL = ContentConfig(factors=4, regularization=0.1)
N_PLAYED = 6  # tracks of each taste, a0.. and b0.., each listener playing all but one; both tastes have eight listeners


def fitted(new: dict[str, list[str]], played: dict[str, list[str]]) -> tuple[Recommender[Content], Interactions]:
    """
    Fit two tastes that share no track.

    `new` are the features of tracks that nobody plays, by id; `played` those of every track of a taste, by its letter.
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
    """Score of every track for one listener, by id."""
    filters = Filters.of(interactions, hide_seen=False)
    ranking = model.recommend([user], len(interactions.tracks), filters=filters)
    return dict(ranking.select("track_id", "score").iter_rows())


def test_a_new_track_of_the_listeners_artist_comes_first() -> None:
    """Of two tracks that nobody has played, each listener gets the one by the artist they play."""
    played = {"a": ["artist=one", "genre=rock"], "b": ["artist=two", "genre=rock"]}

    model, interactions = fitted({"new1": ["artist=one"], "new2": ["artist=two"]}, played)

    for user, first, second in (("a7", "new1", "new2"), ("b7", "new2", "new1")):
        found = scores(model, interactions, user)
        assert found[first] > 0
        assert found[first] > found[second]


def test_tags_decide_between_two_new_tracks() -> None:
    """The same artist, unknown to all; the tag of the listener's taste makes the difference."""
    new = {"new1": ["artist=x", "tag=doom"], "new2": ["artist=x", "tag=swing"]}

    model, interactions = fitted(new, {"a": ["tag=doom"], "b": ["tag=swing"]})

    assert scores(model, interactions, "a7")["new1"] > scores(model, interactions, "a7")["new2"]
    assert scores(model, interactions, "b7")["new2"] > scores(model, interactions, "b7")["new1"]


def test_a_rare_tag_says_more_than_a_common_one() -> None:
    """A track that shares the rare tag of a taste stands above one that shares the tag of nearly everything."""
    new = {"new1": ["tag=rare", "tag=p"], "new2": ["tag=common", "tag=p"], "new3": ["tag=p"]}

    model, interactions = fitted(new, {"a": ["tag=rare", "tag=common"], "b": ["tag=common"]})

    found = scores(model, interactions, "a7")
    assert found["new1"] > found["new2"]


def test_unknown_says_nothing() -> None:
    """Two tracks of which nothing is known are not akin by that: such a new track scores 0."""
    model, interactions = fitted({"new1": ["artist=unknown"]}, {"a": ["artist=unknown"], "b": ["artist=two"]})

    assert scores(model, interactions, "a7")["new1"] == 0


def test_nothing_known_of_any_track_scores_nothing() -> None:
    """Without features there is nothing to place a track by."""
    pairs = pl.DataFrame({"user_id": ["u", "v"], "track_id": ["s", "t"], "strength": 1.0})
    interactions = Interactions.of(pairs)

    found = scores(Recommender(Content(SMALL)).fit(interactions), interactions, "u")

    assert found == {"s": 0, "t": 0}


def test_no_played_track_explains_itself() -> None:
    """A played track scores as if the model had been fitted without it, for listeners who play it too."""
    interactions = mixed()
    model = Content(SMALL).fit(interactions)
    states = model.states(np.arange(len(interactions.users)))
    found = np.empty(interactions.matrix.shape, np.float32)

    model.score(states, found)

    features, factors = model._features.toarray(), model._als.track_factors
    targets = factors @ states.factors.T + states.liked.T.toarray()  # (n_tracks, n_users): what is to be explained
    for track in range(len(interactions.tracks)):
        others = np.flatnonzero(np.arange(len(interactions.tracks)) != track)
        x = features[others]
        weights = np.linalg.solve(x.T @ x + 0.1 * np.eye(x.shape[1]), x.T @ targets[others])
        np.testing.assert_allclose(found[:, track], features[track] @ weights, atol=1e-4)


def mixed() -> Interactions:
    """Thirty listeners with four of ten tracks each, every track with three of six genres."""
    rng = np.random.default_rng(3)
    tracks = np.concatenate([rng.choice(10, 4, replace=False) for _ in range(30)])
    users = np.repeat(np.arange(30), 4)
    pairs = pl.DataFrame({"user_id": users.astype(str), "track_id": tracks.astype(str), "strength": 1.0})
    genres = [[f"g{n}" for n in rng.choice(6, 3, replace=False)] for _ in range(10)]
    return Interactions.of(pairs, catalogue=pl.DataFrame({"track_id": [str(n) for n in range(10)], "genre": genres}))


def test_a_stranger_is_read_as_if_trained_with() -> None:
    """Folded in, the plays of a known listener give that listener's ranking."""
    model, interactions = fitted({"new1": ["tag=doom"], "new2": ["tag=swing"]}, {"a": ["tag=doom"], "b": ["tag=swing"]})
    plays = pl.DataFrame({"user_id": "stranger", "track_id": [f"a{n}" for n in range(5)], "strength": 1.0})

    folded = model.fold_in(plays, 1, filters=Filters.of(interactions))

    assert folded["track_id"].to_list() == ["a5"]


def test_leverage_is_how_far_a_row_explains_itself() -> None:
    """One feature alone: x^2 / (sum of x^2 + regularization)."""
    vectors = sp.csr_matrix([[1.0], [2.0], [0.0]])

    told = leverage(vectors, inverse(vectors, 5.0))

    np.testing.assert_allclose(told, [0.1, 0.4, 0.0], atol=1e-6)


@pytest.mark.slow
def test_beats_lightfm_on_artists_that_nobody_has_played(recsys_data: Path, tmp_path: Path) -> None:
    """Better than a tuned LightFM with the same tags among the new artists, three times as good among all."""
    environment = os.environ | {"RECSYS_DATA": str(recsys_data)}
    subprocess.run(
        [sys.executable, "-m", "bench.recommenders.splits", "cold", tmp_path], cwd=ROOT, env=environment, check=True
    )
    protocol = fixed(tmp_path)
    new = pl.read_parquet(tmp_path / "candidates.parquet")["item_id"].cast(pl.String)

    model = Recommender(Content()).fit(protocol.test.train)
    ours, theirs = personal(model, protocol.test), by_lightfm(protocol.test)

    allowed = np.zeros((1, len(model.tracks)), np.bool_)
    allowed[0, model.tracks.rows(new)] = True
    everything = protocol.filters(protocol.test)
    only_new = replace(everything, allowed=allowed)
    assert found(ours, protocol.test, only_new) > 1.05 * found(theirs, protocol.test, only_new)
    assert found(ours, protocol.test, everything) > 3 * found(theirs, protocol.test, everything)


def personal(model: Recommender[Content], cut: Split) -> npt.NDArray[Any]:
    """Score of every track for every listener of a cut."""
    states = model.scorer.states(model.users.rows(cut.train.users.ids()))
    told = np.empty(cut.train.matrix.shape, np.float32)
    model.scorer.score(states, told)
    return told


def by_lightfm(cut: Split) -> npt.NDArray[Any]:
    """LightFM's scores from tags alone at its best on validation: sized as ours, which helps it too."""
    tags = tfidf_features(cut.train.track_features)
    size = np.asarray(cut.train.track_features.matrix.log1p().sum(axis=1)).ravel()
    lengths = np.maximum(np.asarray(tags.sum(axis=1)).ravel(), 1e-6)
    sized = (sp.diags((size / size[size > 0].mean()) ** 0.4 / lengths) @ tags).tocsr().astype(np.float32)
    learner = LightFM(64, loss="warp", max_sampled=30, item_alpha=3e-4, user_alpha=3e-4, random_state=7)
    pairs = (cut.train.matrix > 0).astype(np.float32).tocoo()
    learner.fit(pairs, item_features=sized, epochs=20, num_threads=1)
    bias, vectors = learner.get_item_representations(sized)
    told: npt.NDArray[Any] = learner.get_user_representations()[1] @ vectors.T + bias
    return told


def found(told: npt.NDArray[Any], cut: Split, filters: Filters) -> float:
    """Mean nDCG at 20 of these scores, of listeners with something to find."""
    mask = filters.mask(cut.train.users.ids())
    hidden = mask.hidden.toarray() | ~mask.allowed[mask.group]
    best = np.argsort(np.where(hidden, np.inf, -told), axis=1, kind="stable")[:, :20]
    return float(np.nanmean(ndcg_at_k(judge(best, cut.test), 20)))
