"""Alignment of synthetic queries, cut from indexed recordings at known offsets and tempo ratios, or unknown."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, SCALE, VECTOR_HOP_S
from recsys.errors import InputError, SetupError
from recsys.matching.alignment import Calibration, MatchClassifier, align_query
from recsys.matching.fingerprint_index import CODES, EXACT_BELOW, GROUPS, FingerprintIndex
from recsys.search.stored_index import DESCRIPTION_FILE, StaleIndex

from .conftest import steps

STEP_S = INDEX_STEP * VECTOR_HOP_S


def walk(seed: int, n: int = 120, *, by: float = 0.6) -> np.ndarray:
    """Return unit vectors, a quarter of a second apart, each similar to the one before, as in music."""
    return steps(seed, n, by=by)


def excerpt(track: np.ndarray, begin_s: float, n: int, *, ratio: float = 1.0, noise: float = 0.0) -> np.ndarray:
    """Return an excerpt of a recording at a tempo ratio, with noise added to each vector."""
    positions = (begin_s + ratio * VECTOR_HOP_S * np.arange(n)) / VECTOR_HOP_S
    left = positions.astype(int)
    share = (positions - left)[:, None]
    vectors = track[left] * (1 - share) + track[left + 1] * share
    vectors = vectors + noise * np.random.default_rng(9_999).standard_normal(vectors.shape) / np.sqrt(128)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def index_of(tracks: dict[str, np.ndarray]) -> FingerprintIndex:
    """Index every second vector of recordings, as the catalogue's index does."""
    return FingerprintIndex.build(list(tracks), [track[::INDEX_STEP] for track in tracks.values()], version="v1")


@pytest.fixture(scope="module")
def tracks() -> dict[str, np.ndarray]:
    """Thirty recordings of half a minute."""
    return {f"t{seed}": walk(seed) for seed in range(30)}


@pytest.mark.parametrize(("ratio", "noise"), [(1.0, 0.0), (0.9, 0.5), (1.1, 0.5), (1.05, 1.0), (1.0, 1.5)])
def test_an_excerpt_is_aligned_where_it_was_cut_out(tracks: dict[str, np.ndarray], ratio: float, noise: float) -> None:
    """The recording, offset and tempo ratio of a query are found."""
    found = align_query(index_of(tracks), excerpt(tracks["t7"], 6.3, 36, ratio=ratio, noise=noise)).alignments[0]

    assert found.track_id == "t7"
    assert found.offset_s == pytest.approx(6.3, abs=0.2)
    assert found.ratio == pytest.approx(ratio, abs=0.02)
    assert found.n_vectors == 36


def test_evidence_tells_an_indexed_recording_from_an_unknown_one(tracks: dict[str, np.ndarray]) -> None:
    """For an unknown recording, the best score is hardly above the scores of others."""
    index = index_of(tracks)
    known = align_query(index, excerpt(tracks["t3"], 2.0, 20, noise=1.0)).evidence
    unknown = align_query(index, walk(1_000, 20)).evidence

    assert known.shape == unknown.shape == (8,)
    assert known[0] - known[3] > 3 * (unknown[0] - unknown[3])
    assert known[1] > 2 * unknown[1]


def resembling(query: np.ndarray, seed: int, cosine: float) -> np.ndarray:
    """Return unit vectors that all have about this cosine with the query's, and are random otherwise."""
    rest = np.random.default_rng(seed).standard_normal(query.shape)
    rest -= (rest * query).sum(axis=1, keepdims=True) * query
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    return np.asarray(cosine * query + np.sqrt(1 - cosine**2) * rest, np.float32)


def test_recordings_that_resemble_a_stranger_but_not_each_other_are_no_copies(tracks: dict[str, np.ndarray]) -> None:
    """Unrelated recordings of equal score do not hide each other: their scores are evidence against a match."""
    stranger = walk(4_000, 36, by=0.1)
    hubs = {f"hub {seed}": resembling(stranger, seed, 0.6) for seed in range(12)}

    found = align_query(index_of(tracks | hubs), stranger)

    assert {alignment.track_id for alignment in found.alignments[:12]} == set(hubs)
    assert found.evidence[0] == pytest.approx(0.6, abs=0.1)
    assert found.evidence[3:5] == pytest.approx(found.evidence[0], abs=0.1)


def test_copies_are_told_by_their_content_at_any_score(tracks: dict[str, np.ndarray]) -> None:
    """A copy of the best recording is no evidence against it, whether the query resembles both well or little."""
    copies = {f"copy {seed}": resembling(tracks["t3"], seed, 0.93) for seed in range(12)}
    for noise in (0.3, 2.0):
        query = excerpt(tracks["t3"], 6.0, 36, noise=noise)
        alone, among = (align_query(index_of(indexed), query).evidence for indexed in (tracks, tracks | copies))

        assert among[0] >= alone[0] - 0.02
        assert among[3] <= alone[3] + 0.05


