"""Features of synthetic recordings whose tempo, key and tuning are known."""

from dataclasses import asdict, replace

import librosa
import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio.features.measure import danceability, energy, features
from recsys.audio.features.timbre import mfcc, timbre
from recsys.audio.features.tonality import find_peaks, tuning_cents
from recsys.audio.signal import Signal
from recsys.audio.spectrum import N_BANDS, N_SHORT, Spectrum
from recsys.lake.measured import Features, Loudness, Rhythm, Timbre
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import Note, Tune

RATE_HZ = 22_050
STYLE = Style(tempo_bpm=100, transpose=0, melody=0, harmony=0, bass=33, chords="block", has_bass=True, has_drums=True)
LOUDNESS = Loudness(loudness_lufs=-14.0, loudness_range_lu=5.0, true_peak_dbtp=-1.0, silence_share=0.0)
RHYTHM = Rhythm(tempo_bpm=120.0, tempo_confidence=0.9, beat_strength=0.5, onset_rate_hz=4.0)
TIMBRE = Timbre(spectral_centroid_hz=1_000.0)


def scale(mode: str) -> Tune:
    """A tune that goes up and down a scale on C, twice."""
    steps = {"major": (0, 2, 4, 5, 7, 9, 11, 12), "minor": (0, 2, 3, 5, 7, 8, 10, 12)}[mode]
    walk = [*steps, *reversed(steps[:-1]), 0]
    pitches = [60 + step for _ in range(2) for step in walk]
    return Tune("scale", tuple(Note(float(beat), 1.0, pitch) for beat, pitch in enumerate(pitches)), (4, 4), 0, mode)


def measured(tune: Tune, style: Style) -> Features:
    """The features of 20 seconds of a rendered tune."""
    played = render(arrange(tune, style, np.random.default_rng(7), longest_s=20), rate_hz=RATE_HZ, longest_s=20)
    return features(Signal(played, RATE_HZ, "made", 0.0))


@pytest.mark.parametrize("tempo_bpm", [72.0, 90.0, 120.0, 150.0])
def test_a_tempo_is_found_within_four_per_cent(tempo_bpm: float) -> None:
    """Quarter notes with drums."""
    found = measured(scale("major"), replace(STYLE, tempo_bpm=tempo_bpm))

    assert found.tempo_bpm == pytest.approx(tempo_bpm, rel=0.04)
    assert found.tempo_confidence is not None
    assert found.tempo_confidence > 0.3


@pytest.mark.parametrize(
    ("mode", "transpose", "key"), [("major", 0, "C"), ("major", 7, "G"), ("minor", -3, "A"), ("minor", 1, "C#")]
)
def test_a_key_is_found_on_any_tonic(mode: str, transpose: int, key: str) -> None:
    """Scales with chords, without drums."""
    found = measured(scale(mode), replace(STYLE, transpose=transpose, has_drums=False))

    assert (found.key, found.mode) == (key, mode)
    assert found.chroma is not None
    assert sum(found.chroma) == pytest.approx(1)


@pytest.mark.parametrize("cents", [-40, -10, 0, 25, 45])
def test_tuning_is_measured_in_cents(cents: int) -> None:
    """A chord of three notes with three partials each."""
    t = np.arange(3 * 16_000) / 16_000
    hz = [220 * 2 ** ((step + cents / 100) / 12) for step in (0, 4, 7)]
    chord = sum(np.sin(2 * np.pi * f * n * t) / n for f in hz for n in (1, 2, 4))
    spectrum = Spectrum.of((0.1 * np.asarray(chord)).astype(np.float32))
    assert spectrum is not None

    assert tuning_cents(find_peaks(spectrum.long)) == pytest.approx(cents, abs=3)


def test_onsets_are_counted() -> None:
    """Four clicks per second."""
    clicks = np.zeros(10 * 16_000)
    clicks[::4_000] = 0.8
    struck = np.convolve(clicks, np.exp(-np.arange(400) / 60))[: len(clicks)]
    noise = np.random.default_rng(7).standard_normal(len(clicks))

    found = features(Signal((struck * noise)[None].astype(np.float32), 16_000, "made", 0.0))

    assert found.onset_rate_hz == pytest.approx(4, abs=0.3)
    assert found.beat_strength is not None
    assert found.beat_strength > 0.5


