"""Conformance: the documented behaviour of `Recommender`, tested with every scorer in the folder."""

import json
import random
from dataclasses import fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe, InputError, SetupError
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend
from recsys.recommenders.ease import EASE, EASEConfig
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.segments import PRIOR_LISTENERS, popularity
from recsys.recommenders.scorer import scorer_class, scorer_names

NAMES = scorer_names()
NOT_PERSONAL = {"popular", "imported", "content"}  # content needs track features, which the checkerboard does not have
PERSONAL = [name for name in NAMES if name not in NOT_PERSONAL]
WITH_VECTORS = {"als", "bpr", "lightfm", "sequential", "implicit_als", "implicit_bpr"}
SMALL = {"factors": 8, "epochs": 20, "batch_size": 4, "learning_rate": 0.05}
OWN = {"implicit_bpr": {"epochs": 300, "learning_rate": 0.1}}  # plain gradient steps need more passes on so few pairs
AS_OF = date(2026, 6, 30)
K = 7


def checkerboard(n_listeners: int) -> pl.DataFrame:
    """Listener a3 plays every a-track except a3, b5 every b-track except b5, a11 all except a3: two separate groups."""
    return pl.DataFrame(
        {"user_id": f"{side}{user}", "track_id": f"{side}{track}", "strength": 1.0 + track % 3}
        for side in "ab"
        for user in range(n_listeners)
        for track in range(8)
        if track != user % 8
    )


CHECKERBOARD = checkerboard(8)
N_TRACKS = 40
CATALOGUE = pl.DataFrame(
    # Every fifth track is withdrawn, every third is available in Germany only, every seventh was never played.
    {
        "track_id": [f"t{n:02}" for n in range(N_TRACKS)],
        "genre": [["rock", "pop"] if n % 2 else None for n in range(N_TRACKS)],
        "artist": [f"ar_{n % 11}" for n in range(N_TRACKS)],
        "withdrawn_at": [AS_OF if n % 5 == 0 else None for n in range(N_TRACKS)],
        "available_in": [["DE"] if n % 3 == 0 else [] for n in range(N_TRACKS)],
    }
)
LISTENERS = pl.DataFrame(
    {"user_id": [f"u{n:02}" for n in range(60)], "country": ["DE" if n % 2 else "unknown" for n in range(60)]}
)


def random_interactions() -> Interactions:
    """Sixty listeners with ten tracks each; every fourth pair has negative strength, as have all pairs of u00."""
    rng = np.random.default_rng(5)
    tracks = np.concatenate([rng.choice([n for n in range(N_TRACKS) if n % 7], 10, replace=False) for _ in range(60)])
    pairs = pl.DataFrame({"user": np.repeat(np.arange(60), 10), "track": tracks, "age_days": rng.integers(0, 90, 600)})
    named = pairs.select(
        user_id=pl.format("u{}", pl.col("user").cast(pl.String).str.zfill(2)),
        track_id=pl.format("t{}", pl.col("track").cast(pl.String).str.zfill(2)),
        strength=pl.when((pl.col("user") == 0) | (pl.int_range(pl.len()) % 4 == 3)).then(-1.0).otherwise(2.0),
        age_days="age_days",
    )
    return Interactions.of(named, catalogue=CATALOGUE.select("track_id", "genre", "artist"), listeners=LISTENERS)


@cache
def lists_of_a_stranger(until: date) -> str:
    """Write lists of another recommender for a listener who is in no data; return their folder."""
    folder = Path(mkdtemp())
    pl.DataFrame({"user_id": ["nobody"], "track_id": ["t01"], "rank": [1]}).write_parquet(folder / f"{until}.parquet")
    return str(folder)


def fitted(name: str, interactions: Interactions) -> Recommender[Any]:
    """Fit the recommender with settings small enough for a test."""
    config_class = scorer_class(name).config_class
    settings: dict[str, Any] = {field.name: SMALL[field.name] for field in fields(config_class) if field.name in SMALL}
    if name == "imported":
        settings["lists"] = lists_of_a_stranger(interactions.as_of)
    return Recommender.named(name, config_class(**settings | OWN.get(name, {}))).fit(interactions)


