"""The vector index against brute force: order, exactly k results, filters, removal, updates, files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError, SetupError
from recsys.search.stored_index import DESCRIPTION_FILE, StaleIndex
from recsys.search.vector_index import NO_ROW, Index, IndexSettings

N, D = 3_000, 16
SHARES = (0.0, 0.001, 0.003, 0.01, 0.1, 0.5, 0.999, 1.0)  # of the vectors that a filter allows
CLUSTERED = IndexSettings(exact_below=100)


def clusters(n: int, rng: np.random.Generator) -> np.ndarray:
    """Vectors around sixty centres, float32."""
    centres = rng.standard_normal((60, D))
    return (centres[rng.integers(60, size=n)] + 0.3 * rng.standard_normal((n, D))).astype(np.float32)


VECTORS = clusters(N, np.random.default_rng(7))
IDS = [f"t{n}" for n in range(N)]
QUERIES = clusters(20, np.random.default_rng(7))


@pytest.fixture(scope="module", params=["exact", "clustered"])
def index(request: pytest.FixtureRequest) -> Index:
    """The same vectors in an exact and in a clustered index."""
    chosen = CLUSTERED if request.param == "clustered" else IndexSettings()
    return Index.build(IDS, VECTORS, version="v1", settings=chosen)


def nearest(queries: np.ndarray, k: int) -> np.ndarray:
    """Rows of the nearest vectors by cosine, found by sorting them all."""
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    cosines = queries / np.linalg.norm(queries, axis=1, keepdims=True) @ unit.T
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


def test_results_are_those_of_brute_force(index: Index) -> None:
    """All of them in an exact index, at least 95 % in a clustered one."""
    found = index.search(QUERIES, 10).rows
    right = nearest(QUERIES, 10)

    recall = np.mean([np.isin(a, b).mean() for a, b in zip(right, found, strict=True)])
    assert recall >= (1.0 if index.recall == 1.0 else 0.95)
    assert index.recall >= 0.99


def test_a_vector_is_nearest_to_itself(index: Index) -> None:
    """With a cosine of 1, whatever the length of the query."""
    found = index.search(3 * VECTORS[:5], 1)

    assert found.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert found.scores[:, 0] == pytest.approx(1, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    share=st.sampled_from(SHARES),
    k=st.integers(1, 30),
    seed=st.integers(0, 99),
)
def test_a_filter_never_costs_a_result(index: Index, share: float, k: int, seed: int) -> None:
    """Exactly k results if k are allowed, none of them twice, scores falling."""
    allowed = np.random.default_rng(seed).random(N) < share

    found = index.search(QUERIES[:3], k, allowed=allowed)

    there = found.rows != NO_ROW
    assert (there.sum(axis=1) == min(k, allowed.sum())).all()
    assert allowed[found.rows[there]].all()
    for rows, scores in zip(found.rows, found.scores, strict=True):
        kept = rows[rows != NO_ROW]
        assert len(set(kept)) == len(kept)
        assert (np.diff(scores[rows != NO_ROW]) <= 0).all()


@pytest.mark.parametrize("chosen", [CLUSTERED, IndexSettings()], ids=["clustered", "exact"])
def test_removed_vectors_are_not_found_and_added_ones_are(chosen: IndexSettings) -> None:
    """First one vector is removed, then a quarter of all, after which the vectors are clustered again."""
    index = Index.build(IDS, VECTORS, version="v1", settings=chosen)

    index.remove(["t0", "no such track"])
    index.add(["new"], VECTORS[:1])
    nearest_now = index.ids[index.search(VECTORS[:1], 1).rows[0, 0]]
    index.remove([f"t{n}" for n in range(1, N // 4)])
    then = index.search(VECTORS[:200], 20)

    assert nearest_now == "new"
    assert len(index) == N - N // 4 + 1
    assert (then.rows != NO_ROW).all()
    names = set(index.ids[then.rows.ravel()])
    assert not names & {f"t{n}" for n in range(N // 4)}


def test_an_index_comes_back_as_it_was_saved(index: Index, tmp_path: Path) -> None:
    """It gives the same results; another encoder, a damaged file and a missing index are refused."""
    index.save(tmp_path / "index")
    again = Index.load(tmp_path / "index", version="v1")

    assert again.search(QUERIES, 7).rows.tolist() == index.search(QUERIES, 7).rows.tolist()
    with pytest.raises(StaleIndex, match="network version v1; expected v2"):
        Index.load(tmp_path / "index", version="v2")
    (tmp_path / "index" / "vectors.npy").write_bytes(b"short")
    with pytest.raises(SetupError, match=r"vectors.npy is missing or damaged"):
        Index.load(tmp_path / "index")
    (tmp_path / "index" / DESCRIPTION_FILE).write_text("{}")
    with pytest.raises(SetupError, match=r"about.json is missing or damaged"):
        Index.load(tmp_path / "index")
    with pytest.raises(SetupError, match="contains no embeddings"):
        Index.load(tmp_path / "elsewhere")


def test_the_same_vectors_make_the_same_clusters() -> None:
    """Builds are reproducible."""
    first, second = (Index.build(IDS, VECTORS, version="v1", settings=CLUSTERED) for _ in range(2))

    assert first.recall == second.recall
    assert first.search(QUERIES, 10).rows.tolist() == second.search(QUERIES, 10).rows.tolist()


def test_an_index_below_the_recall_floor_is_refused() -> None:
    """Noise in many dimensions does not cluster."""
    noise = np.random.default_rng(7).standard_normal((2_000, 256)).astype(np.float32)
    names = [f"t{n}" for n in range(len(noise))]

    with pytest.raises(SetupError, match=r"found 0\.\d+ with 2,000 vectors, expected at least 0.95"):
        Index.build(names, noise, version="v1", settings=CLUSTERED)


@pytest.mark.parametrize(
    ("ids", "vectors", "message"),
    [
        (["a", "b"], [[1.0, 0.0], [0.0, 0.0]], "that of 'b'"),
        (["a", "b"], [[1.0, 0.0], [np.nan, 0.0]], "that of 'b'"),
        (["a", "a"], [[1.0, 0.0], [0.0, 1.0]], "'a' is in the index more than once"),
        (["a"], [[1.0, 0.0], [0.0, 1.0]], "one row for each of 1 ids"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(ids: list[str], vectors: list[list[float]], message: str) -> None:
    """Vectors of length 0, vectors that are not finite, repeated ids, a missing id."""
    with pytest.raises(InputError, match=message):
        Index.build(ids, np.array(vectors, np.float32), version="v1")


def test_ties_go_to_the_lower_row() -> None:
    """Equal vectors come in the order of the index."""
    index = Index.build(["a", "b", "c"], np.ones((3, 4), np.float32), version="v1")

    assert index.search(np.ones((1, 4), np.float32), 3).rows.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("chosen", [IndexSettings(), CLUSTERED], ids=["exact", "clustered"])
def test_an_updated_index_finds_what_a_new_one_finds(chosen: IndexSettings) -> None:
    """Some vectors were removed, some changed, some added; recall is measured again."""
    index = Index.build(IDS[:2_000], VECTORS[:2_000], version="v1", settings=chosen)
    ids = IDS[100:2_600]
    target = VECTORS[100:2_600].copy()
    target[:50] = VECTORS[2_600:2_650]

    counts = index.update(ids, target)

    fresh = Index.build(ids, target, version="v1")
    found, right = index.search(QUERIES, 10).rows, fresh.search(QUERIES, 10).rows
    recalls = [np.isin(fresh.ids[b], index.ids[a]).mean() for a, b in zip(found, right, strict=True)]
    assert counts == (650, 150)
    assert len(index) == len(ids)
    assert np.mean(recalls) >= (1.0 if index.recall == 1.0 else 0.95)
    assert index.recall >= 0.95


def test_an_update_with_the_same_vectors_does_nothing(index: Index) -> None:
    """Neither another order nor another length of the vectors counts as a change."""
    assert index.update(IDS[::-1], 2 * VECTORS[::-1]) == (0, 0)


def test_an_update_to_nothing_empties_the_index() -> None:
    """All vectors are removed, and a search finds nothing."""
    index = Index.build(IDS[:10], VECTORS[:10], version="v1")

    assert index.update([], np.empty((0, D), np.float32)) == (0, 10)
    assert (index.search(QUERIES, 3).rows == NO_ROW).all()
