"""Arrangements and their audio agree with their labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.synth.arrange import CHORD_CHANNEL, DRUM_CHANNEL, FAMILIES, KICK, MELODY_CHANNEL, Style, arrange, harmonise
from recsys.synth.render import render, write_audio
from recsys.synth.tune import SCALES, Chord, Note, Tune, compose

STYLE = Style(tempo_bpm=120, transpose=3, melody=73, harmony=0, bass=33, chords="block", has_bass=True, has_drums=True)
WALK = (60, 62, 64, 65, 67, 65, 62, 60)
TUNE = Tune("walk", tuple(Note(float(onset), 1.0, pitch) for onset, pitch in enumerate(WALK)), (4, 4), 0, "major")


def test_the_melody_is_played_in_its_key_and_tempo() -> None:
    """The melody is three semitones higher, has a note every half second, and repeats until the limit."""
    played = arrange(TUNE, STYLE, np.random.default_rng(7), longest_s=8)

    melody = [event for event in played.events if event.channel == MELODY_CHANNEL]
    assert [event.key for event in melody] == [note.pitch + 3 for note in TUNE.notes] * 2
    assert [event.start_s for event in melody] == pytest.approx(np.arange(16) / 2, abs=0.03)
    assert (played.tonic, played.is_minor, played.tempo_bpm) == (3, False, 120)


def test_drums_keep_the_beat() -> None:
    """Every beat has a drum note."""
    played = arrange(TUNE, STYLE, np.random.default_rng(7), longest_s=4)
    onsets = np.array([event.start_s for event in played.events if event.channel == DRUM_CHANNEL])

    assert all(np.abs(onsets - beat).min() < 0.03 for beat in np.arange(0, 4, 0.5))


def test_chords_fit_the_melody_and_end_on_the_tonic() -> None:
    """The chord of the last bar is C, and all roots are in the scale."""
    chords = harmonise(TUNE)

    assert [chord.onset for chord in chords] == [0, 4]
    assert (chords[-1].root, chords[-1].is_minor) == (0, False)
    assert {chord.root for chord in chords} <= set(SCALES["major"])


def test_chords_beats_and_bars_are_labels() -> None:
    """At 120 beats per minute, chords of all repeats, a beat every half second and a bar every two seconds."""
    played = arrange(TUNE, STYLE, np.random.default_rng(7), longest_s=8)

    chords = harmonise(TUNE) * 2
    assert [chord.start_s for chord in played.chords] == pytest.approx([0, 2, 4, 6])
    assert [chord.end_s for chord in played.chords] == pytest.approx([2, 4, 6, 8])
    expected = [((chord.root + 3) % 12, chord.is_minor) for chord in chords]
    assert [(chord.root, chord.is_minor) for chord in played.chords] == expected
    assert played.beats_s == pytest.approx(np.arange(16) / 2)
    assert played.downbeats_s == pytest.approx([0, 2, 4, 6])


def test_bars_begin_after_a_pickup() -> None:
    """With a pickup of one beat, the kick drum, the second chord and the downbeats come one beat later."""
    notes = (Note(0.0, 1.0, 67), *(note._replace(onset=note.onset + 1) for note in TUNE.notes[:-1]))
    pickup = replace(TUNE, notes=notes, bar_lines=(1.0, 5.0, 8.0))

    played = arrange(pickup, STYLE, np.random.default_rng(7), longest_s=8)

    kicks = sorted(event.start_s for event in played.events if (event.channel, event.key) == (DRUM_CHANNEL, KICK))
    assert (pickup.pickup, pickup.has_regular_bars) == (1.0, True)
    assert [chord.onset for chord in harmonise(pickup)] == [0, 1, 5]
    assert played.downbeats_s == pytest.approx([0.5, 2.5, 4.5, 6.5])
    assert played.beats_s == pytest.approx(np.arange(16) / 2)
    assert kicks == pytest.approx(np.arange(0.5, 8, 1), abs=0.03)


def test_bar_lines_that_are_not_one_bar_apart_are_noticed() -> None:
    """One line between two bars is a repeat sign before a pickup; two in a row shift the bars."""
    assert replace(TUNE, bar_lines=(1.0, 4.0, 5.0, 8.0)).has_regular_bars
    assert not replace(TUNE, bar_lines=(4.0, 7.0, 11.0)).has_regular_bars


def test_a_seventh_is_played_with_its_chord() -> None:
    """The chord instrument plays four notes of C7."""
    tune = replace(TUNE, chords=(Chord(0.0, 0, is_minor=False, seventh=10),))

    played = arrange(tune, replace(STYLE, transpose=0), np.random.default_rng(7), longest_s=1)

    assert {event.key % 12 for event in played.events if event.channel == CHORD_CHANNEL} == {0, 4, 7, 10}


def test_rendering_is_deterministic_and_has_the_requested_length() -> None:
    """Two channels, no sample beyond full scale, and sound in every half second."""
    played = arrange(TUNE, STYLE, np.random.default_rng(7), longest_s=3)

    first, second = (render(played, rate_hz=22_050, longest_s=3) for _ in range(2))

    assert (first == second).all()
    assert first.shape == (2, 3 * 22_050)
    assert np.abs(first).max() <= 1
    assert np.abs(first[:, : 6 * 11_025].reshape(2, 6, -1)).max(axis=(0, 2)).min() > 0.01


def test_a_flute_sounds_its_pitch() -> None:
    """The A above middle C has 440 Hz, within the vibrato of the instrument."""
    style = replace(STYLE, transpose=0, chords="none", has_bass=False, has_drums=False, tempo_bpm=60)
    tune = Tune("a", (Note(0.0, 4.0, 69),), (4, 4), 9, "major")

    sound = render(arrange(tune, style, np.random.default_rng(7), longest_s=3), rate_hz=22_050, longest_s=3)[0]

    spectrum = np.abs(np.fft.rfft(sound[11_025:55_125]))
    assert spectrum.argmax() * 22_050 / 44_100 == pytest.approx(440, abs=5)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_files_are_written_in_the_format_of_their_name(tmp_path: Path, name: str) -> None:
    """Files are in the requested format, with equal bytes each time unless the format holds a serial number (ogg)."""
    sound = (0.3 * np.sin(np.arange(30_000) / 9)).astype(np.float32)[None]

    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_audio(tmp_path / folder / name, sound, 22_050)

    assert soundfile.info(tmp_path / "one" / name).samplerate == 22_050
    same = (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert same or name == "a.ogg"


@pytest.mark.parametrize("seed", range(6))
def test_composed_tunes_follow_scale_and_form(seed: int) -> None:
    """Notes are in the scale, without gaps or overlaps, over sixteen bars that end on the tonic."""
    tune = compose("composed", np.random.default_rng(seed))

    assert {(note.pitch - tune.tonic) % 12 for note in tune.notes} <= set(SCALES[tune.mode])
    ends = [note.onset + note.duration for note in tune.notes]
    assert [note.onset for note in tune.notes[1:]] == pytest.approx(ends[:-1])
    assert tune.length == pytest.approx(16 * tune.bar)
    assert (tune.notes[-1].pitch - tune.tonic) % 12 == 0
    assert all(48 <= note.pitch <= 90 for note in tune.notes)


def test_styles_use_only_allowed_instruments() -> None:
    """Instruments outside `programs` are never drawn."""
    allowed = frozenset(program for family in FAMILIES.values() for program in list(family)[-2:])

    styles = [Style.random(np.random.default_rng(seed), programs=allowed) for seed in range(50)]

    assert {program for style in styles for program in (style.melody, style.harmony, style.bass)} <= allowed


def test_a_cover_has_another_key_and_a_similar_tempo() -> None:
    """The transposition differs, and the tempo is within 20 %."""
    covers = [STYLE.for_cover(np.random.default_rng(seed)) for seed in range(20)]

    assert all(cover.transpose != STYLE.transpose for cover in covers)
    assert all(0.79 < cover.tempo_bpm / STYLE.tempo_bpm < 1.21 for cover in covers)