def strict_filters(interactions: Interactions) -> Filters:
    """Filters of every kind: seen, blocked, withdrawn, unavailable in the country."""
    blocked = pl.DataFrame({"user_id": ["u01", "u02"], "track_id": ["t01", "t02"]})
    return Filters.for_listeners(
        LISTENERS, CATALOGUE, tracks=interactions.tracks, as_of=AS_OF, seen=interactions, blocked=blocked
    )


@pytest.fixture(scope="module")
def interactions() -> Interactions:
    """Return the random interactions, which no test changes."""
    return random_interactions()


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest, interactions: Interactions) -> Recommender[Any]:
    """Return each recommender of the folder, fitted to the random interactions."""
    return fitted(request.param, interactions)


class TestEveryRecommender:
    """Behaviour that all recommenders share, with any scorer."""

    def test_it_says_whether_it_reads_contents(self, model: Recommender[Any], interactions: Interactions) -> None:
        """With the features of other tracks it learns something else, or the same if it reads none."""
        features = interactions.track_features
        others = replace(interactions, track_features=replace(features, matrix=features.matrix[::-1].tocsr()))

        learned, again = (it.scorer.arrays() for it in (model, fitted(model.scorer.name, others)))

        is_same = all(np.array_equal(learned[name], again[name]) for name in learned)
        assert model.scorer.reads_contents != is_same

    def test_it_says_whether_it_reads_listeners(self, model: Recommender[Any], interactions: Interactions) -> None:
        """With the features of other listeners it learns something else, or the same if it reads none."""
        features = interactions.user_features
        others = replace(interactions, user_features=replace(features, matrix=features.matrix[::-1].tocsr()))

        learned, again = (it.scorer.arrays() for it in (model, fitted(model.scorer.name, others)))

        is_same = all(np.array_equal(learned[name], again[name]) for name in learned)
        assert model.scorer.reads_listeners != is_same

    @pytest.mark.parametrize("name", PERSONAL)
    def test_returns_the_withheld_track_first(self, name: str) -> None:
        """Two groups have no common track; each listener gets the one track of their group that they lack."""
        board = Interactions.of(CHECKERBOARD)

        ranking = fitted(name, board).recommend(board.users.ids(), 1, filters=Filters.of(board))

        assert ranking["track_id"].to_list() == ranking["user_id"].to_list()

    @pytest.mark.parametrize("name", PERSONAL)
    def test_reasons_are_tracks_of_the_listeners_history(self, name: str) -> None:
        """The reason for a recommendation is a track that the listener has played."""
        board = Interactions.of(CHECKERBOARD)
        model = fitted(name, board)

        ranking = model.add_reasons(model.recommend(board.users.ids(), 1, filters=Filters.of(board)), board)

        reasons = ranking.join(CHECKERBOARD, left_on=["user_id", "reason_track_id"], right_on=["user_id", "track_id"])
        assert len(reasons) == len(ranking)

    def test_the_reason_in_a_list_is_the_first_of_the_explanation(self, model: Recommender[Any]) -> None:
        """For each listener and track: long histories, equal plays and interchangeable tracks included."""
        rng = np.random.default_rng(11)
        rows = [
            (f"u{user:02}", f"t{track:02}", 2.0, 3)
            for user in range(1, 30)
            for track in rng.choice(N_TRACKS, int(rng.integers(1, N_TRACKS - 5)), replace=False)
        ]
        pairs = pl.DataFrame(rows, ["user_id", "track_id", "strength", "age_days"], orient="row")
        world = Interactions.of(pairs, catalogue=CATALOGUE.select("track_id", "genre", "artist"), listeners=LISTENERS)

        ranking = model.recommend(world.users.ids(), 5, filters=Filters.of(world)).filter(~pl.col("is_fallback"))
        listed = model.add_reasons(ranking, world)

        for user_id, track_id, reason in listed.select("user_id", "track_id", "reason_track_id").iter_rows():
            first = model.explain(user_id, track_id, world).filter(pl.col("contribution") > 0).head(1)
            assert [reason] == (first["track_id"].to_list() or [None])
        assert listed.height > 100

    def test_an_erased_listener_leaves_nothing_and_changes_no_other_list(
        self, model: Recommender[Any], interactions: Interactions, tmp_path: Path
    ) -> None:
        """All others get the same lists, except from models that compare listeners; the erased one the fallback."""
        model.save(tmp_path / "before")
        changed, filters = Recommender.load(tmp_path / "before"), Filters.of(interactions)
        others = [user for user in interactions.users.ids() if user not in {"u07", "u00"}]
        before = model.recommend(others, K, filters=filters)

        changed.erase_users(["u07", "unknown"])
        changed.save(tmp_path / "after")

        loaded = Recommender.load(tmp_path / "after")
        assert loaded.users.ids().to_list() == [user for user in model.users.ids() if user != "u07"]
        assert loaded.recommend(["u07"], K, filters=filters)["is_fallback"].all()
        if model.scorer.name not in {"user_knn", "blend"}:
            assert_frame_equal(loaded.recommend(others, K, filters=filters), before)
        with np.load(tmp_path / "before" / "weights.npz") as old, np.load(tmp_path / "after" / "weights.npz") as new:
            shrunk = {name for name in old if old[name].size > new[name].size}
            assert bool(shrunk) == (model.scorer.name != "popular")
            by_listener = {(len(model.users),), (len(model.users) + 1,)}  # the latter: row starts of a sparse matrix
            assert {name for name in old if old[name].shape[:1] in by_listener} <= shrunk

    def test_a_score_falls_without_the_tracks_that_explain_it(
        self, model: Recommender[Any], interactions: Interactions
    ) -> None:
        """
        Without its three strongest reasons in the history, a track scores less, for at least 80% of listeners.

        Not for all of them, because the score of a transformer is not a sum over tracks.
        """
        history, filters = history_of(interactions), Filters.of(interactions)
        first = model.recommend_by_history(history, 1, filters=filters).filter(~pl.col("is_fallback")).head(20)
        explained = [
            model.explain(user_id, track_id, interactions).with_columns(user_id=pl.lit(user_id))
            for user_id, track_id in first.select("user_id", "track_id").iter_rows()
        ]
        reasons = pl.concat(rows.filter(pl.col("contribution") > 0).head(3) for rows in explained)
        own = history.join(first, on="user_id", how="semi")
        rest = own.join(reasons, on=["user_id", "track_id"], how="anti")
        scores = [
            model.recommend_by_history(plays, len(interactions.tracks), filters=filters).join(
                first, on=["user_id", "track_id"], how="semi"
            )
            for plays in (own, rest)
        ]
        lower = scores[0].join(scores[1], on=["user_id", "track_id"]).filter(pl.col("score_right") < pl.col("score"))
        n_lower = lower.join(reasons, on="user_id", how="semi").height
        assert n_lower >= (not explained[0].is_empty()) * 0.8 * len(first)

    def test_track_vectors_give_the_scores(self, model: Recommender[Any]) -> None:
        """Where a model has vectors of tracks, their inner products with the states are the scores."""
        tracks, states = model.scorer.track_vectors(), model.scorer.states(np.arange(len(model.users)))
        scores = np.empty((len(model.users), len(model.tracks)), np.float32)
        model.scorer.score(states, scores)

        assert (tracks is not None) == (model.scorer.name in WITH_VECTORS)
        if tracks is not None:
            np.testing.assert_allclose(np.einsum("ud,td->ut", states, tracks), scores, rtol=1e-4, atol=1e-5)

    def test_obeys_every_filter(self, model: Recommender[Any], interactions: Interactions) -> None:
        """Nothing seen, blocked, withdrawn or unavailable is recommended, even if k exceeds the allowed tracks."""
        ranking = model.recommend(LISTENERS["user_id"], N_TRACKS, filters=strict_filters(interactions))

        row, column = interactions.users.rows(ranking["user_id"]), interactions.tracks.rows(ranking["track_id"])
        joined = ranking.join(CATALOGUE, on="track_id").join(LISTENERS, on="user_id")
        assert not interactions.seen[row, column].any()
        assert joined.filter(pl.col("withdrawn_at").is_not_null()).is_empty()
        assert joined.filter((pl.col("available_in").list.len() > 0) & (pl.col("country") != "DE")).is_empty()
        assert ranking.filter(user_id="u01", track_id="t01").is_empty()
        assert ranking.filter(user_id="u02", track_id="t02").is_empty()

    def test_returns_k_tracks_or_all_allowed(self, model: Recommender[Any], interactions: Interactions) -> None:
        """Each listener gets k tracks, or all allowed ones if they are fewer than k."""
        filters = strict_filters(interactions)
        mask = filters.mask(LISTENERS["user_id"])
        n_allowed = (mask.allowed[mask.group] & ~mask.hidden.toarray()).sum(axis=1)

        for k in (1, K, 25):
            ranking = model.recommend(LISTENERS["user_id"], k, filters=filters)
            counts = ranking.group_by("user_id").len().sort("user_id")["len"].to_list()
            assert counts == np.minimum(n_allowed, k).tolist()

    def test_ranks_by_falling_score(self, model: Recommender[Any], interactions: Interactions) -> None:
        """Ranks count from 1, scores do not increase with rank, listeners keep the order in which they are passed."""
        user_ids = LISTENERS["user_id"].reverse()

        ranking = model.recommend(user_ids, K, filters=strict_filters(interactions))

        per_user = ranking.group_by("user_id", maintain_order=True).agg("rank", "score")
        assert per_user["user_id"].equals(user_ids)
        assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in per_user["rank"].to_list())
        assert all(scores == sorted(scores, reverse=True) for scores in per_user["score"].to_list())

    def test_same_seed_gives_the_same_ranking(self, model: Recommender[Any], interactions: Interactions) -> None:
        """A second fit to the same window gives the same ranking with the same scores, bit by bit."""
        again = fitted(model.scorer.name, interactions)

        filters = Filters.of(interactions)
        assert_frame_equal(
            again.recommend(interactions.users.ids(), K, filters=filters),
            model.recommend(interactions.users.ids(), K, filters=filters),
            check_exact=True,
        )

    def test_load_gives_what_was_saved(
        self, model: Recommender[Any], interactions: Interactions, tmp_path: Path
    ) -> None:
        """A loaded model recommends, folds in and explains like the saved one, and saves to the same bytes again."""
        model.save(tmp_path / "one")
        loaded = Recommender.load(tmp_path / "one")
        loaded.save(tmp_path / "two")

        assert type(loaded.scorer) is type(model.scorer)
        assert loaded.scorer.config == model.scorer.config
        assert_frame_equal(_rankings(loaded, interactions), _rankings(model, interactions), check_exact=True)
        for file in (tmp_path / "one").iterdir():
            assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()

    def test_a_scorer_needs_no_recommender(self, model: Recommender[Any], interactions: Interactions) -> None:
        """A scorer rebuilt from its arrays alone writes the scores that the recommender ranks by."""
        user_ids = model.users.ids().sample(5, seed=1)
        scorer = type(model.scorer)(model.scorer.config)
        scorer.restore(model.scorer.arrays())
        scores = np.full((6, N_TRACKS), np.nan, np.float32)

        scorer.score(scorer.states(model.users.rows([*user_ids, user_ids[0]])), scores)

        ranking = model.recommend(user_ids, N_TRACKS, filters=Filters.of(interactions, hide_seen=False))
        assert not np.isnan(scores).any()
        for user_id, user_scores in zip([*user_ids, user_ids[0]], scores, strict=True):
            ranked = ranking.filter(user_id=user_id)
            expected = user_scores[model.tracks.rows(ranked["track_id"])]
            np.testing.assert_allclose(expected, ranked["score"].to_numpy(), rtol=1e-4, atol=1e-5)

    def test_unknown_listeners_get_the_fallback(self, model: Recommender[Any], interactions: Interactions) -> None:
        """Unknown listeners, and those without positive interaction, get popular tracks, marked as fallback."""
        ranking = model.recommend(["stranger", "u00", "u03"], K, filters=Filters.of(interactions, hide_seen=False))

        best = np.argsort(-popularity(interactions, 30.0), kind="stable")[:K]
        assert dict(ranking.group_by("user_id").agg(pl.col("is_fallback").all()).iter_rows()) == {
            "stranger": True,
            "u00": True,
            "u03": False,
        }
        for stranger in ("stranger", "u00"):
            assert ranking.filter(user_id=stranger)["track_id"].equals(interactions.tracks.ids(best))
        assert ranking.filter("is_fallback")["segment"].unique().to_list() == ["everybody"]
        assert ranking.filter(~pl.col("is_fallback"))["segment"].is_null().all()
        assert model.add_reasons(ranking, interactions).filter("is_fallback")["reason_track_id"].is_null().all()

    def test_the_fallback_is_that_of_the_segment(self, model: Recommender[Any], interactions: Interactions) -> None:
        """A country with enough listeners has its own fallback; known listeners get their own list anyway."""
        user_ids, filters = ["stranger", "far", "u03"], Filters.of(interactions, hide_seen=False)
        profiles = pl.DataFrame(
            {"user_id": user_ids, "country": ["DE", "FR", "DE"], "age_band": ["25-34", None, "unknown"]}
        )
        germans = interactions.users.rows(LISTENERS.filter(country="DE")["user_id"])
        local = popularity(interactions.of_users(germans), 30.0) + popularity(
            interactions, 30.0
        ) * PRIOR_LISTENERS / len(model.users)

        ranking = model.recommend(user_ids, K, filters=filters, profiles=profiles)

        assert ranking.filter(user_id="stranger")["segment"].unique().to_list() == ["country=DE"]
        best = np.argsort(-local, kind="stable")[:K]
        assert ranking.filter(user_id="stranger")["track_id"].equals(interactions.tracks.ids(best))
        assert ranking.filter(user_id="far")["segment"].unique().to_list() == ["everybody"]
        assert_frame_equal(ranking.filter(user_id="u03"), model.recommend(["u03"], K, filters=filters))
        unknown_track = pl.DataFrame({"user_id": ["stranger"], "track_id": ["t99"], "strength": [1.0]})
        folded = model.recommend_by_history(unknown_track, K, filters=filters, profiles=profiles)
        assert_frame_equal(folded, ranking.filter(user_id="stranger"))

    def test_fold_in_agrees_with_the_training_user(self, model: Recommender[Any], interactions: Interactions) -> None:
        """The history of a training listener, folded in, gives the same ranking as `recommend`."""
        plays = history_of(interactions)
        known = plays["user_id"].unique().sort()

        folded = model.recommend_by_history(plays, K, filters=Filters.of(interactions))

        assert_frame_equal(folded, model.recommend(known, K, filters=Filters.of(interactions)), abs_tol=1e-4)

    @pytest.mark.parametrize("name", PERSONAL)
    def test_fold_in_agrees_with_a_refit(self, name: str) -> None:
        """A new listener, folded in, gets the same first track as from a model trained on them."""
        new_listener = pl.DataFrame({"user_id": "new", "track_id": [f"b{n}" for n in range(7)], "strength": 1.0})
        plays = checkerboard(24)  # a ranker needs more examples than eight listeners give
        board, larger = Interactions.of(plays), Interactions.of(pl.concat([plays, new_listener]))

        folded = fitted(name, board).recommend_by_history(new_listener, 1, filters=Filters.of(board))
        refitted = fitted(name, larger).recommend(["new"], 1, filters=Filters.of(larger))

        assert folded["track_id"].to_list() == refitted["track_id"].to_list() == ["b7"]

    def test_fold_in_of_unknown_tracks_is_the_fallback(
        self, model: Recommender[Any], interactions: Interactions
    ) -> None:
        """Tracks that the model does not know and negative strengths are ignored; the tracks stay excluded."""
        plays = pl.DataFrame({"user_id": "new", "track_id": ["t99", "t01"], "strength": [1.0, -1.0]})

        folded = model.recommend_by_history(plays, N_TRACKS, filters=Filters.of(interactions))

        assert folded["is_fallback"].all()
        assert len(folded) == N_TRACKS - 1
        assert "t01" not in folded["track_id"]

    def test_no_listeners_give_an_empty_ranking(self, model: Recommender[Any], interactions: Interactions) -> None:
        """Without listeners the ranking has all columns and no rows."""
        ranking = model.recommend([], K, filters=Filters.of(interactions))

        assert ranking.is_empty()
        assert ranking.columns == ["user_id", "track_id", "rank", "score", "is_fallback", "segment"]

    def test_refuses_invalid_arguments(self, model: Recommender[Any], interactions: Interactions) -> None:
        """A k below 1, repeated listeners and filters of another catalogue raise; messages say what to do."""
        other_filters = Filters.of(Interactions.of(CHECKERBOARD))

        with pytest.raises(InputError, match="k: found 0, expected at least 1"):
            model.recommend(["u01"], 0, filters=Filters.of(interactions))
        with pytest.raises(InputError, match="user_ids: found 1 repeated, expected each listener once"):
            model.recommend(["u01", "u01"], K, filters=Filters.of(interactions))
        with pytest.raises(
            InputError, match=r"filters: made for another catalogue .* Create them with Filters.for_listeners"
        ):
            model.recommend(["u01"], K, filters=other_filters)


