"""
Textures: a pad or a rhythm for a mood, of a few bars, that repeats without a click.

Three rounds are rendered, and the second is kept: it begins with what the first left to sound. Its last milliseconds
fade into those before its own beginning, so that the end meets the beginning exactly.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.arrays import F32
from recsys.audio.features.loudness import loudness
from recsys.audio.signal import Signal
from recsys.compose.controls import MAJOR, MINOR, MOODS
from recsys.compose.write import style_of
from recsys.errors import InputError
from recsys.files import new_files
from recsys.synth.arrange import (
    BASS_CHANNEL,
    CHORD_CHANNEL,
    DRUM_CHANNEL,
    HAT,
    KICK,
    SNARE,
    Arrangement,
    Event,
)
from recsys.synth.render import render, write_audio
from recsys.synth.tune import SCALES

RATE_HZ, FADE_S = 44_100, 0.03
BEATS = 4  # of a bar
LONGEST_S, SHORTEST_S = 60.0, 1.0  # of a loop
LOUDEST_PEAK = 0.89  # -1 dBFS
PAD_PROGRAMS = {"happy": 88, "calm": 89, "sad": 48, "tense": 92, "energetic": 90}  # General MIDI
ROUTES = {  # roots of the chords of four bars, as degrees of the scale from 0 on
    "happy": (0, 3, 4, 0), "calm": (0, 3, 0, 3), "sad": (0, 5, 3, 4), "tense": (0, 1, 0, 1), "energetic": (0, 6, 3, 0),
}  # fmt: skip
HITS = {  # mood -> quavers of a bar in which kick and snare sound
    "happy": ((0, 4), (2, 6)), "calm": ((0,), (4,)), "sad": ((0, 5), (4,)), "tense": ((0, 3, 6), (4,)),
    "energetic": ((0, 2, 4, 6), (2, 6)),
}  # fmt: skip
KINDS = ("pad", "rhythm")


@dataclass(frozen=True, kw_only=True)
class Texture:
    """
    What is asked for.

    Attributes:
        kind: One of KINDS.
        mood: A key of `MOODS`.
        tonic: Pitch class of the key, 0 = C.
        tempo_bpm: Beats per minute, four to the bar.
        n_bars: Length [bars].
        loudness_lufs: Integrated loudness [LUFS].
    """

    kind: str = "pad"
    mood: str = "calm"
    tonic: int = 0
    tempo_bpm: float = 76.0
    n_bars: int = 4
    loudness_lufs: float = -20.0

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.length_s <= LONGEST_S:
            raise InputError(
                f"{self.n_bars} bars at {self.tempo_bpm:g} beats per minute last {self.length_s:.1f} s, expected "
                f"{SHORTEST_S:g} to {LONGEST_S:g}. Change --bars or --tempo"
            )

    @property
    def length_s(self) -> float:
        """Length of the loop [s]."""
        return self.n_bars * BEATS * 60 / self.tempo_bpm


def make_texture(request: Texture) -> F32:
    """
    Return one round of a loop, shape (2, n_samples), at RATE_HZ; n_samples is its length to the sample.

    Raises:
        InputError: It cannot be as loud as asked without clipping.
    """
    n = round(request.length_s * RATE_HZ)
    style = style_of(request.mood, request.tempo_bpm, has_band=True)
    programs = {CHORD_CHANNEL: PAD_PROGRAMS[request.mood], BASS_CHANNEL: style.bass}
    rounds = tuple(
        event._replace(start_s=event.start_s + place * n / RATE_HZ, end_s=event.end_s + place * n / RATE_HZ)
        for place in range(3)
        for event in _events(request)
    )
    mode = MOODS[request.mood].modes[0]
    arrangement = Arrangement(rounds, programs, style, request.tempo_bpm, request.tonic, SCALES[mode][2] == 3)
    sound = render(arrangement, rate_hz=RATE_HZ, longest_s=3 * request.length_s + 1)
    return _as_loud(_looped(sound, n), request.loudness_lufs)


def _looped(sound: F32, n: int) -> F32:
    """Return the second round, whose end fades into the end of the first."""
    loop = sound[:, n : 2 * n].copy()
    n_fade = round(FADE_S * RATE_HZ)
    fade = np.linspace(0, 1, n_fade, dtype=np.float32)
    loop[:, -n_fade:] = (1 - fade) * loop[:, -n_fade:] + fade * sound[:, n - n_fade : n]
    return loop


def measured_lufs(loop: F32) -> float | None:
    """Return the integrated loudness of a loop, heard twice [LUFS]; None for silence."""
    return loudness(Signal(np.tile(loop, 2), RATE_HZ, "pcm", 0.0)).loudness_lufs


def _as_loud(loop: F32, wanted_lufs: float) -> F32:
    own_lufs = measured_lufs(loop)
    if own_lufs is None:
        raise InputError("the texture is silent. Choose another mood or key")
    louder = loop * np.float32(10 ** ((wanted_lufs - own_lufs) / 20))
    peak = float(np.abs(louder).max())
    if peak > LOUDEST_PEAK:
        reachable = wanted_lufs - 20 * np.log10(peak / LOUDEST_PEAK)
        raise InputError(
            f"found {wanted_lufs:g} LUFS, at which it clips, expected {reachable:.1f} or less. Lower --loudness"
        )
    return np.asarray(louder, np.float32)


def _events(request: Texture) -> list[Event]:
    """Return the notes of one round."""
    bar_s = BEATS * 60 / request.tempo_bpm
    of_bar = _pad_bar if request.kind == "pad" else _rhythm_bar
    return [
        event._replace(start_s=event.start_s + bar * bar_s, end_s=event.end_s + bar * bar_s)
        for bar in range(request.n_bars)
        for event in of_bar(request, bar, bar_s)
    ]


def _pad_bar(request: Texture, bar: int, bar_s: float) -> list[Event]:
    root = request.tonic + _step(request, bar)
    third = MINOR if _is_minor(request, bar) else MAJOR
    upper = [Event(0.0, bar_s, CHORD_CHANNEL, 54 + (root + step - 6) % 12, 64) for step in third]
    return [*upper, Event(0.0, bar_s, CHORD_CHANNEL, 42 + (root - 6) % 12, 60)]


def _rhythm_bar(request: Texture, bar: int, bar_s: float) -> list[Event]:
    quaver_s = bar_s / 8
    kicks, snares = HITS[request.mood]
    hits = [(KICK, place, 100) for place in kicks] + [(SNARE, place, 80) for place in snares]
    hits += [(HAT, place, 70 if place % 2 == 0 else 50) for place in range(8)]
    key = 36 + (request.tonic + _step(request, bar)) % 12
    bass = [Event(place * quaver_s, (place + 1.5) * quaver_s, BASS_CHANNEL, key, 90) for place in kicks]
    return [
        Event(place * quaver_s, place * quaver_s + 0.1, DRUM_CHANNEL, drum, loud) for drum, place, loud in hits
    ] + bass


def _scale(request: Texture) -> tuple[int, ...]:
    return SCALES[MOODS[request.mood].modes[0]]


def _step(request: Texture, bar: int) -> int:
    return _scale(request)[ROUTES[request.mood][bar % 4]]


def _is_minor(request: Texture, bar: int) -> bool:
    scale, degree = _scale(request), ROUTES[request.mood][bar % 4]
    return (scale[(degree + 2) % 7] - scale[degree]) % 12 == 3


def write_texture(request: Texture, path: Path) -> None:
    """
    Write a loop as WAV.

    Raises:
        InputError: The path is a folder, or ends otherwise than in .wav.
    """
    if path.suffix.lower() != ".wav" or path.is_dir():
        raise InputError(f"{path}: found the name of no WAV file, expected one such as texture.wav")
    sound = make_texture(request)
    with new_files([path]) as (partial,):
        write_audio(partial, sound, RATE_HZ, "WAV")


def seam(loop: F32) -> float:
    """
    Return how large the step from the last sample to the first is, of the largest step within the loop.

    At most 1: no step that is not in the music.
    """
    steps = np.abs(np.diff(loop, axis=1)).max(axis=1)
    return float((np.abs(loop[:, 0] - loop[:, -1]) / np.maximum(steps, 1e-9)).max())
