"""Tests of writing ABC and MIDI: what is written is read back to the same notes."""

import numpy as np
import pytest

from recsys.matching.tunes.midi import read_midi
from recsys.synth.abc import read_abc
from recsys.synth.arrange import Style
from recsys.synth.notation import abc_text, chord_name, midi_bytes
from recsys.synth.tune import SCALES, Chord, Note, Tune, compose

STYLE = Style(
    tempo_bpm=90, transpose=0, melody=0, harmony=0, bass=32, chords="none", has_bass=False, has_drums=True
)  # fmt: skip


@pytest.mark.parametrize("mode", SCALES)
def test_abc_and_midi_are_read_back(mode: str) -> None:
    """Notes, key, metre, chords; MIDI in quarter notes, whatever the tempo."""
    tune = compose("tune", np.random.default_rng(len(mode)), mode=mode)
    chorded = Tune(
        "t", tune.notes, tune.metre, tune.tonic, mode, (Chord(0.0, 1, True), Chord(tune.bar * 1.5, 7, False))
    )

    found = read_abc(abc_text(chorded, 90), "t")
    (melody,) = read_midi(midi_bytes(chorded, STYLE), "t")

    assert found.notes == tune.notes
    assert (found.tonic, found.mode, found.metre, found.chords) == (tune.tonic, mode, tune.metre, chorded.chords)
    assert melody.pitch.tolist() == [note.pitch for note in tune.notes]
    assert melody.onset == pytest.approx([note.onset for note in tune.notes], abs=0.01)


def test_pickup_rests_ties_accidentals_and_triplets_are_written() -> None:
    """An upbeat, a rest, a note across the bar line, C# and then C natural in one bar, a triplet."""
    third = 1 / 3
    notes = (
        *(Note(0.0, 1.0, 67), Note(1.0, 1.0, 61), Note(2.0, 0.5, 60), Note(3.0, 3.0, 72)),
        *(Note(6 + place * third, third, 70 + place) for place in range(3)),
    )
    tune = Tune("t", notes, (4, 4), 5, "major", bar_lines=(1.0,))

    text = abc_text(tune)
    found = read_abc(text, "t")

    assert [(note.pitch, round(note.onset, 3), round(note.duration, 3)) for note in found.notes] == [
        (note.pitch, round(note.onset, 3), round(note.duration, 3)) for note in notes
    ]
    assert text.splitlines()[-1] == "G2 | ^C2 =C z c4- | c2 B2/3 =B2/3 c2/3 |]"
    assert chord_name(Chord(0.0, 9, True, 10)) == "Am7"