PAIRS = {
    "one listener, one track": [("u", "t", 1.0)],
    "one listener, all tracks": [("u", f"t{n}", 1.0) for n in range(5)],
    "one track, played by all": [(f"u{n}", "t", 1.0) for n in range(5)],
    "all pairs the same": [(f"u{n}", f"t{m}", 1.0) for n in range(5) for m in range(5)],
    "nothing liked": [(f"u{n}", "t", -1.0) for n in range(5)],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pairs", PAIRS.values(), ids=PAIRS)
def test_the_smallest_histories_are_ranked(name: str, pairs: list[tuple[str, str, float]]) -> None:
    """Every listener gets each track once, with a finite score; with their own tracks excluded, none of those."""
    columns = dict(zip(("user_id", "track_id", "strength"), zip(*pairs, strict=True), strict=True))
    interactions = Interactions.of(pl.DataFrame(columns).with_columns(age_days=0))
    model = fitted(name, interactions)
    tracks, listeners = sorted(set(columns["track_id"])), sorted(set(columns["user_id"]))

    every = model.recommend(listeners, K, filters=Filters.of(interactions, hide_seen=False))
    unseen = model.recommend(listeners, K, filters=Filters.of(interactions))

    assert sorted(every.select("user_id", "track_id").rows()) == [(u, t) for u in listeners for t in tracks]
    assert every["score"].is_finite().all()
    assert not set(unseen.select("user_id", "track_id").rows()) & {pair[:2] for pair in pairs}


@pytest.mark.parametrize("name", ["ease", "user_knn", "content"])
def test_the_order_counts_with_default_decays(name: str, interactions: Interactions) -> None:
    """Two tracks in another order get the same scores without decay, and others once decays are the defaults."""
    model = Recommender.named(name, scorer_class(name).config_class(recency=0.0)).fit(interactions)
    plays = pl.DataFrame(
        {"user_id": ["a", "a", "b", "b"], "track_id": ["t01", "t02"] * 2, "age_days": [0, 240, 240, 0]}
    ).with_columns(strength=1.0)

    def scores() -> list[list[float]]:
        ranking = model.recommend_by_history(plays, N_TRACKS, filters=Filters.of(interactions)).sort("track_id")
        return [ranking.filter(user_id=user)["score"].to_list() for user in "ab"]

    there, back = scores()
    assert there == pytest.approx(back, abs=1e-5)
    model.scorer.decay_by_default()
    there, back = scores()
    assert there != pytest.approx(back, abs=1e-3)


def test_default_decays_of_a_blend_are_those_of_its_members() -> None:
    """Tuned decays give way to the defaults; the other settings stay."""
    blend = Blend()
    blend.members = [EASE(EASEConfig(recency=0, rank_recency=4, side_weight=3)), scorer_class("sequential")()]

    blend.decay_by_default()

    assert blend.members[0].config == EASEConfig(side_weight=3)


@pytest.mark.parametrize("name", NAMES)
def test_file_class_and_name_agree(name: str) -> None:
    """The class in a scorer's file has the name of the file, which recipes use."""
    model_class = scorer_class(name)

    assert (model_class.name, model_class.__module__) == (name, f"recsys.recommenders.{name}")


def test_misspelt_name_gets_a_hint() -> None:
    """The error for an unknown name suggests the most similar known one."""
    with pytest.raises(BadRecipe, match=r"There is no recommender 'asl'.* Did you mean 'als'"):
        scorer_class("asl")


def test_an_incomplete_model_is_refused(tmp_path: Path, interactions: Interactions) -> None:
    """Loading a folder without weights raises, and the message says which file is missing."""
    fitted("popular", interactions).save(tmp_path)
    (tmp_path / "weights.npz").unlink()

    with pytest.raises(SetupError, match=r"weights\.npz is missing"):
        Recommender.load(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_model_is_refused(tmp_path: Path, interactions: Interactions, seed: int) -> None:
    """A bit flipped in any file of a model is noticed, and the message names the model and the remedy."""
    fitted("popular", interactions).save(tmp_path)
    rng = random.Random(seed)
    path = rng.choice(sorted(tmp_path.iterdir()))
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)

    with pytest.raises(SetupError, match=rf"{tmp_path.name}.* is missing or damaged.*recsys rollback RUN"):
        Recommender.load(tmp_path)


@pytest.mark.parametrize("saved_by", ["another setting", "another array"])
def test_a_model_of_another_version_is_refused(tmp_path: Path, interactions: Interactions, saved_by: str) -> None:
    """If a setting or an array has another name, the message says to fit again."""
    fitted("popular", interactions).save(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    older = {"name": saved["name"], "config": saved["config"]}  # without checksums
    if saved_by == "another array":
        np.savez(tmp_path / "weights.npz", plays=np.zeros(N_TRACKS, np.float32))
    else:
        older["config"] = {"half_life": 30}
    (tmp_path / "config.json").write_text(json.dumps(older))

    with pytest.raises(SetupError, match=r"another version of this software .*; fit it again: recsys nightly"):
        Recommender.load(tmp_path)


def history_of(interactions: Interactions) -> pl.DataFrame:
    """The history of each listener, in the form that `recommend_by_history` takes."""
    pairs = interactions.matrix.tocoo()
    ids = {"user_id": interactions.users.ids(pairs.row), "track_id": interactions.tracks.ids(pairs.col)}
    return pl.DataFrame({**ids, "strength": pairs.data, "age_days": interactions.age_days})


def _rankings(model: Recommender[Any], interactions: Interactions) -> pl.DataFrame:
    filters = Filters.of(interactions)
    german = pl.DataFrame({"user_id": ["u00"], "country": ["DE"], "age_band": ["unknown"]})  # u00 gets the fallback
    ranking = model.recommend(interactions.users.ids(), K, filters=filters, profiles=german)
    folded = model.recommend_by_history(history_of(interactions), K, filters=filters)
    return pl.concat([model.add_reasons(ranking, interactions), model.add_reasons(folded, interactions)])
