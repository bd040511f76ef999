"""
The writer's own melody, read from ABC, MIDI or MusicXML as a tune with a key and a metre.

ABC states both. Of MIDI and MusicXML the metre is the one whose bars are those of the file, and the key is the one
whose scale holds most of the melody, the tonic of which sounds long and comes last.
"""

import re
from pathlib import Path

import numpy as np

from recsys.compose.tokens import METRES
from recsys.errors import InputError
from recsys.files import printable
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.reading import ABC, read_file, tune_files, why_not
from recsys.synth.abc import read_abc_tolerantly
from recsys.synth.tune import SCALES, Note, Tune

LAST_NOTE, TONIC, FIFTH = 2.0, 0.5, 0.2  # weights beside the share of the scale, 1
MOST_NOTES = 5_000  # of a melody
UNITS = (1, 2, 4, 8, 16)  # lower numbers of time signatures
MODE_WEIGHTS = {"major": 0.1, "minor": 0.1, "dorian": 0.03, "mixolydian": 0.03, "lydian": 0.0, "phrygian": 0.0}


def read_sketch(path: Path) -> Tune:
    """
    Read the first melody of a file.

    Raises:
        InputError: There is no such file, or it has no melody.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist. Give a file of ABC, MIDI or MusicXML")
    if path.suffix.lower() in ABC:
        return _checked(_of_abc(path, printable(path.name))[0])
    found = _melodies(path, printable(path.name))
    return _checked(tune_of(min(found, key=lambda melody: why_not(melody) is not None)))  # the first; short ones last


def read_sketches(folder: Path) -> list[Tune]:
    """
    Read the melodies of all files of a folder; files that cannot be read are left out.

    Raises:
        InputError: There is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give one with files of ABC, MIDI or MusicXML")
    tunes: list[Tune] = []
    for path in tune_files(folder):
        name = printable(str(path.relative_to(folder)))
        try:
            if path.suffix.lower() in ABC:
                found = _of_abc(path, name)
            else:
                found = [tune_of(melody) for melody in _melodies(path, name) if why_not(melody) is None]
            tunes += map(_checked, found)
        except InputError:
            continue
    return tunes


def _checked(tune: Tune) -> Tune:
    """Return a tune; raises InputError if it is too long, or its metre is none that can be written."""
    if len(tune.notes) > MOST_NOTES:
        raise InputError(f"{tune.name}: found {len(tune.notes):,} notes, expected at most {MOST_NOTES:,}. Split it")
    if tune.metre[1] not in UNITS or tune.metre[0] < 1:
        raise InputError(
            f"{tune.name}: found the metre {tune.metre[0]}/{tune.metre[1]}, expected one such as 4/4 or 6/8"
        )
    return tune


def _melodies(path: Path, name: str) -> list[Melody]:
    """Return the melodies of a MIDI or MusicXML file; raises InputError if there is none."""
    return [melody for _, melody in read_file(path, name) if isinstance(melody, Melody)]


def _of_abc(path: Path, name: str) -> list[Tune]:
    text = path.read_text(encoding="utf-8", errors="replace")
    parts = [part for part in re.split(r"(?m)^(?=X:)", text) if re.search(r"(?m)^K:", part)]
    names = [name, *(f"{name}, tune {number}" for number in range(2, len(parts) + 1))]
    tunes = [read_abc_tolerantly(part, own) for part, own in zip(parts, names, strict=False)]
    if not tunes:
        raise InputError(f"{name}: found no tune in ABC, expected a header that ends with a key, such as K:D")
    return tunes


def tune_of(melody: Melody) -> Tune:
    """Return a melody as a tune, in the metre and key that fit it best."""
    tonic, mode = key_of(melody)
    columns = (melody.onset.tolist(), melody.duration.tolist(), melody.pitch.tolist())
    notes = tuple(Note(*note) for note in zip(*columns, strict=True))
    return Tune(melody.name, notes, _metre_of(melody), tonic, mode, melody.chords)


def _metre_of(melody: Melody) -> tuple[int, int]:
    """Return the first metre whose bars are the melody's, with a first bar that is complete; otherwise 4/4."""
    for upper, lower in METRES:
        bars = 1 + np.floor(melody.onset / (4 * upper / lower) + 1e-3)
        if np.array_equal(bars, melody.bar):
            return upper, lower
    return 4, 4


def key_of(melody: Melody) -> tuple[int, str]:
    """Return the pitch class of the tonic (0 = C) and the mode, a key of `SCALES`."""
    durations = np.bincount(melody.pitch % 12, melody.iois, 12)
    shares = durations / durations.sum()
    shares[melody.pitch[-1] % 12] += LAST_NOTE / len(melody) ** 0.5
    keys = [(tonic, mode) for tonic in range(12) for mode in MODE_WEIGHTS]
    fits = [
        sum(shares[(tonic + step) % 12] for step in SCALES[mode])
        + TONIC * shares[tonic]
        + FIFTH * shares[(tonic + 7) % 12]
        + MODE_WEIGHTS[mode]
        for tonic, mode in keys
    ]
    return keys[int(np.argmax(fits))]
