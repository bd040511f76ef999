"""
Rendering of arrangements to audio with a soundfont synthesiser; the same arrangement gives the same samples.

The soundfont (TimGM6mb) is part of the package `pretty_midi`; the synthesiser is `tinysoundfont`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from recsys.installation import extras
from recsys.synth.arrange import DRUM_CHANNEL, Arrangement

NEEDS = ("pretty_midi", "soundfile", "tinysoundfont")
FONT = "TimGM6mb.sf2"
TAIL_S = 1.0  # for the decay after the last note
GAIN_DB = -8.0
CHUNK = 4_096  # frames per write: libsndfile's Vorbis encoder has crashed on one minute in a single write


def render(arrangement: Arrangement, *, rate_hz: int = 44_100, longest_s: float = 30.0) -> np.ndarray:
    """
    Render an arrangement.

    Args:
        arrangement: The arrangement to render.
        rate_hz: Sampling rate [Hz].
        longest_s: Maximum length of the result [s].

    Returns:
        Samples, shape (2, n_samples), float32, peak at most 1.

    Raises:
        SetupError: The synthesiser or the soundfont is not installed.
    """
    synth = _synth(arrangement, rate_hz)
    changes = sorted(
        [(event.end_s, 0, event) for event in arrangement.events]
        + [(event.start_s, 1, event) for event in arrangement.events],
        key=lambda change: change[:2],
    )
    n_all = int(min(longest_s, changes[-1][0] + TAIL_S) * rate_hz) if changes else 0
    pieces, done = [], 0
    for at_s, is_start, event in changes:
        until = min(n_all, int(at_s * rate_hz))
        if until > done:
            pieces.append(_played(synth, until - done))
            done = until
        if is_start:
            synth.noteon(event.channel, event.key, event.velocity)
        else:
            synth.noteoff(event.channel, event.key)
    pieces.append(_played(synth, n_all - done))
    samples = np.concatenate(pieces, axis=1)
    return np.asarray(samples / max(1.0, float(np.abs(samples).max(initial=0.0))))


def _synth(arrangement: Arrangement, rate_hz: int) -> Any:
    with extras.explain_missing():
        from tinysoundfont import Synth  # noqa: PLC0415 - a world without audio needs no synthesiser
    synth = Synth(samplerate=rate_hz)
    font = synth.sfload(str(extras.package_folder("pretty_midi") / FONT), gain=GAIN_DB)
    for channel, program in arrangement.programs.items():
        synth.program_select(channel, font, 0, program)
    synth.program_select(DRUM_CHANNEL, font, 128, 0, is_drums=True)
    return synth


def _played(synth: Any, n_samples: int) -> np.ndarray:
    if n_samples <= 0:
        return np.zeros((2, 0), np.float32)
    return np.frombuffer(bytes(synth.generate(n_samples)), np.float32).reshape(-1, 2).T


def write_audio(path: Path, samples: np.ndarray, rate_hz: int) -> None:
    """Write samples, shape (n_channels, n_samples), in the format of the file extension (wav, flac, ogg, mp3)."""
    from soundfile import SoundFile  # noqa: PLC0415 - a world without audio needs no encoder

    with SoundFile(path, "w", rate_hz, samples.shape[0]) as file:
        for start in range(0, samples.shape[1], CHUNK):
            file.write(samples[:, start : start + CHUNK].T)
