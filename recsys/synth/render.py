"""
Rendering of arrangements to audio with a soundfont synthesiser; the same arrangement gives the same samples.

An arrangement is written as a MIDI file, which `midirenderer` renders with a soundfont. Soundfont (TimGM6mb) and MIDI
writer are those of the package `pretty_midi`.
"""

from functools import cache
from io import BytesIO
from math import gcd
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from recsys.arrays import F32
from recsys.installation import extras
from recsys.synth.arrange import DRUM_CHANNEL, Arrangement

NEEDS = ("midirenderer", "pretty_midi", "soundfile")
FONT = "TimGM6mb.sf2"
TAIL_S = 1.0  # for the decay after the last note
GAIN_DB = 2.0
TICKS = 960  # of the MIDI file, per half second
ALL_NOTES_OFF = 123  # MIDI controller
CHUNK = 4_096  # frames per write: libsndfile's Vorbis encoder has crashed on one minute in a single write


def render(arrangement: Arrangement, *, rate_hz: int = 44_100, longest_s: float = 30.0) -> F32:
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
    with extras.explain_missing():  # a world without audio needs no synthesiser
        from midirenderer import render_wave_from  # noqa: PLC0415
        from soundfile import read  # noqa: PLC0415
    end_s = min(longest_s, max((event.end_s + TAIL_S for event in arrangement.events), default=0.0))
    wave, wave_rate_hz = read(BytesIO(render_wave_from(_font(), _midi(arrangement, end_s))), dtype="float32")
    common = gcd(rate_hz, wave_rate_hz)
    resampled = resample_poly(wave, rate_hz // common, wave_rate_hz // common, axis=0)  # (n, 2)
    samples = resampled[: int(end_s * rate_hz)].T * np.float32(10 ** (GAIN_DB / 20))
    return np.asarray(samples / max(1.0, float(np.abs(samples).max(initial=0.0))), np.float32)


@cache
def _font() -> bytes:
    return (extras.package_folder("pretty_midi") / FONT).read_bytes()


def _midi(arrangement: Arrangement, end_s: float) -> bytes:
    """Return the part of an arrangement before `end_s` as a MIDI file of that length."""
    from pretty_midi import ControlChange, Instrument, Note, PrettyMIDI  # noqa: PLC0415

    file, encoded = PrettyMIDI(resolution=TICKS), BytesIO()
    for channel, program in {**arrangement.programs, DRUM_CHANNEL: 0}.items():
        part = Instrument(program, is_drum=channel == DRUM_CHANNEL)
        part.notes = [
            Note(event.velocity, event.key, event.start_s, min(event.end_s, end_s))
            for event in arrangement.events
            if event.channel == channel and event.start_s < end_s
        ]
        part.control_changes = [ControlChange(ALL_NOTES_OFF, 0, end_s)]
        file.instruments.append(part)
    file.write(encoded)
    return encoded.getvalue()


def write_audio(path: Path, samples: np.ndarray, rate_hz: int, format_name: str | None = None) -> None:
    """
    Write samples, shape (n_channels, n_samples).

    Args:
        path: The file.
        samples: The samples.
        rate_hz: Sample rate.
        format_name: WAV, FLAC, OGG or MP3; None for that of the file extension.
    """
    from soundfile import SoundFile  # noqa: PLC0415 - a world without audio needs no encoder

    with SoundFile(path, "w", rate_hz, samples.shape[0], format=format_name) as file:
        for start in range(0, samples.shape[1], CHUNK):
            file.write(samples[:, start : start + CHUNK].T)