@pytest.mark.parametrize(("ratio", "is_found"), [(0.8, True), (1.2, True), (0.72, False), (1.31, False)])
def test_a_tempo_beyond_the_grid_is_no_alignment(tracks: dict[str, np.ndarray], ratio: float, is_found: bool) -> None:
    """Within 20 % of the recording's tempo a query is aligned; beyond, no recording is aligned at the grid's edge."""
    query = excerpt(tracks["t7"], 4.0, 36, ratio=ratio, noise=0.3)

    found = align_query(index_of(tracks), query).alignments

    assert all(abs(alignment.ratio - 1) <= 0.22 for alignment in found)
    assert bool(found and found[0].track_id == "t7" and found[0].score > 0.6) == is_found


def test_a_recording_that_repeats_itself_leaves_others_their_place(tracks: dict[str, np.ndarray]) -> None:
    """A loop is aligned at a few of its repetitions, so that other recordings are aligned as well."""
    bar = walk(5_000, 16)
    query = np.concatenate([bar] * 2)
    others = {f"other {seed}": resembling(query, seed, 0.6) for seed in range(8)}
    looped = tracks | others | {"loop": np.concatenate([bar] * 7)}

    found = align_query(index_of(looped), query).alignments

    assert found[0].track_id == "loop"
    assert len({alignment.track_id for alignment in found} & set(others)) >= 6


def test_a_query_may_begin_before_the_recording(tracks: dict[str, np.ndarray]) -> None:
    """A query that starts before the recording has a negative offset, and only vectors within the recording count."""
    index = index_of(tracks)
    query = np.concatenate([walk(2_000, 16), tracks["t4"][:60]])

    found = align_query(index, query).alignments[0]

    assert found.track_id == "t4"
    assert found.offset_s == pytest.approx(-16 * VECTOR_HOP_S, abs=0.2)
    assert found.n_vectors < len(query)


@pytest.mark.parametrize("n", [0, 1])
def test_a_tiny_query_is_no_error(tracks: dict[str, np.ndarray], n: int) -> None:
    """A query of one vector has alignments; a query without vectors has none."""
    found = align_query(index_of(tracks), walk(3, n)[:n] if n else np.empty((0, 128), np.float32))

    assert bool(found.alignments) == bool(n)
    assert found.evidence.shape == (8,)


def test_an_empty_index_finds_nothing() -> None:
    """An index without vectors gives no alignments."""
    assert align_query(index_of({}), walk(1, 20)).alignments == []
    assert align_query(index_of({"short": np.empty((0, 128), np.float32)}), walk(1, 20)).alignments == []


def test_a_removed_recording_is_gone_and_an_added_one_is_found(tracks: dict[str, np.ndarray], tmp_path: Path) -> None:
    """When a recording is removed, none of its vectors remain in memory or on disk."""
    index = index_of(tracks)
    query = excerpt(tracks["t5"], 3.0, 20)

    index.remove(["t5", "unknown"])
    index.save(tmp_path / "index")
    assert "t5" not in index.ids
    assert {alignment.track_id for alignment in align_query(index, query).alignments}.isdisjoint({"t5"})
    assert len(np.load(tmp_path / "index" / CODES)) == 29 * 60

    index.add(["t5"], [tracks["t5"][::INDEX_STEP]])
    assert align_query(index, query).alignments[0].track_id == "t5"
    with pytest.raises(InputError, match="'t5' is in the index of fingerprints more than once"):
        index.add(["t5"], [tracks["t5"]])


def test_an_index_comes_back_from_disk_as_it_was(tracks: dict[str, np.ndarray], tmp_path: Path) -> None:
    """The stored vectors equal those of the recordings, up to the rounding to one byte."""
    index = index_of(tracks)
    index.save(tmp_path / "index")

    again = FingerprintIndex.load(tmp_path / "index", version="v1")

    assert again.ids == index.ids
    assert np.array_equal(again.vectors(0, 60), index.vectors(0, 60))
    assert np.abs(again.vectors(0, 60) - tracks["t0"][::INDEX_STEP]).max() <= 0.5 / SCALE + 1e-6


