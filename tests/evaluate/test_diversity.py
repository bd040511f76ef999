"""Diversity, calibration and serendipity: by hand, and compared with plain loops."""

from itertools import combinations
from math import log

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError
from recsys.evaluate.beyond_accuracy import RankedLists
from recsys.evaluate.diversity import intra_list_diversity_at_k, miscalibration_at_k, serendipity_at_k
from recsys.evaluate.ranking import evaluate_lists, precision_at_k
from recsys.evaluate.training_profile import TrainingProfile

N_USERS, N_TRACKS, N_GENRES = 6, 10, 4


def shown(tracks: list[list[str]], pairs: dict[str, str], catalogue: pl.DataFrame) -> RankedLists:
    """Lists for the listeners of `pairs` ('ann': 'r q' are ann's liked tracks), without held-out tracks."""
    rows = [(user, track, 1.0) for user, liked in pairs.items() for track in liked.split()]
    train = Interactions.of(pl.DataFrame(rows, ["user_id", "track_id", "strength"], orient="row"), catalogue=catalogue)
    ranked = np.array([train.tracks.rows(row) for row in tracks])
    nothing = sp.csr_matrix((len(tracks), len(train.tracks)), dtype=np.bool_)
    profile = TrainingProfile.of(train, np.arange(len(tracks)))
    return RankedLists(ranked, profile, evaluate_lists(ranked, nothing), profile.seen)


# r1 and r2 are rock, p is pop, b is both, u is unknown; each also has an artist.
CATALOGUE = pl.DataFrame(
    {
        "track_id": ["r1", "r2", "p", "b", "u"],
        "genre": [["rock"], ["rock"], ["pop"], ["rock", "pop"], None],
    }
)


@st.composite
def random_lists(draw: st.DrawFn) -> RankedLists:
    """Random lists, histories, held-out and hidden tracks and weighted features, with missing values in all of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranked = rng.permuted(np.tile(np.arange(N_TRACKS), (N_USERS, 1)), axis=1)[:, :6]
    ranked[rng.random(ranked.shape) < 0.2] = -1
    liked, relevant, hidden = (sp.csr_matrix(rng.random((N_USERS, N_TRACKS)) < 0.3) for _ in range(3))
    weights = rng.integers(0, 3, (N_TRACKS, N_GENRES)) * (rng.random((N_TRACKS, N_GENRES)) < 0.5)
    names = Vocab.of([f"genre={n}" for n in range(N_GENRES)], kind="feature")
    listeners = rng.integers(0, 5, N_TRACKS)
    profile = TrainingProfile(liked, liked, listeners, 9, Features(sp.csr_matrix(weights.astype(np.float32)), names))
    ranked[hidden.toarray()[np.arange(N_USERS)[:, None], ranked] & (ranked >= 0)] = -1
    return RankedLists(ranked, profile, evaluate_lists(ranked, relevant.multiply(~hidden.toarray()).tocsr()), hidden)


def test_diversity_by_hand() -> None:
    """Two rock tracks are equal, rock and pop have nothing in common, both is between; unknown is left out."""
    lists = [["r1", "r2"], ["r1", "p"], ["r1", "b"], ["r1", "u"]]

    values = intra_list_diversity_at_k(shown(lists, dict.fromkeys("abcd", "p"), CATALOGUE), 2)

    assert_allclose(values, [0, 1, 1 - 1 / np.sqrt(2), np.nan], atol=1e-12)


def test_calibration_by_hand() -> None:
    """The listener's own genre mix has divergence 0; a list of another genre only has the 0.01 that is blended in."""
    lists = shown([["b"], ["p"], ["u"]], {"a": "r1 p", "b": "r1 r2", "c": "r1"}, CATALOGUE)

    assert_allclose(miscalibration_at_k(lists, 1), [0, log(100), np.nan], atol=1e-12)


def test_without_genres_all_features_stand_in() -> None:
    """If artists are the only feature, calibration is by artist; without any feature, the value is NaN."""
    artists = CATALOGUE.select("track_id", artist=pl.lit("x"))

    assert_allclose(miscalibration_at_k(shown([["r1"]], {"a": "p"}, artists), 1), [0], atol=1e-12)
    assert np.isnan(miscalibration_at_k(shown([["r1"]], {"a": "p"}, artists.select("track_id")), 1)).all()
    assert np.isnan(intra_list_diversity_at_k(shown([["r1", "p"]], {"a": "p"}, artists.select("track_id")), 2)).all()


@settings(deadline=None, max_examples=50)
@given(random_lists(), st.integers(1, 6))
def test_diversity_equals_a_loop_over_pairs(lists: RankedLists, k: int) -> None:
    """The result equals 1 minus the mean cosine of all pairs."""
    vectors = lists.profile.features.matrix.toarray().astype(np.float64)

    def plain(row: list[int]) -> float:
        known = [vectors[track] for track in row[:k] if track >= 0 and vectors[track].any()]
        cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in combinations(known, 2)]
        return 1 - float(np.mean(cosines)) if cosines else np.nan

    assert_allclose(intra_list_diversity_at_k(lists, k), [plain(row) for row in lists.ranked.tolist()], atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(random_lists(), st.integers(1, 6))
def test_calibration_equals_a_loop_over_genres(lists: RankedLists, k: int) -> None:
    """The result equals Steck's formula, genre by genre, and is in 0..ln 100."""
    weights = lists.profile.features.matrix.toarray().astype(np.float64)

    def mix(tracks: list[int]) -> npt.NDArray[np.float64] | None:
        shares = [weights[track] / weights[track].sum() for track in tracks if weights[track].any()]
        return np.mean(shares, axis=0) if shares else None

    def plain(row: list[int], own: list[int]) -> float:
        p, q = mix(own), mix([track for track in row[:k] if track >= 0])
        if p is None or q is None:
            return np.nan
        return float(sum(a * log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a > 0))

    values = miscalibration_at_k(lists, k)

    own = [np.flatnonzero(row).tolist() for row in lists.profile.liked.toarray()]
    expected = [plain(row, tracks) for row, tracks in zip(lists.ranked.tolist(), own, strict=True)]
    assert_allclose(values, expected, atol=1e-9)
    assert np.all((values >= 0) & (values <= log(100) + 1e-9) | np.isnan(values))


@settings(deadline=None, max_examples=50)
@given(random_lists(), st.integers(1, 6))
def test_serendipity_equals_a_list_by_popularity(lists: RankedLists, k: int) -> None:
    """The result equals removing each listener's popularity ranking from the hits."""
    profile, hits = lists.profile, lists.evaluated.hits
    by_popularity = sorted(range(N_TRACKS), key=lambda track: (-profile.listener_counts[track], track))

    def plain(user: int) -> float:
        hidden = set(lists.hidden[[user]].indices.tolist())
        expected = [track for track in by_popularity if track not in hidden][:k]
        found = lists.ranked[user, :k][hits[user, :k]].tolist()
        return len(set(found) - set(expected)) / k if lists.evaluated.n_relevant[user] else np.nan

    values = serendipity_at_k(lists, k)

    assert_allclose(values, [plain(user) for user in range(N_USERS)])
    assert np.all((values <= precision_at_k(lists.evaluated, k)) | np.isnan(values))


@pytest.mark.parametrize("metric", [intra_list_diversity_at_k, miscalibration_at_k, serendipity_at_k])
def test_k_out_of_range_is_refused(metric: object) -> None:
    """A k above the length of the lists is an error."""
    assert callable(metric)
    with pytest.raises(InputError, match="k: found 2, expected 1 to 1"):
        metric(shown([["r1"]], {"a": "p"}, CATALOGUE), 2)
