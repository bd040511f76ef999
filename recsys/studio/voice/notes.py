"""
Find the notes of a take and their targets: a score aligned to the take in time, or the nearest notes of a key.

Both are found by dynamic programming over the frames of a pitch track. With a score, frames pass its notes in order,
which is dynamic time warping of the pitch; the octave is the take's own. With a key, frames choose freely among the
notes of its scale, and each change costs something, so that vibrato does not change the note.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from recsys.arrays import F64, I64
from recsys.audio.pitch import FRAME_S, SURE_PERIODICITY, PitchTrack
from recsys.errors import InputError
from recsys.studio.voice.scores import Key, Score

FAR = 3.0  # distance from a written pitch that costs most [semitones]
TIME_COST = 2.0  # [semitones] per frame, of a note that comes the whole length of the take too early or late
CHANGE_COST = 3.0  # [semitones x frames] of a change between notes of a key
STEADY = 0.7  # frames before the first and after the last within this distance of the median are glides [semitones]
MIN_NOTE_FRAMES = 4
MAX_OFF_CENTS = 150.0  # a note that is further off is left alone: it is another note
LINE_FRAMES = 20  # from this length on, the centre of a note may drift
MIN_FOLLOWING = 0.5  # share of a take's frames of notes within `MAX_OFF_CENTS` of the score, below which it is another
GAP_FRAMES = 6  # with a key, such a gap in the voice ends a note

Targets: TypeAlias = I64  # per frame, the number of a note, -1 outside of all


@dataclass(frozen=True)
class SungNote:
    """
    A note of a take, without the glides to and from it.

    Attributes:
        first, last: Its frames, `last` included.
        target: MIDI pitch that it should have.
        start_cents, end_cents: Its centre off the target at both ends, by a line through its pitch, which vibrato does
            not move [cents].
        cents: Median of its frames off the target [cents].
        left_alone: Why it is not corrected; empty if it is.
    """

    first: int
    last: int
    target: int
    start_cents: float
    end_cents: float
    cents: float
    left_alone: str = ""

    @property
    def frames(self) -> slice:
        """Its frames in a pitch track."""
        return slice(self.first, self.last + 1)


def sung_notes(track: PitchTrack, target: Score | Key) -> list[SungNote]:
    """
    Find the notes of a take.

    Args:
        track: Pitch of the take, with at least one voiced frame.
        target: What to sing.

    Returns:
        The notes in order of time. Written notes that were not sung are not among them.

    Raises:
        InputError: The take does not follow the score.
    """
    frames, pitches = _aligned(track, target) if isinstance(target, Score) else _quantised(track, target)
    notes = [_note(track, span, pitches[number]) for span, number in _spans(frames, track)]
    found = [note for note in notes if note is not None]
    if isinstance(target, Score):
        _require_following(found)
    return found


def _require_following(notes: list[SungNote]) -> None:
    lengths = np.array([note.last + 1 - note.first for note in notes])
    near = np.array([abs(note.cents) <= MAX_OFF_CENTS for note in notes])
    share = float(lengths[near].sum() / lengths.sum()) if len(notes) else 0.0
    if share < MIN_FOLLOWING:
        raise InputError(
            f"The take does not follow the score: {share:.0%} of it lies within {MAX_OFF_CENTS:.0f} cents of the "
            f"written notes, expected {MIN_FOLLOWING:.0%} at least. Give the score of this take in the key that is "
            "sung, or --key"
        )


def _aligned(track: PitchTrack, score: Score) -> tuple[Targets, list[int]]:
    """Align a score to the take: the number of its note per frame, and the pitch of each note in the take's octave."""
    voiced = np.flatnonzero(track.is_voiced)
    midi = track.midi[voiced[0] : voiced[-1] + 1]
    if len(midi) < len(score.notes):
        raise InputError(
            f"The score has {len(score.notes):,} notes, which the take of {len(midi) * FRAME_S:.1f} s of voice cannot "
            "hold. Give the score of this take"
        )
    pitches = np.array([note.pitch for note in score.notes])
    octave = 12 * round((np.nanmedian(midi) - np.median(pitches)) / 12)
    shifts = (octave - 12, octave, octave + 12)
    tried = [(*_monotone_path(_costs(midi, pitches + shift, score)), shift) for shift in shifts]
    _, path, shift = min(tried, key=lambda found: found[0])
    frames = np.full(len(track.midi), -1)
    frames[voiced[0] : voiced[-1] + 1] = path
    return frames, [int(pitch) for pitch in pitches + shift]


