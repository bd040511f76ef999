"""What a take is compared with: a written melody, or the notes of another recording."""

from pathlib import Path

import numpy as np

from recsys.arrays import F32
from recsys.audio.pitch import track_pitch
from recsys.errors import InputError
from recsys.files import printable
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.reading import read_file
from recsys.practice.heard import SHORTEST_FRAMES, HeardNote, heard_notes, novelty

LEAST_NOTES, MOST_NOTES = 4, 3_000
GOES_ON_ATTACK, SAME_PITCH = 0.25, 0.6  # of a reference: a sound of the same pitch [semitones] is one with the last


def read_score(path: Path) -> Melody:
    """
    Read the only melody of a file of ABC, MIDI or MusicXML.

    Raises:
        InputError: It cannot be read, or holds several melodies, or too few or too many notes.
    """
    name = printable(path.name)
    if not path.is_file():
        raise InputError(f"{name} is not a file. Give a score in ABC (.abc), MIDI (.mid) or MusicXML (.musicxml)")
    found = [melody for _, melody in read_file(path, name)]
    melodies = [melody for melody in found if isinstance(melody, Melody)]
    if len(melodies) != 1:
        refused = next((it for it in found if isinstance(it, str)), "")
        raise InputError(refused or f"{name}: found {len(melodies)} melodies, expected one. Export its part alone")
    return _required(melodies[0])


def _required(melody: Melody) -> Melody:
    if not LEAST_NOTES <= len(melody) <= MOST_NOTES:
        raise InputError(
            f"{melody.name}: found {len(melody):,} notes, expected {LEAST_NOTES} to {MOST_NOTES:,}. Give one tune"
        )
    return melody


def melody_of_reference(mono: F32, name: str) -> Melody:
    """
    Return the notes of a recording, for which "bars" are its seconds.

    Args:
        mono: The recording at 16 kHz, full scale -1..1, shape (n_samples,).
        name: Its name.
    """
    notes = _whole(heard_notes(track_pitch(mono), novelty(mono)))
    midi = np.array([note.midi for note in notes])
    tuning = float(np.angle(np.exp(2j * np.pi * midi).sum()) / (2 * np.pi)) if len(midi) else 0.0
    onset_s = np.array([note.start_s for note in notes])
    return _required(
        Melody(
            name,
            onset_s,
            np.array([note.end_s - note.start_s for note in notes]),
            np.round(midi - tuning).astype(np.int64),
            onset_s.astype(np.int64),
            is_take=True,
        )
    )


def _whole(heard: list[HeardNote]) -> list[HeardNote]:
    """Join sounds of one pitch between which nothing sets in, and leave out the shortest."""
    notes: list[HeardNote] = []
    for note in heard:
        before = notes[-1] if notes else None
        if before and abs(before.midi - note.midi) < SAME_PITCH and note.attack < GOES_ON_ATTACK:
            frames = slice(before.frames.start, note.frames.stop)
            notes[-1] = HeardNote(
                before.start_s, note.end_s, before.midi, before.attack, before.is_voiced_before, frames
            )
        elif note.frames.stop - note.frames.start > SHORTEST_FRAMES:
            notes.append(note)
    return notes
