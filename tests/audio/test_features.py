"""Features of synthetic recordings whose tempo, key and tuning are known."""

from dataclasses import asdict, replace

import librosa
import numpy as np
import pytest

from recsys.arrays import F32
from recsys.audio.features.chords import PITCHES
from recsys.audio.features.measure import danceability, energy, features
from recsys.audio.features.timbre import mfcc, timbre
from recsys.audio.features.tonality import find_peaks, tuning_cents
from recsys.audio.signal import Signal
from recsys.audio.spectrum import N_BANDS, N_SHORT, Spectrum
from recsys.lake.measured import Features, Loudness, Rhythm, Timbre
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import Chord, Note, Tune, compose

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


def test_chords_are_found_where_they_are() -> None:
    """C, F, G, C for one bar each at 100 beats per minute: nine tenths of the time agree, and C is named first."""
    progression = (0, 5, 7, 0)
    chords = tuple(Chord(4.0 * bar, root, is_minor=False) for bar, root in enumerate(progression))
    notes = tuple(
        Note(4.0 * bar + beat, 1.0, 60 + root + step)
        for bar, root in enumerate(progression)
        for beat, step in enumerate((0, 4, 7, 4))
    )
    tune = Tune("chords", notes, (4, 4), 0, "major", chords)

    found = measured(tune, STYLE)

    assert found.chords is not None
    assert found.chord_starts_s is not None
    assert found.chord_ends_s is not None
    bar_s = 4 * 60 / 100
    agreed_s = sum(
        max(0.0, min(end_s, (bar + 1) * bar_s) - max(start_s, bar * bar_s))
        for start_s, end_s, name in zip(found.chord_starts_s, found.chord_ends_s, found.chords, strict=True)
        for bar in range(8)
        if name == PITCHES[progression[bar % 4]]
    )
    assert agreed_s > 0.9 * 8 * bar_s
    assert found.main_chords is not None
    assert found.main_chords.split()[0] == "C"
    assert found.chord_changes_per_min == pytest.approx(6 / 19.2 * 60, rel=0.35)


@pytest.mark.parametrize(("metre", "n_beats", "beat"), [((2, 4), 2, 1.0), ((3, 4), 3, 1.0), ((6, 8), 2, 1.5)])
def test_beats_and_bars_are_found(metre: tuple[int, int], n_beats: int, beat: float) -> None:
    """A scale with chords and drums: beats within 70 ms, and downbeats at the first beats of bars."""
    tune = replace(scale("major"), metre=metre)
    played = arrange(tune, STYLE, np.random.default_rng(7), longest_s=20)

    found = measured(tune, STYLE)

    assert tune.beat == beat
    assert found.beats_s is not None
    assert found.downbeats_s is not None
    assert found.beats_per_bar == n_beats
    assert share_near(played.beats_s, found.beats_s) > 0.9
    assert share_near(played.downbeats_s, found.downbeats_s) > 0.9
    assert found.tempo_variation == pytest.approx(0, abs=0.03)


def share_near(true_s: tuple[float, ...], found_s: tuple[float, ...]) -> float:
    """The share of true times that have a found one within 70 ms."""
    return float((np.abs(np.subtract.outer(true_s, found_s)).min(axis=1) <= 0.07).mean())


def test_what_is_not_music_has_neither_key_nor_chords() -> None:
    """White noise fits no tuning."""
    noise = np.random.default_rng(7).standard_normal((1, 10 * 16_000)) / 10

    found = features(Signal(noise.astype(np.float32), 16_000, "made", 0.0))

    assert (found.key, found.mode, found.key_confidence) == (None, None, None)
    assert (found.main_chords, found.chords, found.chord_starts_s) == (None, None, None)
    assert found.tuning_cents is not None


def test_a_scale_of_other_steps_has_no_key() -> None:
    """Tones of a scale that divides the octave into seven equal steps, as in Thai music."""
    t = np.arange(RATE_HZ) / RATE_HZ
    tones = [
        sum(np.sin(2 * np.pi * 220 * 2 ** (step / 7) * n * t) / n for n in (1, 2, 4)) for step in (*range(8), 4, 2)
    ]

    found = features(Signal((0.1 * np.concatenate(tones))[None].astype(np.float32), RATE_HZ, "made", 0.0))

    assert found.key is None
    assert found.chords is None


def test_a_held_tone_has_no_beats() -> None:
    """There is one onset at most."""
    t = np.arange(8 * 16_000) / 16_000

    found = features(Signal((0.2 * np.sin(2 * np.pi * 440 * t))[None].astype(np.float32), 16_000, "made", 0.0))

    assert (found.beats_s, found.downbeats_s, found.beats_per_bar, found.beat_confidence) == (None, None, None, None)


def test_a_metre_of_five_beats_is_not_guessed() -> None:
    """Bars of five beats were not trained: beats are stated, bars are not."""
    tune = replace(compose("five", np.random.default_rng(0)), metre=(5, 4))

    found = measured(tune, STYLE)

    assert found.beats_s is not None
    assert found.downbeats_s is None
    assert found.beats_per_bar is None


def test_equal_recordings_have_equal_features(song: F32) -> None:
    """All attributes, chords and beats among them, are determined by the samples."""
    first, second = (features(Signal(song, RATE_HZ, "made", 0.0)) for _ in range(2))

    assert first == second


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
