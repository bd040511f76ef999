"""A take of a file against a score or a reference, decoded in a worker process."""

import json
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from recsys.arrays import F32
from recsys.audio.pitch import RATE_HZ, PitchTrack
from recsys.audio.sandbox import run_one
from recsys.audio.signal import UnreadableAudio, read_audio
from recsys.errors import InputError
from recsys.files import printable, write_text
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.melody import Melody
from recsys.practice.judge import Judgement
from recsys.practice.summary import Summary, faults, lengths_of, note_name, summary_of
from recsys.practice.take import judge_sound
from recsys.practice.written import melody_of_reference, read_score

LONGEST_S = 900.0


@dataclass(frozen=True, eq=False)
class Practised:
    """
    A take and what is said of it.

    Attributes:
        name: Name of the take's file.
        melody: What it was compared with.
        judged: Its notes.
        track: Its pitch over time.
        summary: Its figures.
        mono: Its sound at 16 kHz.
    """

    name: str
    melody: Melody
    judged: Judgement
    track: PitchTrack
    summary: Summary
    mono: F32


@dataclass(frozen=True)
class _Task:
    """A task for a worker process: judge a take against a score, or against a reference if there is none."""

    score: Path | None
    reference: Path | None

    def __call__(self, path: Path) -> Practised:
        mono = read_audio(path, longest_s=LONGEST_S).mono(RATE_HZ)
        melody = read_score(self.score) if self.score else self._heard()
        judged, track, _ = judge_sound(mono, melody)
        return Practised(printable(path.name), melody, judged, track, summary_of(melody, judged), mono)

    def _heard(self) -> Melody:
        assert self.reference is not None  # noqa: S101 - one of both is given
        name = printable(self.reference.name)
        try:
            sound = read_audio(self.reference, longest_s=LONGEST_S).mono(RATE_HZ)
        except UnreadableAudio as unreadable:  # which would be taken for the take's
            raise InputError(f"{name}: {unreadable.message}") from unreadable
        return melody_of_reference(sound, name)


def practise(take: Path, settings: AudioSettings, *, score: Path | None, reference: Path | None) -> Practised:
    """
    Compare a take with what is written, or with another recording of it.

    Args:
        take: A recording of one voice.
        settings: Time and memory limits.
        score: What is written: ABC, MIDI or MusicXML.
        reference: Or a recording of one voice.

    Raises:
        InputError: Not exactly one of both is given, or a file cannot be read or compared.
        SetupError: The extras audio and studio are not installed.
    """
    if (score is None) == (reference is None):
        raise InputError("Give either --score FILE (ABC, MIDI or MusicXML) or --reference FILE (a recording)")
    return run_one(_Task(score, reference), take, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)


def write_json(found: Practised, path: Path) -> None:
    """Write everything that is said of a take as JSON; what is unknown is null."""
    rows = [
        {
            "bar": note.bar,
            "note": note_name(note.pitch),
            "due_s": round(note.due_s, 3),
            "verdict": note.verdict,
            "reason": note.reason,
            "faults": faults(note),
            "length": held,
            "late_ms": None if isnan(note.late_s) else round(1000 * note.late_s),
            "cents": None if isnan(note.cents) else round(note.cents, 1),
            "vibrato_cents": round(note.vibrato_cents, 1),
            "vibrato_hz": round(note.vibrato_hz, 2),
            "glide_ms": round(1000 * note.glide_s),
        }
        for note, held in zip(found.judged.notes, lengths_of(found.judged), strict=True)
    ]
    extra = [
        {"bar": it.bar, "start_s": round(it.heard.start_s, 3), "note": note_name(it.pitch)} for it in found.judged.extra
    ]
    summary = found.summary
    scores = {
        name: {"share": None if isnan(it.share) else round(it.share, 4), "notes": it.n}
        for name, it in (("pitch", summary.pitch), ("rhythm", summary.rhythm), ("completeness", summary.completeness))
    }
    bars = [text for _, text in summary.bars]
    words = {"tuning": summary.tuning, "tempo": summary.tempo, "range": summary.compass, "bars": bars}
    whole = {"take": found.name, "score": found.melody.name, **scores, **words, "notes": rows, "extra": extra}
    write_text(path, json.dumps(whole, indent=1, allow_nan=False) + "\n")
