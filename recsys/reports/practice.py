"""The report of a take as an HTML page: scores, a piano roll with the pitch on it, and players of take and score."""

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys import files
from recsys.audio.mastering.excerpt import flac
from recsys.audio.pitch import FRAME_S, RATE_HZ
from recsys.practice.judge import JudgedNote
from recsys.practice.practise import Practised
from recsys.practice.remarks import said_of
from recsys.practice.summary import faults, lengths_of, note_name
from recsys.reports.html import data_url, render
from recsys.synth.arrange import Arrangement, Event, Style
from recsys.synth.render import render as play

if TYPE_CHECKING:
    from recsys.arrays import F32
    from recsys.state.takes import PastTake

# Okabe and Ito's colours, which colour-blind people tell apart; shapes and words say the same
COLOURS = {"right": "#0072B2", "wrong": "#D55E00", "missing": "none", "unsure": "#999999", "extra": "#CC79A7"}
PX_PER_S, PX_PER_SEMITONE, MARGIN_PX = 90, 12, 26
PROGRAM, VELOCITY = 0, 80  # a piano plays the score
BLANK_S = 0.06  # a longer gap in the pitch interrupts its curve
MAX_OFF = 14  # semitones: pitch further from the written notes is not drawn


def write_page(found: Practised, past: list["PastTake"], path: Path) -> None:
    """Write the page of a take."""
    rows = [_row(note, held) for note, held in zip(found.judged.notes, lengths_of(found.judged), strict=True)]
    page = render(
        "practice.html",
        found=found,
        summary=found.summary,
        past=past,
        roll=_roll(found, [row[3] for row in rows]),
        rows=rows,
        extra=[(it.bar, f"{it.heard.start_s:.2f}", note_name(it.pitch)) for it in found.judged.extra],
        bars=_bars(found),
        take=data_url(flac(_level(found.mono[None]), RATE_HZ), "audio/flac"),
        score=data_url(flac(_score_sound(found), RATE_HZ), "audio/flac"),
        colours=COLOURS,
    )
    files.write_text(path, page)


def _level(samples: "F32") -> "F32":
    return np.asarray(0.9 * samples / max(float(np.abs(samples).max()), 1e-3), np.float32)


def _score_sound(found: Practised) -> "F32":
    """Render what is written in the take's own key and tempo, so that both have the same times."""
    key = round(found.judged.shift)
    events = tuple(
        Event(max(0.0, it.due_s), max(it.due_end_s, it.due_s + 0.05), 0, min(max(it.pitch + key, 0), 127), VELOCITY)
        for it in found.judged.notes
    )
    style = Style(
        tempo_bpm=120, transpose=0, melody=PROGRAM, harmony=0, bass=33, chords="none", has_bass=False, has_drums=False
    )
    sound = play(Arrangement(events, {0: PROGRAM}, style, 120, 0, is_minor=False), rate_hz=RATE_HZ, longest_s=1_000.0)
    return _level(sound.mean(axis=0, keepdims=True))


def _bars(found: Practised) -> list[tuple[int, float, float]]:
    """Return number, start and end [s] of each bar."""
    starts: dict[int, float] = {}
    for note in found.judged.notes:
        starts.setdefault(note.bar, max(0.0, note.due_s - 0.1))
    ends = [*list(starts.values())[1:], found.judged.notes[-1].due_end_s + 0.3]
    return [(bar, round(start, 2), round(end, 2)) for (bar, start), end in zip(starts.items(), ends, strict=True)]


def _row(note: JudgedNote, held: str) -> tuple[str, ...]:
    """Return what the table says of a note, which may be held too "short" or "long"."""
    words = said_of(note, held) or "good"
    vibrato = f"{note.vibrato_cents:.0f} cents at {note.vibrato_hz:.1f} Hz" if note.vibrato_hz else ""
    glide = f"{1000 * note.glide_s:.0f}" if note.glide_s else ""
    cents, late = (("" if isnan(it) else f"{it:+.0f}") for it in (note.cents, 1000 * note.late_s))
    return str(note.bar), f"{note.due_s:.2f}", note_name(note.pitch), words, cents, late, vibrato, glide


def _roll(found: Practised, said: list[str]) -> dict[str, Any]:
    """Return what the piano roll draws, in pixels: written notes and what is said, extra ones, lines, and the pitch."""
    shift, notes, extra = found.judged.shift, found.judged.notes, found.judged.extra
    pitches = [note.pitch for note in notes] + [round(it.pitch) for it in extra]
    low, high = max(min(pitches) - 2, notes[0].pitch - 30), min(max(pitches) + 2, notes[0].pitch + 30)

    def y(pitch: float) -> float:
        return round(MARGIN_PX + (high - pitch) * PX_PER_SEMITONE, 1)

    boxes = [
        {
            "x": round(note.due_s * PX_PER_S, 1),
            "width": round(max(4.0, (note.due_end_s - note.due_s) * PX_PER_S - 2), 1),
            "y": y(note.pitch + 0.5),
            "verdict": note.verdict,
            "mark": "".join({"late": "▶", "early": "◀", "sharp": "▲", "flat": "▼"}.get(it, "") for it in faults(note)),
            "title": f"bar {note.bar}, {note_name(note.pitch)}: {words}",
        }
        for note, words in zip(notes, said, strict=True)
    ]
    more = [
        {
            "x": round(it.heard.start_s * PX_PER_S, 1),
            "width": round(max(4.0, (it.heard.end_s - it.heard.start_s) * PX_PER_S), 1),
            "y": y(it.pitch + 0.5),
            "verdict": "extra",
            "mark": "+",
            "title": f"bar {it.bar}, {note_name(it.pitch)}: extra",
        }
        for it in extra
        if low <= it.pitch <= high
    ]
    return {
        "width": round(len(found.track.midi) * FRAME_S * PX_PER_S) + 20,
        "height": round(2 * MARGIN_PX + (high - low) * PX_PER_SEMITONE),
        "semitone": PX_PER_SEMITONE,
        "boxes": boxes + more,
        "lines": [(note_name(pitch), y(pitch)) for pitch in range(low, high + 1) if pitch % 12 in {0, 4, 7}],
        "curves": [
            " ".join(f"{x:.1f},{y(pitch):.1f}" for x, pitch in part) for part in _curves(found, shift, low, high)
        ],
        "px_per_s": PX_PER_S,
    }


def _curves(found: Practised, shift: float, low: float, high: float) -> list[list[tuple[float, float]]]:
    """Return the pieces of the pitch's curve: x [pixels] and pitch in the key of the score."""
    midi = found.track.midi - shift
    shown = np.flatnonzero(~np.isnan(midi) & (midi >= low) & (midi <= high))
    pieces = np.split(shown, np.flatnonzero(np.diff(shown) * FRAME_S > BLANK_S) + 1)
    return [[(float(it * FRAME_S * PX_PER_S), float(midi[it])) for it in piece] for piece in pieces if len(piece) > 1]
