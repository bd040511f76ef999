"""The notes of a take of which something is said, in order of time, in words."""

from math import isnan
from typing import NamedTuple

from recsys.practice.judge import JudgedNote, Judgement
from recsys.practice.summary import faults, lengths_of, note_name


class Remark(NamedTuple):
    """
    What is said of a note.

    Attributes:
        bar: Its bar.
        time_s: When it is due, or begins if it is an extra one [s].
        note: Its name, as written; of an extra note, in the key of the score.
        said: What is said of it.
        cents: Centre off the written pitch [cents]; None if unknown.
        late_ms: How late it begins [ms]; None if unknown.
    """

    bar: int
    time_s: float
    note: str
    said: str
    cents: int | None
    late_ms: int | None


def remarks(judged: Judgement) -> list[Remark]:
    """Return the notes with a fault, those left open, and extra ones."""
    written = [
        Remark(
            note.bar,
            round(note.due_s, 1),
            note_name(note.pitch),
            said,
            _whole(note.cents),
            _whole(1000 * note.late_s),
        )
        for note, held in zip(judged.notes, lengths_of(judged), strict=True)
        if (said := said_of(note, held))
    ]
    extra = [
        Remark(it.bar, round(it.heard.start_s, 1), note_name(it.pitch), "extra", None, None) for it in judged.extra
    ]
    return sorted([*written, *extra], key=lambda remark: remark.time_s)


def said_of(note: JudgedNote, held: str) -> str:
    """Return what is said of a note that may be held too "short" or "long"; empty if it is good."""
    if note.verdict == "unsure":
        return f"left open: {note.reason}"
    return ", ".join([*faults(note), *([f"held too {held}"] if held else [])])


def _whole(value: float) -> int | None:
    return None if isnan(value) else round(value)
