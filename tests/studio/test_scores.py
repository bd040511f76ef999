"""Scores and keys: what is read, and what is refused with a sentence."""

from pathlib import Path

import pytest
from pretty_midi import Instrument, Note, PrettyMIDI

from recsys.errors import InputError
from recsys.studio.voice.scores import Key, Score, ScoreNote, note_name, read_target


def write_midi(path: Path, *parts: list[tuple[float, float, int]]) -> Path:
    """Write a MIDI file with one instrument per part."""
    file = PrettyMIDI(resolution=480)
    for part in parts:
        instrument = Instrument(0)
        instrument.notes = [Note(90, pitch, start, end) for start, end, pitch in part]
        file.instruments.append(instrument)
    file.write(str(path))
    return path


@pytest.mark.parametrize(
    ("key", "pitch_classes"),
    [("C", (0, 2, 4, 5, 7, 9, 11)), ("Am", (0, 2, 4, 5, 7, 9, 11)), ("Eb mix", (0, 1, 3, 5, 7, 8, 10))],
)
def test_a_key_is_the_notes_of_its_scale(key: str, pitch_classes: tuple[int, ...]) -> None:
    """A minor key has the notes of its relative major."""
    assert read_target(None, key) == Key(pitch_classes)


def test_abc_and_midi_give_the_same_melody(tmp_path: Path) -> None:
    """Two crotchets and a minim, in crotchets and in seconds; MIDI notes that overlap a little are cut."""
    abc = tmp_path / "a.abc"
    abc.write_text("X:1\nL:1/4\nK:C\nC D E2|\n")
    midi = write_midi(tmp_path / "a.mid", [(0, 0.55, 60), (0.5, 1, 62), (1, 2, 64)])

    assert read_target(abc, None) == Score((ScoreNote(0, 1, 60), ScoreNote(1, 2, 62), ScoreNote(2, 4, 64)))
    found = read_target(midi, None)
    assert isinstance(found, Score)
    assert [note.pitch for note in found.notes] == [60, 62, 64]
    assert [note.end for note in found.notes] == pytest.approx([0.5, 1, 2], abs=0.01)


def test_what_is_no_melody_is_refused(tmp_path: Path) -> None:
    """Chords, several parts, damaged and other files each get a sentence that says what to give."""
    chord = write_midi(tmp_path / "chord.mid", [(0, 1, 60), (0, 1, 64)])
    two = write_midi(tmp_path / "two.mid", [(0, 1, 60)], [(0, 1, 64)])
    damaged, other = tmp_path / "damaged.mid", tmp_path / "score.pdf"
    damaged.write_bytes(b"MThd\0\0\0\6\xff\xff\xff")
    other.write_bytes(b"%PDF")

    for path, message in (
        (chord, "notes that sound together"),
        (two, "found 2 pitched parts, expected one melody"),
        (damaged, "cannot be read as MIDI"),
        (other, r"found the ending '\.pdf', expected a score"),
        (tmp_path / "none.abc", "is not a file"),
    ):
        with pytest.raises(InputError, match=message):
            read_target(path, None)


@pytest.mark.parametrize(("score", "key"), [(None, None), (Path("a.abc"), "C")])
def test_either_a_score_or_a_key_is_given(score: Path | None, key: str | None) -> None:
    """Neither and both are refused."""
    with pytest.raises(InputError, match="Give either --score FILE"):
        read_target(score, key)


def test_a_wrong_key_is_refused() -> None:
    """The message shows what a key looks like."""
    with pytest.raises(InputError, match="--key: found the key 'H', expected one such as D, Bm"):
        read_target(None, "H")


def test_notes_have_names() -> None:
    """69 is A4, and 60 is C4."""
    assert [note_name(pitch) for pitch in (69, 60, 58)] == ["A4", "C4", "A#3"]


def test_notes_without_length_are_no_melody(tmp_path: Path) -> None:
    """A note of length 0 is left out; a score of such notes alone is refused."""
    some, none = tmp_path / "some.abc", tmp_path / "none.abc"
    some.write_text("X:1\nL:1/4\nK:C\nC0 D|\n")
    none.write_text("X:1\nL:1/4\nK:C\nC0|\n")

    assert read_target(some, None) == Score((ScoreNote(0, 1, 62),))
    with pytest.raises(InputError, match="found no note that lasts"):
        read_target(none, None)
