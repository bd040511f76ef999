"""
Read the melodies of MIDI files: of each pitched part, the highest voice.

Times are in quarter notes, by the ticks of the file, so its tempo plays no part; bars follow its time signatures.
"""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from recsys.arrays import F64, I64
from recsys.errors import InputError
from recsys.matching.tunes.melody import Melody, without_overlap

if TYPE_CHECKING:
    from pretty_midi import Instrument, PrettyMIDI

LEAST_NOTES = 8  # of a part that is looked at beside others
SMALLEST_UNIT = 64  # of a time signature; a smaller one is none


def read_midi(content: bytes, name: str) -> list[Melody]:
    """
    Return the melodies of a MIDI file, named after their parts where there are several.

    Raises:
        InputError: It is not readable as MIDI, or has no pitched note.
    """
    from pretty_midi import PrettyMIDI  # noqa: PLC0415 - of the extra `audio`

    try:
        midi = PrettyMIDI(BytesIO(content))
    except Exception as unreadable:  # its parsers raise errors of many classes for damaged files
        raise InputError(f"{name} cannot be read as MIDI. Export it again") from unreadable
    parts = [part for part in midi.instruments if part.notes and not part.is_drum]
    if not parts:
        raise InputError(f"{name}: found no pitched note, expected a melody")
    long = [part for part in parts if len(part.notes) >= LEAST_NOTES] or parts
    names = [name] if len(long) == 1 else [f"{name}, part {number}" for number in range(1, len(long) + 1)]
    return [_melody(midi, part, own) for part, own in zip(long, names, strict=True)]


def _melody(midi: "PrettyMIDI", part: "Instrument", name: str) -> Melody:
    def quarters(time_s: float) -> float:
        return float(midi.time_to_tick(time_s) / midi.resolution)

    notes = [(quarters(note.start), quarters(note.end), note.pitch) for note in part.notes if note.end > note.start]
    onset, duration, pitch = without_overlap(*zip(*notes, strict=True))
    signatures = [
        (quarters(sign.time), sign.numerator * 4 / sign.denominator)
        for sign in midi.time_signature_changes
        if sign.denominator <= SMALLEST_UNIT
    ]
    return Melody(name, onset, duration, pitch, _bars(onset, signatures or [(0.0, 4.0)]))


def _bars(onset: F64, signatures: list[tuple[float, float]]) -> I64:
    """Return the bar of each onset; a signature is its time and its bar's length."""
    bar, first_bar = np.ones(len(onset), np.int64), 1
    for place, (start, length) in enumerate(signatures):
        end = signatures[place + 1][0] if place + 1 < len(signatures) else np.inf
        inside = (onset >= start - 1e-3) & (onset < end - 1e-3)
        bar[inside] = first_bar + np.floor((onset[inside] - start) / length + 1e-6).astype(np.int64)
        first_bar += 0 if np.isinf(end) else int(np.ceil((end - start) / length - 1e-6))
    return bar