@pytest.mark.slow
def test_mfcc_equals_that_of_librosa(song: F32) -> None:
    """Computed from the same mel powers."""
    mono = Signal(song, RATE_HZ, "made", 0.0).mono(16_000)
    spectrum = Spectrum.of(mono)
    assert spectrum is not None

    theirs = librosa.feature.mfcc(S=librosa.power_to_db(spectrum.mel.T, ref=1.0, amin=1e-10), n_mfcc=20).T

    assert spectrum.mel.shape[1] == N_BANDS
    assert mfcc(spectrum.mel) == pytest.approx(theirs, abs=1e-2)


def test_spectral_shape_equals_that_of_librosa(song: F32) -> None:
    """Centroid, bandwidth, rolloff and flatness: means over all frames."""
    mono = Signal(song, RATE_HZ, "made", 0.0).mono(16_000)
    spectrum = Spectrum.of(mono)
    assert spectrum is not None
    magnitude = np.sqrt(spectrum.short.T)
    magnitude = magnitude[:, magnitude.sum(axis=0) > 0]

    found = timbre(spectrum)

    assert found.spectral_centroid_hz == pytest.approx(
        librosa.feature.spectral_centroid(S=magnitude, sr=16_000, n_fft=N_SHORT).mean(), rel=0.03
    )
    assert found.spectral_bandwidth_hz == pytest.approx(
        librosa.feature.spectral_bandwidth(S=magnitude, sr=16_000, n_fft=N_SHORT).mean(), rel=0.03
    )
    assert found.spectral_rolloff_hz == pytest.approx(
        librosa.feature.spectral_rolloff(S=magnitude, sr=16_000, n_fft=N_SHORT).mean(), rel=0.05
    )
    assert found.spectral_flatness == pytest.approx(librosa.feature.spectral_flatness(S=magnitude).mean(), abs=0.01)


@pytest.mark.parametrize("seconds", [0.01, 0.2, 2.0])
def test_silence_has_no_features(seconds: float) -> None:
    """Only the share of silence is known."""
    found = features(Signal(np.zeros((2, int(seconds * RATE_HZ)), np.float32), RATE_HZ, "made", 0.0))

    known = {name: value for name, value in asdict(found).items() if value is not None}
    assert known == ({"silence_share": 1.0} if seconds >= 0.1 else {})


def test_energy_grows_with_each_of_its_parts() -> None:
    """Loudness, onset rate and brightness raise it; extreme values give 1."""
    base = energy(LOUDNESS, RHYTHM, TIMBRE)
    assert base is not None

    more = [
        energy(replace(LOUDNESS, loudness_lufs=-10.0), RHYTHM, TIMBRE),
        energy(LOUDNESS, replace(RHYTHM, onset_rate_hz=6.0), TIMBRE),
        energy(LOUDNESS, RHYTHM, replace(TIMBRE, spectral_centroid_hz=2_000.0)),
    ]

    assert all(value is not None and value > base for value in more)
    extreme = energy(
        replace(LOUDNESS, loudness_lufs=10.0),
        replace(RHYTHM, onset_rate_hz=99),
        replace(TIMBRE, spectral_centroid_hz=9e4),
    )
    assert extreme == 1
    assert energy(replace(LOUDNESS, loudness_lufs=None), RHYTHM, TIMBRE) is None


def test_danceability_is_best_near_120_and_with_a_clear_beat() -> None:
    """A tempo 0.4 octaves away counts half; the result is a geometric mean."""
    at_120_bpm = danceability(RHYTHM)
    assert at_120_bpm is not None

    assert at_120_bpm == pytest.approx(np.sqrt(0.5))
    assert danceability(replace(RHYTHM, tempo_bpm=120 * 2**0.4)) == pytest.approx(at_120_bpm * np.sqrt(0.5))
    assert danceability(replace(RHYTHM, beat_strength=1.0)) == pytest.approx(1)
    assert danceability(replace(RHYTHM, tempo_bpm=None)) is None
