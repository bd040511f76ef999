"""Takes against notes: the notes of a sung or played recording, its tuning, and the search for a part of a tune."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.io import wavfile

from recsys.arrays import F32
from recsys.audio.pitch import FRAME_S, RATE_HZ
from recsys.cli import main
from recsys.errors import InputError
from recsys.matching.tunes.find import doubt_of
from recsys.matching.tunes.index import TuneIndex
from recsys.matching.tunes.melody import Melody, melody_of, without_repeats
from recsys.matching.tunes.reading import why_not
from recsys.matching.tunes.take import melody_of_take, tuning
from recsys.synth.tune import compose


def composed(n: int) -> list[Melody]:
    """Compose melodies."""
    rng = np.random.default_rng(6)
    return [melody_of(compose(f"tune {number}", rng)) for number in range(n)]


def sung(melody: Melody, *, quarter_s: float = 0.5, cents: float = 0.0, drift_cents: float = 0.0) -> F32:
    """Sing a melody with eight harmonics, notes apart by a short silence, out of tune by so much."""
    time_s = np.arange(round((melody.length * quarter_s + 0.3) * RATE_HZ)) / RATE_HZ
    onset_s = melody.onset * quarter_s
    place = np.maximum(np.searchsorted(onset_s, time_s, side="right") - 1, 0)
    within_s, length_s = time_s - onset_s[place], melody.duration[place] * quarter_s
    level = np.clip(np.minimum(within_s, 0.92 * length_s - within_s) / 0.02, 0, 1)
    off = (cents + drift_cents * time_s / time_s[-1]) / 100
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((melody.pitch[place] + off - 69) / 12)) / RATE_HZ
    wave = sum((np.sin(k * phase + k * k) / k for k in range(1, 9)), np.zeros(len(phase)))
    return np.asarray(0.1 * level * wave, np.float32)


def passage(melody: Melody, first: int, last: int) -> Melody:
    """Return the notes [first, last) of a melody."""
    kept = slice(first, last)
    onset = melody.onset[kept] - melody.onset[first]
    return replace(
        melody, onset=onset, duration=melody.duration[kept], pitch=melody.pitch[kept], bar=melody.bar[kept], chords=()
    )


def test_the_notes_of_a_take_that_is_out_of_tune() -> None:
    """40 cents off and drifting by 70 cents, the intervals are those of the tune; times are right within two frames."""
    melody = without_repeats(passage(composed(1)[0], 0, 24))

    take = melody_of_take(sung(melody, cents=40, drift_cents=70), "take")

    assert np.diff(take.pitch).tolist() == np.diff(melody.pitch).tolist()
    assert take.onset == pytest.approx(melody.onset * 0.5, abs=2.5 * FRAME_S)
    assert (take.is_take, take.bar.tolist()) == (True, np.floor(take.onset).astype(int).tolist())


def test_the_tuning_is_followed_over_time() -> None:
    """Through a drift of one and a half semitones under notes of any pitch, also where nothing is voiced."""
    rng = np.random.default_rng(1)
    midi = np.repeat(rng.integers(50, 70, 60).astype(float), 20)
    sharp = np.linspace(0.3, 1.8, len(midi))
    heard = np.where(rng.random(len(midi)) < 0.2, np.nan, midi + sharp)

    found = tuning(heard)

    inside = slice(150, -150)  # a window at an end sees one side only
    assert (found - sharp)[inside] == pytest.approx(round(float(np.median(found - sharp))), abs=0.03)


def test_repeated_notes_are_one() -> None:
    """It lasts until the last of them ends; the bar is that of the first."""
    melody = Melody("a", np.array([0, 1, 2, 3.0]), np.array([1, 0.5, 1, 1]), np.array([60, 60, 62, 60]), np.arange(4))

    merged = without_repeats(melody)

    assert merged.pitch.tolist() == [60, 62, 60]
    assert merged.onset.tolist() == [0, 2, 3]
    assert merged.duration.tolist() == [1.5, 1, 1]
    assert merged.bar.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    ("mono", "message"),
    [
        (np.zeros(RATE_HZ, np.float32), "silent"),
        (np.random.default_rng(2).normal(0, 0.1, RATE_HZ).astype(np.float32), "several voices at once, or noise"),
    ],
)
def test_silence_and_noise_are_no_takes(mono: F32, message: str) -> None:
    """The message says what was found."""
    with pytest.raises(InputError, match=message):
        melody_of_take(mono, "take")


def test_a_part_with_errors_is_found() -> None:
    """Twenty notes with missed octaves, a wrong and a missing note: by its own share, the tune is first."""
    tunes = composed(40)
    part = passage(tunes[7], 20, 40)
    pitch = part.pitch + 3
    pitch[[4, 11]] += [12, -12]
    pitch[8] += 1
    kept = np.arange(20) != 15
    take = replace(
        part, onset=part.onset[kept], duration=part.duration[kept], pitch=pitch[kept], bar=part.bar[kept], is_take=True
    )

    best = TuneIndex.of([without_repeats(tune) for tune in tunes]).search(without_repeats(take), 2)

    assert best[0].row == 7
    assert best[0].score > best[1].score + 0.05


def test_a_drone_is_no_evidence() -> None:
    """It is one note, however often it is sung."""
    drone = Melody("drone", np.arange(8.0), np.ones(8), np.full(8, 60), np.arange(8) // 4 + 1)

    assert why_not(melody_of_take(sung(drone), "take")) == "too short: 1 notes, expected at least 8 in 2 seconds"


def test_weak_evidence_of_a_recording_passes_no_point() -> None:
    """Eleven notes, and a medley among short tunes; the same of notes, and longer recordings, are judged."""
    long, tune = composed(2)
    medley = passage(long, 0, len(long))
    usual = len(long) / 4
    eleven, twelve = (replace(passage(tune, 0, n), is_take=True) for n in (11, 12))

    assert doubt_of(eleven, tune, len(tune)).startswith("11 notes are too few")
    assert doubt_of(twelve, medley, usual).startswith(f"No operating point: it has {len(medley)} notes")
    assert doubt_of(twelve, tune, len(tune)) == ""
    assert doubt_of(passage(tune, 0, 11), medley, usual) == ""


def test_the_command_takes_a_recording(tmp_path: Path) -> None:
    """It names the tune, with seconds of the recording, bars of the tune, and its tempo."""
    tunes = composed(6)
    folder = tmp_path / "tunes"
    folder.mkdir()
    (folder / "all.abc").write_text("".join(_abc(tune, row) for row, tune in enumerate(tunes, start=1)))
    part = passage(tunes[3], 0, 20)
    wavfile.write(tmp_path / "take.wav", RATE_HZ, sung(replace(part, pitch=part.pitch - 5)))
    words = ["--home", str(tmp_path), "same-tune", str(tmp_path / "take.wav"), "--report", str(tmp_path / "a.html")]

    shown = CliRunner().invoke(main, words)

    assert shown.exit_code == 0, shown.output
    assert "all.abc, tune 4 (tune 3): seconds 0-" in shown.stdout
    (best, *_) = re.findall(
        r"<tr><td>(.*?)</td>.*?<td>([+-]\d+)</td><td>(\d+) per minute", (tmp_path / "a.html").read_text(), re.DOTALL
    )
    assert best[:2] == ("all.abc, tune 4 (tune 3)", "+5")
    assert int(best[2]) == pytest.approx(120, rel=0.05)


def _abc(melody: Melody, number: int) -> str:
    """Write a melody as ABC in sixteenths."""
    names = ("C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B")
    notes = [
        f"{names[pitch % 12]}{chr(39) * max(0, pitch // 12 - 5)}{',' * max(0, 5 - pitch // 12)}{round(length * 4)}|"
        for pitch, length in zip(melody.pitch.tolist(), melody.duration.tolist(), strict=True)
    ]
    return f"X:{number}\nT:{melody.name}\nM:4/4\nL:1/16\nK:C\n{' '.join(notes)}\n\n"
