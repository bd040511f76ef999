"""What the sound of a take says about each written note and each sound, as probabilities."""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.pitch import PitchTrack
from recsys.matching.tunes.melody import Melody
from recsys.practice.around import Around
from recsys.practice.follow import Followed
from recsys.practice.heard import HeardNote, novelty
from recsys.practice.network import LATE_S, VERDICTS, Networks, probabilities
from recsys.practice.traits import Sounds, written_traits


@dataclass(frozen=True, eq=False)
class Views:
    """
    What the networks get of a take.

    Attributes:
        due_s: When each note is due, so that half of those found begin later [s]. Shape (n_notes,).
        notes: Of each written note, what sounds around it and its traits.
        sounds: Of each sound, likewise.
        heard: The sounds.
    """

    due_s: F64
    notes: tuple[F32, F32]
    sounds: tuple[F32, F32]
    heard: list[HeardNote]


@dataclass(frozen=True, eq=False)
class Evidence:
    """
    Probabilities.

    Attributes:
        due_s: When each note is due [s]. Shape (n_notes,).
        verdicts: Of being right, wrong and missing. Shape (n_notes, 3).
        late: Of being as late as each of `LATE_S`. Shape (n_notes, len(LATE_S)).
        heard: The sounds.
        extra: Of each sound being an extra note. Shape (n_sounds,).
    """

    due_s: F64
    verdicts: F64
    late: F64
    heard: list[HeardNote]
    extra: F64


def views(mono: F32, track: PitchTrack, melody: Melody, heard: list[HeardNote], followed: Followed) -> Views:
    """Cut out what the networks look at, of a take that was aligned to its score."""
    start_s = np.array([note.start_s for note in heard])
    late_s = np.where(followed.heard >= 0, start_s[followed.heard], np.nan) - followed.due_s
    middle_s = float(np.nanmedian(late_s)) if (followed.heard >= 0).any() else 0.0
    due_s, late_s = followed.due_s + middle_s, late_s - middle_s
    growth = novelty(mono)
    around = Around.of(mono, track, growth, melody=melody, heard=heard, due_s=due_s, shift=followed.shift)
    sounds = Sounds.of(heard, track, growth, melody, followed)
    pitches = np.round([note.midi - followed.shift for note in sounds.notes])
    begins_s = np.array([note.start_s for note in sounds.notes])
    return Views(
        due_s,
        (
            around.cut(due_s, melody.pitch.astype(float), np.arange(len(melody))),
            written_traits(melody, heard, followed, late_s),
        ),
        (around.cut(begins_s, pitches, np.full(len(pitches), -1)), sounds.traits(due_s)),
        sounds.notes,
    )


def evidence_of(seen: Views, networks: Networks) -> Evidence:
    """Return what the networks answer."""
    answers = networks.notes.logits(*seen.notes)
    n, m = len(VERDICTS), len(LATE_S)
    extra = 1 / (1 + np.exp(-networks.sounds.logits(*seen.sounds)[:, 0]))
    verdicts, late = probabilities(answers[:, :n]), probabilities(answers[:, n : n + m])
    return Evidence(seen.due_s, verdicts, late, seen.heard, extra)
