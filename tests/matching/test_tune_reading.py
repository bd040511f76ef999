"""Reading melodies from ABC, MIDI and MusicXML: right notes, and refusals of what holds no evidence or is hostile."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import InputError
from recsys.matching.tunes.melody import Melody, melody_of, without_overlap
from recsys.matching.tunes.midi import read_midi
from recsys.matching.tunes.musicxml import read_musicxml
from recsys.matching.tunes.reading import read_tunes
from recsys.synth.abc import read_abc_tolerantly

SONG = "A2|BcdB G2AB|cABc d2ef|gfed cBAG|FGAF D2EF|GABc dBGB|cdec A2Bc|"
HEAD = "X:1\nT:A tune\nM:4/4\nL:1/8\nK:G\n"


def abc(music: str, head: str = HEAD) -> Melody:
    """Return the melody of this music."""
    return melody_of(read_abc_tolerantly(head + music, "tune"))


def midi(notes: list[tuple[float, float, int]], *, is_drum: bool = False) -> bytes:
    """Return a MIDI file with one part; onset and end in seconds, at 120 quarter notes per minute."""
    from pretty_midi import Instrument, Note, PrettyMIDI, TimeSignature  # noqa: PLC0415

    file, part = PrettyMIDI(), Instrument(0, is_drum=is_drum)
    file.time_signature_changes.append(TimeSignature(3, 4, 0))
    part.notes = [Note(80, pitch, onset, end) for onset, end, pitch in notes]
    file.instruments.append(part)
    written = io.BytesIO()
    file.write(written)
    return written.getvalue()


def musicxml(measures: str, before: str = "") -> bytes:
    """Return a score with one part, two divisions per quarter note, in 3/4."""
    attributes = (
        "<attributes><divisions>2</divisions><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    )
    body = measures.replace("<measure>", f"<measure>{attributes}", 1)
    return f'<?xml version="1.0"?>{before}<score-partwise><part id="P1">{body}</part></score-partwise>'.encode()


def note(step: str, octave: int, duration: int, inside: str = "") -> str:
    """Return a note of MusicXML."""
    pitch = f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
    return f"<note>{inside}{pitch}<duration>{duration}</duration></note>"


def test_changes_of_key_and_unit_are_followed() -> None:
    """In the body and within a line; what is not understood is skipped, and other voices are left out."""
    melody = abc("F2 F2|[M:3/4]F2\nK:D\nF2[L:1/4]F @§F|\nV:1\nG\nV:2\nAAAA\n", head="X:1\nM:2/4\nL:1/8\nK:C\n")

    assert melody.pitch.tolist() == [65, 65, 65, 66, 66, 66, 67]
    assert melody.duration.tolist() == [1, 1, 1, 1, 1, 1, 1]


def test_bars_follow_bar_lines() -> None:
    """A pickup stands before bar 1; a repeat sign within a bar begins no bar."""
    melody = abc("D2|GABc d2:|:B2|c4 d4|")

    assert melody.bar.tolist() == [0, 1, 1, 1, 1, 1, 1, 2, 2]


def test_midi_is_read_in_quarter_notes_and_bars() -> None:
    """Of notes that sound together the highest counts, and the metre is that of the file."""
    (melody,) = read_midi(midi([(0, 0.5, 60), (0, 0.5, 48), (0.5, 1.5, 62), (1.5, 1.75, 64), (1.75, 2, 65)]), "a.mid")

    assert melody.pitch.tolist() == [60, 62, 64, 65]
    assert melody.onset == pytest.approx([0, 1, 3, 3.5], abs=0.01)
    assert melody.duration == pytest.approx([1, 2, 0.5, 0.5], abs=0.01)
    assert melody.bar.tolist() == [1, 1, 2, 2]


def test_musicxml_has_ties_chords_and_harmony() -> None:
    """Of a chord the highest note counts, tied notes are one, grace notes none."""
    grace = "<note><grace/><pitch><step>B</step><octave>4</octave></pitch></note>"
    harmony = "<harmony><root><root-step>D</root-step></root><kind>minor</kind></harmony>"
    first = harmony + note("C", 4, 2) + note("E", 4, 2, "<chord/>") + note("F", 4, 4)
    second = note("F", 4, 2, '<tie type="stop"/>') + grace + note("G", 5, 4)

    (melody,) = read_musicxml(musicxml(f"<measure>{first}</measure><measure>{second}</measure>"), "a.xml")

    assert melody.pitch.tolist() == [64, 65, 79]
    assert melody.onset.tolist() == [0, 1, 4]
    assert melody.duration.tolist() == [1, 3, 2]
    assert melody.bar.tolist() == [1, 1, 2]
    assert [tuple(chord[:3]) for chord in melody.chords] == [(0.0, 2, True)]


def test_zipped_musicxml_is_the_same() -> None:
    """An .mxl file has the score beside a description of its content."""
    score = musicxml(f"<measure>{note('C', 4, 2)}{note('D', 4, 2)}</measure>")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("score.xml", score)

    assert read_musicxml(packed.getvalue(), "a.mxl")[0].pitch.tolist() == [60, 62]


ENTITY = '<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (musicxml("<measure/>", ENTITY), "an entity declaration"),
        (musicxml("<measure/>", ENTITY).decode().encode("utf-16"), "cannot be read as XML|an entity declaration"),
        (b"<a>" * 200, "nested more than"),
        (b"<score-timewise/>", "expected score-partwise"),
        (b"PK\x03\x04 no archive", "cannot be unpacked"),
        (b"\x00\xff", "cannot be read as XML"),
        (musicxml("<measure/>"), "no pitched note"),
        (musicxml(f"<measure>{note('C', 4, 2)}</measure>").replace(b">2</du", b">1e999</du"), "not a number"),
        (musicxml(f"<measure>{note('C', 4, 2)}</measure>").replace(b">2</du", b">nan</du"), "not a number"),
        (musicxml(f"<measure>{note('C', 4, 2)}</measure>").replace(b">4</oct", b">x</oct"), "not a number"),
    ],
)
def test_hostile_musicxml_is_refused(content: bytes, message: str) -> None:
    """Entities, deep nesting, endless numbers and what is no score."""
    with pytest.raises(InputError, match=message):
        read_musicxml(content, "a.xml")


@pytest.mark.parametrize("content", [b"", b"MThd", b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x00\x60", b"no midi"])
def test_damaged_midi_is_refused(content: bytes) -> None:
    """A damaged file is named; nothing else is raised."""
    with pytest.raises(InputError, match=r"a\.mid"):
        read_midi(content, "a.mid")


def test_drums_are_no_melody() -> None:
    """A file of drums alone has no pitched note."""
    with pytest.raises(InputError, match="no pitched note"):
        read_midi(midi([(0, 1, 60)], is_drum=True), "a.mid")


@pytest.mark.parametrize(
    "music", ["{" * 1_999, '"' * 999, "C9999/9999" * 190, "C" + "'" * 900, "[" * 900, "C" + "/" * 900, "C9>>>>>>>>>D"]
)
def test_hostile_abc_ends_soon(music: str) -> None:
    """Unclosed brackets and absurd lengths or octaves are skipped or refused."""
    try:
        melody = abc(music)
    except InputError:
        return
    assert np.isfinite(melody.duration).all()


def test_notes_of_absurd_length_without_bar_lines_are_refused() -> None:
    """Their bars would fill the memory."""
    with pytest.raises(InputError, match="more than 10,000 bars and no bar line"):
        abc("A9999 " * 20, head="X:1\nM:1/999\nL:9999/1\nK:C\n")


@pytest.mark.parametrize(
    ("music", "reason"),
    [
        ("GABc|", "too short: 4 notes"),
        ("GGGG GGGG|" * 8, "no evidence: 0 patterns"),
        ("GABc defg|fedc BAG2|" * 4, "no evidence"),
        (("GABd gdBA|" * 8 + "\n") * 20, "too long: 1,280 notes"),
    ],
)
def test_what_holds_no_evidence_is_refused(music: str, reason: str, tmp_path: Path) -> None:
    """A bar, a held note, a scale and a recital."""
    (tmp_path / "a.abc").write_text(HEAD + music)

    read = read_tunes(tmp_path / "a.abc")

    assert read.melodies == []
    assert read.refused["a.abc"].startswith(reason)


def test_each_tune_of_a_file_is_read(tmp_path: Path) -> None:
    """A set of two tunes is two melodies; a third without notes is named."""
    (tmp_path / "set.abc").write_text(f"{HEAD}{SONG}\n\nX:2\nT:Two\nK:D\n{SONG}\n\nX:3\nK:C\nz4|\n")
    (tmp_path / "other.txt").write_text("no tune")

    read = read_tunes(tmp_path)

    assert [melody.name for melody in read.melodies] == ["set.abc, tune 1 (A tune)", "set.abc, tune 2 (Two)"]
    assert list(read.refused) == ["set.abc, tune 3"]


def test_the_highest_voice_is_kept() -> None:
    """A lower note under a higher one is left out; a higher one ends the lower."""
    onset, duration, pitch = without_overlap([0, 0, 1, 2, 3], [1, 4, 3, 3, 4], [60, 48, 64, 55, 67])

    assert (onset.tolist(), duration.tolist(), pitch.tolist()) == ([0, 1, 3], [1, 2, 1], [60, 64, 67])