@pytest.mark.parametrize("damage", [CODES, DESCRIPTION_FILE, "missing", "none"])
def test_a_damaged_or_stale_index_is_refused(tracks: dict[str, np.ndarray], tmp_path: Path, damage: str) -> None:
    """A stale, damaged or missing index is refused; the message says what to do next."""
    folder = tmp_path / "index"
    index_of(tracks).save(folder)
    if damage == "none":
        with pytest.raises(
            StaleIndex, match=r"contains fingerprints of the network version v1; expected v2. Run: recsys nightly"
        ):
            FingerprintIndex.load(folder, version="v2")
        return
    if damage == "missing":
        (folder / CODES).unlink()
    else:
        (folder / damage).write_bytes((folder / damage).read_bytes()[:-40])
    with pytest.raises(SetupError, match=r"is missing or damaged\. Remove .* and run: recsys nightly"):
        FingerprintIndex.load(folder, version="v1")


def test_a_large_index_is_searched_by_groups(tmp_path: Path) -> None:
    """Above 50,000 vectors, recording, tempo and offset are found as in a small index, also once it is loaded."""
    n_tracks = EXACT_BELOW // 400 + 2
    tracks = {f"t{seed}": walk(seed, 800) for seed in range(n_tracks)}
    index = index_of(tracks)
    query = excerpt(tracks["t9"], 40.0, 20, ratio=1.05, noise=0.5)

    found = align_query(index, query).alignments[0]

    assert len(index) == n_tracks
    assert found.track_id == "t9"
    assert found.ratio == pytest.approx(1.05, abs=0.02)
    assert found.offset_s == pytest.approx(40.0, abs=0.2)
    index.save(tmp_path / "index")
    loaded = FingerprintIndex.load(tmp_path / "index")
    assert align_query(loaded, query).alignments[0] == found
    loaded.remove(["t9"])
    loaded.add(["again"], [tracks["t9"][::INDEX_STEP]])
    assert align_query(loaded, query).alignments[0].track_id == "again"
    assert (tmp_path / "index" / GROUPS).exists()
    loaded.remove(loaded.ids[1:])
    loaded.save(tmp_path / "index")
    assert not (tmp_path / "index" / GROUPS).exists()
    assert FingerprintIndex.load(tmp_path / "index").ids == ["t0"]


def test_recordings_can_be_added_during_searches() -> None:
    """Searches in other threads see the index before or after an addition; in the end all recordings are found."""
    tracks = {f"t{seed}": walk(seed, 100) for seed in range(60)}
    index = index_of({name: tracks[name] for name in list(tracks)[:20]})
    queries = {name: excerpt(track, 20.0, 5, noise=0.5) for name, track in tracks.items()}
    found: list[str] = []

    def search() -> None:
        for _ in range(5):
            found.extend(align_query(index, queries[name]).alignments[0].track_id for name in list(tracks)[:20])

    with ThreadPoolExecutor(2) as pool:
        searches = [pool.submit(search) for _ in range(2)]
        for name in list(tracks)[20:]:
            index.add([name], [tracks[name][::INDEX_STEP]])
        for running in searches:
            running.result()

    assert sorted(found) == sorted(list(tracks)[:20] * 10)
    assert all(align_query(index, query).alignments[0].track_id == name for name, query in queries.items())


def test_the_classifier_of_the_nearest_length_is_used(tmp_path: Path) -> None:
    """A calibration is read as it was written; a higher score gives a higher probability."""
    classifiers = [
        MatchClassifier(length_s, [0.0] * 8, [1.0] * 8, [1.0, *[0] * 7, -length_s]) for length_s in (3, 5, 10)
    ]
    Calibration("v1", classifiers).save(tmp_path / "c.json")

    calibration = Calibration.load(tmp_path / "c.json")

    assert [calibration.classifier(s).length_s for s in (0.5, 3.6, 4.2, 60)] == [3, 3, 5, 10]
    evidence = np.array([[3.0, *[0] * 7], [9.0, *[0] * 7]])
    assert calibration.classifier(3).probability(evidence) == pytest.approx([0.5, 0.9975], abs=1e-3)
    assert calibration.classifier(3).log_odds(evidence) == pytest.approx([0, 6])


def test_significance_is_the_exponent_of_the_false_positive_rate() -> None:
    """It is 2 and 3 at the thresholds of 1 % and 0.1 %, and grows by one per tenth of the rate beyond."""
    at_1, at_01 = (1 / (1 + np.exp(-log_odds)) for log_odds in (1.0, 3.0))
    classifier = MatchClassifier(10, [0.0] * 8, [1.0] * 8, [1.0] + [0.0] * 8, at_1, at_01)
    evidence = np.zeros((4, 8))
    evidence[:, 0] = [1, 3, 5, -1]

    assert classifier.significance(evidence) == pytest.approx([2, 3, 4, 1])
    equal = MatchClassifier(10, [0.0] * 8, [1.0] * 8, [1.0] + [0.0] * 8, at_1, at_1)
    assert np.isfinite(equal.significance(evidence)).all()
