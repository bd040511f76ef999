"""
The notes of a take: what a voice or an instrument that plays one note at a time was recorded with.

The pitch track is first freed of the take's own tuning, which may be up to half a semitone off and drift; then every
frame gets a semitone, and neighbouring frames with the same one are a note. Repeated notes cannot be separated
reliably, so they are one note here, and in the melodies that a take is compared with (`without_repeats`).
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from recsys.arrays import F32, F64
from recsys.audio.pitch import FRAME_S, RATE_HZ, PitchTrack, track_pitch
from recsys.audio.signal import read_audio
from recsys.errors import InputError
from recsys.matching.tunes.melody import Melody, without_repeats
from recsys.studio.voice.notes import SungNote, sung_notes
from recsys.studio.voice.scores import Key

LONGEST_S = 300.0  # of a take
MIN_SURE = 0.2  # share of the sounding time with a sure pitch, below which it is not one voice
TUNING_S = 2.0  # standard deviation of the window in which the tuning is measured
CHROMATIC = Key(tuple(range(12)))


def read_take(path: Path) -> Melody:
    """
    Read a recording of one voice.

    Raises:
        UnreadableAudio: It cannot be decoded, or is longer than five minutes.
        InputError: It is silent, or not one voice.
    """
    signal = read_audio(path, longest_s=LONGEST_S)
    return melody_of_take(signal.mono(RATE_HZ), path.name)


def melody_of_take(mono: F32, name: str) -> Melody:
    """
    Return the notes of a take, repeated ones as one.

    Args:
        mono: Audio at 16 kHz, full scale -1..1, shape (n_samples,), at least one sample.
        name: Name of the melody.

    Raises:
        InputError: The take is silent, not one voice, or has no note.
    """
    track = track_pitch(mono)
    _require_one_voice(track)
    notes = sung_notes(replace(track, midi=track.midi - tuning(track.midi)), CHROMATIC)
    if not notes:
        raise InputError("The recording has no steady note. Give one of a tune that is sung or played")
    return without_repeats(_melody(notes, name))


def _require_one_voice(track: PitchTrack) -> None:
    if not track.is_sounding.any():
        raise InputError("The recording is silent. Give one of a tune that is sung or played")
    if track.sure_share < MIN_SURE or not track.is_voiced.any():
        raise InputError(
            f"The pitch is sure in {track.sure_share:.0%} of the sounding time, expected {MIN_SURE:.0%} at least: "
            "several voices at once, or noise. Give one voice, such as the vocals that recsys separate writes"
        )


def tuning(midi: F64) -> F64:
    """
    Return by how much a take is sharp at each frame, shape (n_frames,) [semitones].

    It is the circular mean of the distances from the nearest semitone in a window, followed over time, so that it may
    drift further than a semitone.

    Args:
        midi: Pitch per frame, NaN where unvoiced; at least one frame is voiced.
    """
    is_voiced = ~np.isnan(midi)
    phasors = np.where(is_voiced, np.exp(2j * np.pi * np.nan_to_num(midi)), 0.0)
    width = TUNING_S / FRAME_S
    mean = sum(
        unit * gaussian_filter1d(part, width, mode="constant") for unit, part in ((1, phasors.real), (1j, phasors.imag))
    )
    return np.asarray(np.unwrap(np.angle(mean)) / (2 * np.pi))


def _melody(notes: list[SungNote], name: str) -> Melody:
    onset = np.array([note.first for note in notes]) * FRAME_S
    end = np.array([note.last + 1 for note in notes]) * FRAME_S
    pitch = np.array([note.target for note in notes], np.int64)
    return Melody(name, onset, end - onset, pitch, onset.astype(np.int64), is_take=True)
