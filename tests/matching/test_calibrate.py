"""Thresholds that are set on strangers: conservative, scale-free, and refused if there are too few strangers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from recsys.audio.sandbox import Failure
from recsys.errors import InputError, SetupError
from recsys.library.settings import AudioSettings
from recsys.matching import calibrate
from recsys.matching.alignment import Calibration, align_query
from recsys.matching.audio_tasks import Fingerprinted
from recsys.matching.calibrate import (
    Recalibration,
    calibrated,
    recalibrate,
    tail_threshold,
    upper_threshold,
    upper_threshold_of_few,
    window_vectors,
    windows,
)
from recsys.matching.cue_sheets import calibration_of

from .conftest import index_of, piece, walk

STRANGER_S = 25.0  # five windows of three seconds


@pytest.fixture(scope="module")
def short(calibration: Calibration) -> Calibration:
    """The shipped calibration for queries of three seconds only."""
    return replace(calibration, classifiers=calibration.classifiers[:1])


def test_the_tail_of_exponential_log_odds_is_known() -> None:
    """The value that 0.1 % exceed is estimated from 500 values, and read off where there are many."""
    rng = np.random.default_rng(0)
    few, many = rng.exponential(2.0, 500), rng.exponential(2.0, 200_000)

    assert tail_threshold(many, 0.001) == pytest.approx(2 * np.log(1_000), rel=0.03)
    assert tail_threshold(few, 0.001) == pytest.approx(2 * np.log(1_000), rel=0.25)
    assert tail_threshold(many, 0.01) == pytest.approx(2 * np.log(100), rel=0.03)


def test_the_rate_of_other_strangers_is_lower_than_stated() -> None:
    """Thresholds of twenty recordings whose windows resemble each other hold for other recordings, nearly always."""
    rng = np.random.default_rng(1)

    def strangers(n: int) -> tuple[np.ndarray, list[str]]:
        log_odds = rng.normal(0, 1, (n, 1)) + rng.exponential(1.0, (n, 20))
        return log_odds.ravel(), [str(number) for number in range(n) for _ in range(20)]

    rates = [float((strangers(500)[0] > upper_threshold(*strangers(20), 0.01)).mean()) for _ in range(8)]

    assert np.mean(np.array(rates) <= 0.01) >= 0.75
    assert upper_threshold(*strangers(20), 0.001) > upper_threshold(*strangers(20), 0.01)


def test_thresholds_of_few_strangers_hold_although_a_few_of_them_make_up_the_tail() -> None:
    """One recording in ten resembles the catalogue more: thresholds of twenty hold for others, nearly always."""
    rng = np.random.default_rng(2)

    def strangers(n: int) -> tuple[np.ndarray, list[str]]:
        log_odds = np.where(rng.random((n, 1)) < 0.1, 3.0, 0.0) + rng.exponential(1.0, (n, 5))
        return log_odds.ravel(), [str(number) for number in range(n) for _ in range(5)]

    others = strangers(20_000)[0]
    rates = [float((others > upper_threshold_of_few(*strangers(20), 0.01)).mean()) for _ in range(16)]

    assert np.mean(np.array(rates) <= 0.01) >= 0.9


@pytest.mark.parametrize("log_odds", [np.zeros(1), np.zeros(300), np.arange(3.0)])
def test_degenerate_strangers_have_finite_thresholds(log_odds: np.ndarray) -> None:
    """One window, equal windows and a single recording give thresholds that no stranger exceeds."""
    threshold = upper_threshold(log_odds, ["only"] * len(log_odds), 0.01)

    assert np.isfinite(threshold)
    assert threshold >= np.quantile(log_odds, 0.99)


def test_windows_are_full_and_sound() -> None:
    """Windows have the length of a query, and mostly silent ones are left out."""
    fingerprint = walk(1, 30)
    fingerprint[40:80] = 0

    starts = [np.flatnonzero((fingerprint == window[0]).all(axis=1))[0] for window in windows(fingerprint, 8)]

    assert [window_vectors(length_s) for length_s in (3, 5, 10)] == [9, 16, 36]
    assert starts == [0, 18, 90, 108]
    assert list(windows(fingerprint[:7], 8)) == []


def test_strangers_set_the_thresholds_of_an_index(short: Calibration, tracks: dict[str, np.ndarray]) -> None:
    """Strangers that resemble the catalogue raise the threshold until hardly one matches; uses are still found."""
    index = index_of(tracks)
    far = {f"far {seed}": walk(10_000 + seed, STRANGER_S) for seed in range(20)}
    near = {f"near {seed}": piece(tracks[f"t{seed}"], 0, STRANGER_S, noise=4.0) for seed in range(20)}

    (of_far,), (of_near,) = (calibrated(short, index, strangers).classifiers for strangers in (far, near))

    assert 0 < of_far.threshold_1_percent < of_near.threshold_1_percent <= of_near.threshold_01_percent
    assert of_far.weights == of_near.weights == short.classifiers[0].weights
    evidence = [align_query(index, window).evidence for vectors in near.values() for window in windows(vectors, 9)]
    assert (of_near.probability(np.stack(evidence)) > of_near.threshold_1_percent).mean() <= 0.01
    known = align_query(index, piece(tracks["t7"], 11, 3, noise=0.4)).evidence
    assert of_near.probability(known) > of_near.threshold_1_percent


@pytest.mark.parametrize("n", [1, 5])
def test_too_few_strangers_are_refused(calibration: Calibration, tracks: dict[str, np.ndarray], n: int) -> None:
    """The message says how many there are and how many it takes."""
    few = {f"stranger {seed}": walk(seed, 30) for seed in range(n)}

    with pytest.raises(InputError, match=rf"windows of 3 s in {n} strangers, expected at least 100 in 20"):
        calibrated(calibration, index_of(tracks), few)


@pytest.mark.slow
def test_the_interval_of_fifty_strangers_is_part_of_the_thresholds(
    short: Calibration, tracks: dict[str, np.ndarray]
) -> None:
    """Thresholds of fifty strangers exceed their estimate, and the message says so."""
    index, strangers = index_of(tracks), {f"stranger {seed}": walk(20_000 + seed, 8) for seed in range(50)}

    (set_on_them,) = calibrated(short, index, strangers).classifiers

    evidence = [align_query(index, window).evidence for vectors in strangers.values() for window in windows(vectors, 9)]
    estimate = tail_threshold(short.classifiers[0].log_odds(np.stack(evidence)), 0.01)
    assert set_on_them.threshold_1_percent > expit(estimate)
    certainty = [Recalibration(short, n, [], {}).certainty for n in (50, 200)]
    assert "50 strangers leave wide" in certainty[0]
    assert "wide" not in certainty[1]


@pytest.mark.slow
def test_files_of_the_catalogue_and_unreadable_ones_are_no_strangers(
    short: Calibration, tracks: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that contains a recording of the index is left out and named; so is a file that cannot be decoded."""
    heard: dict[Path, Fingerprinted | Failure] = {
        Path(f"{seed}.mp3"): Fingerprinted(walk(10_000 + seed, STRANGER_S).astype(np.float16), STRANGER_S, 0.0)
        for seed in range(20)
    }
    heard[Path("known.mp3")] = Fingerprinted(piece(tracks["t3"], 0, 20).astype(np.float16), 20.0, 0.0)
    heard[Path("broken.mp3")] = Failure("empty", "an empty file")
    monkeypatch.setattr(calibrate, "fingerprint_files", lambda paths, _limits: [(path, heard[path]) for path in paths])
    monkeypatch.setattr(calibrate, "shipped_calibration", lambda: short)

    found = recalibrate(list(heard), index_of(tracks), AudioSettings())

    assert (found.n_strangers, found.known, found.failures) == (20, ["known.mp3"], {"broken.mp3": "an empty file"})
    assert found.calibration.fits(short)
    with pytest.raises(InputError, match=r"incomplete.*\n  broken\.mp3: an empty file"):
        found.require_complete()


def test_a_refusal_names_the_files_that_are_no_strangers(
    tracks: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If too few strangers are left, the message says which files could not be decoded."""
    heard = [(Path("broken.mp3"), Failure("empty", "an empty file"))]
    monkeypatch.setattr(calibrate, "fingerprint_files", lambda _paths, _limits: heard)

    with pytest.raises(
        InputError, match=r"in 0 strangers, expected at least 100 in 20.*\n  broken\.mp3: an empty file"
    ):
        recalibrate([Path("broken.mp3")], index_of(tracks), AudioSettings())


def test_a_home_with_own_thresholds_uses_them(calibration: Calibration, tmp_path: Path) -> None:
    """Thresholds of another network, or none, give way to the shipped ones; a damaged file is an error."""
    path = tmp_path / "calibration.json"
    assert calibration_of(path) == calibration

    own = replace(calibration, classifiers=[replace(one, threshold_1_percent=0.7) for one in calibration.classifiers])
    own.save(path)
    assert calibration_of(path) == own

    replace(own, version="other network").save(path)
    assert calibration_of(path) == calibration

    path.write_text("{")
    with pytest.raises(SetupError, match="recsys match --calibrate FOLDER"):
        calibration_of(path)