def _costs(midi: F64, pitches: I64, score: Score) -> npt.NDArray[np.float32]:
    """Return the cost of each note in each frame, (n_frames, n_notes): distance in pitch, and a little in time."""
    begin, end = score.notes[0].start, score.notes[-1].end
    starts, ends = (np.array([(note[i] - begin) / (end - begin) for note in score.notes]) for i in (0, 1))
    time = np.linspace(0, 1, len(midi))[:, None]
    off_pitch = np.nan_to_num(np.minimum(np.abs(midi[:, None] - pitches), FAR))
    off_time = np.maximum(0, np.maximum(starts - time, time - ends))
    return np.asarray(off_pitch + TIME_COST * off_time, np.float32)


def _monotone_path(costs: npt.NDArray[np.float32]) -> tuple[float, I64]:
    """Return the least cost of passing all notes in order, and the note of each frame of that path."""
    n_frames, n_notes = costs.shape
    total = np.full(n_notes, np.inf)
    total[0] = costs[0, 0]
    is_step = np.zeros((n_frames, n_notes), np.bool_)
    for frame in range(1, n_frames):
        stepped = np.concatenate([[np.inf], total[:-1]])
        is_step[frame] = stepped < total
        total = np.minimum(total, stepped) + costs[frame]
    path = np.empty(n_frames, np.int64)
    note = n_notes - 1
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = note
        note -= int(is_step[frame, note])
    return float(total[-1]), path


def _quantised(track: PitchTrack, key: Key) -> tuple[Targets, list[int]]:
    """Give each frame a note of the key: the nearest, but for short excursions."""
    low, high = int(np.nanmin(track.midi)) - 2, int(np.nanmax(track.midi)) + 3
    pitches = [pitch for pitch in range(low, high) if pitch % 12 in key.pitch_classes]
    costs = np.nan_to_num(np.minimum(np.abs(track.midi[:, None] - np.array(pitches)), FAR))  # (n_frames, n_pitches)
    total, origins = costs[0], np.empty(costs.shape, np.int64)
    for frame in range(1, len(costs)):
        best = int(total.argmin())
        changes = total[best] + CHANGE_COST < total
        origins[frame] = np.where(changes, best, np.arange(len(pitches)))
        total = np.minimum(total, total[best] + CHANGE_COST) + costs[frame]
    path = np.empty(len(costs), np.int64)
    path[-1] = int(total.argmin())
    for frame in range(len(costs) - 1, 0, -1):
        path[frame - 1] = origins[frame, path[frame]]
    path[~_near_voice(track)] = -1
    return path, pitches


def _near_voice(track: PitchTrack) -> npt.NDArray[np.bool_]:
    """Return which frames are voiced or within a short gap of the voice."""
    voiced = np.flatnonzero(track.is_voiced)
    near = track.is_voiced.copy()
    for before, after in pairwise(voiced):
        if after - before <= GAP_FRAMES:
            near[before:after] = True
    return near


def _spans(frames: Targets, track: PitchTrack) -> list[tuple[I64, int]]:
    """Return the voiced frames of each run of one note, and the note's number."""
    edges = np.flatnonzero(np.diff(frames)) + 1
    runs = np.split(np.arange(len(frames)), edges)
    return [(run[track.is_voiced[run]], int(frames[run[0]])) for run in runs if frames[run[0]] >= 0]


def _note(track: PitchTrack, span: I64, target: int) -> SungNote | None:
    """Return the note that is sung in a span without its glides; None if it is too short to be one."""
    if len(span) < MIN_NOTE_FRAMES:
        return None
    midi = track.midi[span]
    inner = np.flatnonzero(np.abs(midi - np.median(midi)) <= STEADY)
    span, midi = span[inner[0] : inner[-1] + 1], midi[inner[0] : inner[-1] + 1]
    if len(span) < MIN_NOTE_FRAMES:
        return None
    off = 100 * (midi - target)
    centre = float(np.median(off))
    start, end = _centre_line(span, off) if len(span) >= LINE_FRAMES else (centre, centre)
    reason = ""
    if float(track.periodicity[span].mean()) < SURE_PERIODICITY:
        reason = "pitch unsure"
    elif abs(centre) > MAX_OFF_CENTS:
        reason = f"further than {MAX_OFF_CENTS:.0f} cents"
    return SungNote(int(span[0]), int(span[-1]), target, start, end, centre, reason)


def _centre_line(span: I64, off: F64) -> tuple[float, float]:
    """Return both ends of the line through a note's cents, by least squares."""
    slope, height = np.polyfit(span - span[0], off, 1)
    return float(height), float(height + slope * (span[-1] - span[0]))
