"""Reading tunes in ABC notation, each short enough to check by hand."""

from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.synth.abc import read_abc
from recsys.synth.tune import Chord, Tune

HEAD = "X:1\nT:A tune\nM:4/4\nL:1/4\n"


def tune(music: str, head: str = HEAD, key: str = "C") -> Tune:
    """Return the tune with this music."""
    return read_abc(f"{head}K:{key}\n{music}\n", "tune")


def pitches(music: str, key: str = "C") -> list[int]:
    """Return the MIDI pitches of this music."""
    return [note.pitch for note in tune(music, key=key).notes]


def lengths(music: str) -> list[float]:
    """Return the note durations of this music [crotchets]."""
    return [note.duration for note in tune(music).notes]


@pytest.mark.parametrize(
    ("music", "key", "found"),
    [
        ("C D E c c' C,", "C", [60, 62, 64, 72, 84, 48]),
        ("F C B", "D", [66, 61, 71]),
        ("B E A", "Eb", [70, 63, 68]),
        ("^F F | F =f f", "C", [66, 66, 65, 77, 77]),
        ("_B B =B", "C", [70, 70, 71]),
        ("F c", "Ador", [66, 72]),
        ("F c", "Dmix", [66, 72]),
        ("[CEG] c", "C", [67, 72]),
        ('{d}C !trill!D ~E .F "Am"G (AB)', "C", [60, 62, 64, 65, 67, 69, 71]),
    ],
)
def test_pitches_follow_octaves_accidentals_and_key(music: str, key: str, found: list[int]) -> None:
    """An accidental holds until the end of its bar; ornaments are ignored."""
    assert pitches(music, key) == found


@pytest.mark.parametrize(
    ("music", "found"),
    [
        ("C C2 C/ C/2 C3/2 C// C4", [1, 2, 0.5, 0.5, 1.5, 0.25, 4]),
        ("C>D C<D", [1.5, 0.5, 0.5, 1.5]),
        ("C>>D", [1.75, 0.25]),
        ("(3CDE F", [pytest.approx(2 / 3)] * 3 + [1]),
        ("C-C D", [2, 1]),
        ("C2- | C2 D", [4, 1]),
        ("C-D", [1, 1]),
    ],
)
def test_lengths_follow_broken_rhythm_tuplets_and_ties(music: str, found: list[float]) -> None:
    """Lengths are multiples of the unit in the header."""
    assert lengths(music) == found


def test_rests_take_time_and_chords_have_the_onset_of_the_next_note() -> None:
    """Root and third of a chord symbol are read, and the rest is ignored."""
    read = tune('"C"C z "F#m7"D2 "Bb/d"E')

    assert [note.onset for note in read.notes] == [0, 2, 4]
    assert read.chords == (Chord(0, 0, is_minor=False), Chord(2, 6, is_minor=True), Chord(4, 10, is_minor=False))


@pytest.mark.parametrize(
    ("key", "tonic", "mode", "is_minor"),
    [
        ("G", 7, "major", False),
        ("Em", 4, "minor", True),
        ("A dor", 9, "dorian", True),
        ("Emix", 4, "mixolydian", False),
        ("F# minor", 6, "minor", True),
        ("Bb Major", 10, "major", False),
    ],
)
def test_keys_have_many_spellings(key: str, tonic: int, mode: str, is_minor: bool) -> None:
    """All common spellings are read; dorian counts as minor."""
    read = tune("C", key=key)

    assert (read.tonic, read.mode, read.is_minor) == (tonic, mode, is_minor)


@pytest.mark.parametrize(("metre", "beat", "bar"), [("4/4", 1, 4), ("6/8", 1.5, 3), ("C|", 2, 4), ("9/8", 1.5, 4.5)])
def test_the_beat_of_compound_metres_is_the_dotted_crotchet(metre: str, beat: float, bar: float) -> None:
    """Beats and bars are measured in crotchets."""
    read = tune("C", head=f"X:1\nM:{metre}\n")

    assert (read.beat, read.bar) == (beat, bar)


def test_bar_lines_are_kept() -> None:
    """A pickup of a crotchet, two bars and the short last one; the line before the first note is none."""
    read = tune("|: C | D3 E | F4 | G3 :|", head="X:1\nM:4/4\nL:1/4\n")

    assert read.bar_lines == (1.0, 5.0, 9.0, 12.0)
    assert read.pickup == 1.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X:1\nM:4/4\nC D\n", "no key"),
        (HEAD + "K:H\nC\n", "found the key 'H'"),
        (HEAD + "K:C\nC D\nK:G\nE\n", "found a change of K"),
        (HEAD + "K:C\nC [M:3/4] D\n", "found a change within the tune"),
        ("X:1\nM:none\nK:C\nC\n", "found the metre 'none'"),
        (HEAD + "K:C\nC D ? E\n", "expected ABC notation"),
        (HEAD + "K:C\nz4 |\n", "found no note"),
    ],
)
def test_unsupported_notation_raises_an_input_error(text: str, message: str) -> None:
    """The message says what was found and expected."""
    with pytest.raises(InputError, match=message):
        read_abc(text, "tune")


def test_most_of_real_collections_are_read(recsys_data: Path) -> None:
    """At least 88 % of the Nottingham tunes are read; the others change key or metre, or have none."""
    rows = pl.read_parquet(recsys_data / "symbolic_melodies" / "nottingham_abc.parquet")
    n_read = 0
    for text in rows["abc"]:
        try:
            n_read += bool(read_abc(text, "tune").notes)
        except InputError:
            continue

    assert n_read / len(rows) > 0.88
