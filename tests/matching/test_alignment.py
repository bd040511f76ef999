"""Matching on vectors of which the truth is known: what was cut out of where, how fast, and what is in no index."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recsys.audio.fingerprint.fingerprinter import APART_S, INDEX_STEP, SCALE
from recsys.errors import InputError, SetupError
from recsys.matching.alignment import Calibration, MatchClassifier, answer
from recsys.matching.fingerprint_index import CODES, EXACT_BELOW, FingerprintIndex
from recsys.search.stored_index import ABOUT, StaleIndex

STEP_S = INDEX_STEP * APART_S


def walk(seed: int, n: int = 120, *, by: float = 0.6) -> np.ndarray:
    """Vectors of length 1, a quarter of a second apart, neighbours alike: as music changes."""
    rng = np.random.default_rng(seed)
    rows = [rng.standard_normal(128)]
    for _ in range(n - 1):
        rows.append((1 - by) * rows[-1] + by * rng.standard_normal(128))
    vectors = np.array(rows)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def heard(track: np.ndarray, begin_s: float, n: int, *, ratio: float = 1.0, noise: float = 0.0) -> np.ndarray:
    """A piece of a recording, played faster by a ratio, each vector pushed aside by noise."""
    at = (begin_s + ratio * APART_S * np.arange(n)) / APART_S
    left = at.astype(int)
    share = (at - left)[:, None]
    vectors = track[left] * (1 - share) + track[left + 1] * share
    vectors = vectors + noise * np.random.default_rng(9_999).standard_normal(vectors.shape) / np.sqrt(128)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def index_of(tracks: dict[str, np.ndarray]) -> FingerprintIndex:
    """Index every second vector, as recordings are."""
    return FingerprintIndex.build(list(tracks), [each[::INDEX_STEP] for each in tracks.values()], version="v1")


@pytest.fixture(scope="module")
def tracks() -> dict[str, np.ndarray]:
    """Thirty recordings of half a minute."""
    return {f"t{seed}": walk(seed) for seed in range(30)}


@pytest.mark.parametrize(("ratio", "noise"), [(1.0, 0.0), (0.9, 0.5), (1.1, 0.5), (1.05, 1.0), (1.0, 1.5)])
def test_a_piece_is_found_where_it_was_cut_out(tracks: dict[str, np.ndarray], ratio: float, noise: float) -> None:
    """The recording, where in it the query begins, and how fast it is."""
    found = answer(index_of(tracks), heard(tracks["t7"], 6.3, 36, ratio=ratio, noise=noise)).alignments[0]

    assert found.track_id == "t7"
    assert found.offset_s == pytest.approx(6.3, abs=0.2)
    assert found.ratio == pytest.approx(ratio, abs=0.02)
    assert found.n_vectors == 36


def test_a_stranger_has_other_evidence_than_a_known_piece(tracks: dict[str, np.ndarray]) -> None:
    """Its best score is that of the others."""
    prints = index_of(tracks)
    known = answer(prints, heard(tracks["t3"], 2.0, 20, noise=1.0)).evidence
    strange = answer(prints, walk(1_000, 20)).evidence

    assert known.shape == strange.shape == (5,)
    assert known[0] - known[1] > 3 * (strange[0] - strange[1])


def test_a_query_longer_than_the_recording_lies_on_it_where_it_can(tracks: dict[str, np.ndarray]) -> None:
    """What begins before the recording does, begins below 0."""
    prints = index_of(tracks)
    query = np.concatenate([walk(2_000, 16), tracks["t4"][:60]])

    found = answer(prints, query).alignments[0]

    assert found.track_id == "t4"
    assert found.offset_s == pytest.approx(-16 * APART_S, abs=0.2)
    assert found.n_vectors < len(query)


@pytest.mark.parametrize("n", [0, 1])
def test_almost_nothing_is_no_error(tracks: dict[str, np.ndarray], n: int) -> None:
    """A query of no vector has no alignment; one vector has."""
    found = answer(index_of(tracks), walk(3, n)[:n] if n else np.empty((0, 128), np.float32))

    assert bool(found.alignments) == bool(n)
    assert found.evidence.shape == (5,)


def test_an_empty_index_finds_nothing() -> None:
    """And says so with no alignment."""
    assert answer(index_of({}), walk(1, 20)).alignments == []
    assert answer(index_of({"short": np.empty((0, 128), np.float32)}), walk(1, 20)).alignments == []


def test_what_was_removed_is_gone_and_what_was_added_is_found(tracks: dict[str, np.ndarray], tmp_path: Path) -> None:
    """From memory and from disk: no byte of it is left."""
    prints = index_of(tracks)
    query = heard(tracks["t5"], 3.0, 20)

    prints.remove(["t5", "never there"])
    prints.save(tmp_path / "prints")
    assert "t5" not in prints.ids
    assert {each.track_id for each in answer(prints, query).alignments}.isdisjoint({"t5"})
    assert len(np.load(tmp_path / "prints" / CODES)) == 29 * 60

    prints.add(["t5"], [tracks["t5"][::INDEX_STEP]])
    assert answer(prints, query).alignments[0].track_id == "t5"
    with pytest.raises(InputError, match="'t5' is in the index of fingerprints more than once"):
        prints.add(["t5"], [tracks["t5"]])


def test_an_index_comes_back_from_disk_as_it_was(tracks: dict[str, np.ndarray], tmp_path: Path) -> None:
    """Vectors to within a code."""
    prints = index_of(tracks)
    prints.save(tmp_path / "prints")

    again = FingerprintIndex.load(tmp_path / "prints", version="v1")

    assert again.ids == prints.ids
    assert np.array_equal(again.vectors(0, 60), prints.vectors(0, 60))
    assert np.abs(again.vectors(0, 60) - tracks["t0"][::INDEX_STEP]).max() <= 0.5 / SCALE + 1e-6


@pytest.mark.parametrize("damage", [CODES, ABOUT, "missing", "none"])
def test_a_damaged_or_older_index_is_refused(tracks: dict[str, np.ndarray], tmp_path: Path, damage: str) -> None:
    """With what to do next."""
    folder = tmp_path / "prints"
    index_of(tracks).save(folder)
    if damage == "none":
        with pytest.raises(
            StaleIndex, match=r"holds fingerprints of the network version v1; expected v2. Run: recsys nightly"
        ):
            FingerprintIndex.load(folder, version="v2")
        return
    if damage == "missing":
        (folder / CODES).unlink()
    else:
        (folder / damage).write_bytes((folder / damage).read_bytes()[:-40])
    with pytest.raises(SetupError, match=r"is missing or damaged\. Remove .* and run: recsys nightly"):
        FingerprintIndex.load(folder, version="v1")


def test_many_vectors_are_found_by_groups() -> None:
    """Above 50,000 the answer is the same as below."""
    n_tracks = EXACT_BELOW // 400 + 2
    tracks = {f"t{seed}": walk(seed, 800) for seed in range(n_tracks)}
    prints = index_of(tracks)
    query = heard(tracks["t9"], 40.0, 20, ratio=1.05, noise=0.5)

    found = answer(prints, query).alignments[0]

    assert len(prints) == n_tracks
    assert found.track_id == "t9"
    assert found.ratio == pytest.approx(1.05, abs=0.02)
    assert found.offset_s == pytest.approx(40.0, abs=0.2)


def test_recordings_are_added_during_searches() -> None:
    """In another thread: every answer is one of before or after, and in the end all are found."""
    tracks = {f"t{seed}": walk(seed, 400) for seed in range(60)}
    prints = index_of({name: tracks[name] for name in list(tracks)[:20]})
    queries = {name: heard(track, 20.0, 20, noise=0.5) for name, track in tracks.items()}
    found: list[str] = []

    def search() -> None:
        for _ in range(5):
            found.extend(answer(prints, queries[name]).alignments[0].track_id for name in list(tracks)[:20])

    with ThreadPoolExecutor(2) as pool:
        searches = [pool.submit(search) for _ in range(2)]
        for name in list(tracks)[20:]:
            prints.add([name], [tracks[name][::INDEX_STEP]])
        for each in searches:
            each.result()

    assert sorted(found) == sorted(list(tracks)[:20] * 10)
    assert all(answer(prints, query).alignments[0].track_id == name for name, query in queries.items())


def test_the_judge_of_the_nearest_length_is_asked(tmp_path: Path) -> None:
    """And comes back from disk; more evidence makes it surer."""
    judges = [MatchClassifier(length_s, [0.0] * 5, [1.0] * 5, [1.0, 0, 0, 0, 0, -length_s]) for length_s in (3, 5, 10)]
    Calibration("v1", judges).save(tmp_path / "c.json")

    calibration = Calibration.load(tmp_path / "c.json")

    assert [calibration.judge(s).length_s for s in (0.5, 3.6, 4.2, 60)] == [3, 3, 5, 10]
    assert calibration.judge(3).probability(np.array([[3.0, 0, 0, 0, 0], [9.0, 0, 0, 0, 0]])) == pytest.approx(
        [0.5, 0.9975], abs=1e-3
    )
