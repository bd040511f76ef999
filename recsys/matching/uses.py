"""
A query of any length to its cue sheet: which recordings are used in it, from when to when.

Windows of ten seconds, each half over the last, are answered one by one, what is shorter than fourteen in one; several
recordings may lie in a window. Windows whose alignments go on from each other are one use. Its line (where in the
recording each moment of the query lies) is then followed to both sides for as long as the two sound alike. A recording
that repeats itself is reported at the earliest place that fits as well.

What is left to chance: one window in a hundred, or in a thousand, of music that is in no index lies above the cuts of
the calibration. A query of one window is held against the first; a longer one has many windows, so that one of them has
to lie above the second, or two without a second in common, that go on from each other, above the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from recsys.arrays import F32, F64, Bool
from recsys.audio.fingerprint.fingerprinter import APART_S, FIRST_S, INDEX_STEP
from recsys.matching.alignment import Alignment, Calibration, MatchClassifier, answers, mean_along
from recsys.matching.fingerprint_index import FingerprintIndex

WINDOW, HOP = 36, 18  # vectors: ten seconds, and half of it
MOST_AT_ONCE = 4  # recordings that are looked for in a window
LONGEST_PAUSE = 4  # silent vectors that a window may hold
HELD = 0.9  # length of the mean vector from which a window is one held tone, and names nobody; music has .4 to .8
SAME_LINE_S = 1.0  # so far apart two alignments of one use may be
NEARLY = 0.05  # of score that a window may lose by going on along a use's line
MOST_BETWEEN = 4  # windows that a use may pass over, such as speech above it
N_FOR_SLOPE = 4  # windows from which on a use's tempo is read off where they lie, not off each
SMOOTHED, MOST_UNLIKE = 5, 10  # vectors
ALIKE = 0.5  # share of a use's score below which it is over
N_SCANNED, STEP_S = 128, 0.128  # vectors of a use that are laid along all of a recording, and how finely
AS_WELL = 0.93  # share of the best score from which on another place fits as well
APART_PLACES_S = 2.0


@dataclass(frozen=True)
class Use:
    """
    A recording used in a query.

    Attributes:
        audio_id: The recording.
        starts_s, ends_s: In the query [s].
        reference_starts_s, reference_ends_s: In the recording [s].
        tempo_ratio: How much faster than the recording it is played; 1.05 for 5 %.
        probability: How sure it is, by its surest window, 0..1.
        is_strict: Whether it passes the cut that .1 % of strange windows pass, else that of 1 %.
        n_places: Places of the recording that fit as well; above 1 the earliest is told.
        score: Mean cosine along the use, -1..1.
    """

    audio_id: str
    starts_s: float
    ends_s: float
    reference_starts_s: float
    reference_ends_s: float
    tempo_ratio: float
    probability: float
    is_strict: bool
    n_places: int
    score: float


@dataclass(frozen=True)
class TimeAlignment:
    """Where a query lies on a recording: what sounds at t in the one sounds at begins_s + ratio * t in the other."""

    begins_s: float
    ratio: float

    def at(self, query_s: float) -> float:
        """Return the moment of the recording [s]."""
        return self.begins_s + self.ratio * query_s


@dataclass(frozen=True)
class WindowMatch:
    """An alignment that a window was judged to have: its first vector, how many, how sure, and past which cuts."""

    first: int
    n: int
    alignment: Alignment
    probability: float
    is_strict: bool

    @property
    def middle_s(self) -> float:
        """The middle of the window in the query [s]."""
        return (self.first + self.n / 2) * APART_S

    @property
    def line(self) -> TimeAlignment:
        """The alignment, seen from the beginning of the query."""
        ratio = self.alignment.ratio
        return TimeAlignment(self.alignment.offset_s - ratio * self.first * APART_S, ratio)


@dataclass
class OpenMatch:
    """A use while its windows are gathered."""

    hits: list[WindowMatch] = field(default_factory=list)

    @property
    def line(self) -> TimeAlignment:
        """The line of all windows: their tempo where they are few, the slope through them where they are many."""
        query_s = np.array([hit.middle_s for hit in self.hits])
        reference_s = np.array([hit.line.at(hit.middle_s) for hit in self.hits])
        if len(self.hits) >= N_FOR_SLOPE:
            ratio = float(np.polyfit(query_s, reference_s, 1)[0])
        else:
            ratio = float(np.mean([hit.alignment.ratio for hit in self.hits]))
        return TimeAlignment(float(np.mean(reference_s - ratio * query_s)), ratio)

    @property
    def is_strict(self) -> bool:
        """Whether it passes the cut of .1 % in one window, or that of 1 % in two that have no second in common."""
        return any(hit.is_strict for hit in self.hits) or self.hits[-1].first - self.hits[0].first >= WINDOW


def uses(prints: FingerprintIndex, query: F32, calibration: Calibration) -> list[Use]:
    """
    Find every use of recordings of the index in a query.

    Args:
        prints: The index.
        query: Vectors of the query, a quarter of a second apart, shape (n, 128); zeros where it is silent.
        calibration: Judges windows.

    Returns:
        Uses, the earliest first; several at one time where several recordings sound, or one is in the index twice.
    """
    windows = list(_windows(query))
    drafts: dict[str, list[OpenMatch]] = {}
    for first, n in windows:
        judge = calibration.judge(n * APART_S + FIRST_S)
        for hit in _hits(prints, query[first : first + n], first, judge):
            _join(drafts.setdefault(hit.alignment.track_id, []), hit, prints, query)
    sure = [[draft for draft in each if draft.is_strict or len(windows) == 1] for each in drafts.values()]
    found = [use for each in sure for use in _apart([_use(prints, query, draft) for draft in each])]
    return sorted(found, key=lambda use: (use.starts_s, -use.probability, use.audio_id))


def _apart(found: list[Use]) -> list[Use]:
    """Leave out uses of a recording during a longer use of it: it repeats itself."""
    kept: list[Use] = []
    for use in sorted(found, key=lambda use: use.starts_s - use.ends_s):
        shared_s = (min(use.ends_s, other.ends_s) - max(use.starts_s, other.starts_s) for other in kept)
        if max(shared_s, default=0.0) < (use.ends_s - use.starts_s) / 2:
            kept.append(use)
    return kept


def _windows(query: F32) -> Iterator[tuple[int, int]]:
    """Yield first vector and length of windows of each stretch of sound; its last one ends with it."""
    sounding = np.flatnonzero(query.any(axis=1))
    for stretch in np.split(sounding, np.flatnonzero(np.diff(sounding) > LONGEST_PAUSE) + 1):
        if len(stretch):
            first, end = int(stretch[0]), int(stretch[-1]) + 1
            if end - first < WINDOW + HOP:
                yield first, end - first
            else:
                yield from ((at, WINDOW) for at in range(first, end - WINDOW, HOP))
                yield end - WINDOW, WINDOW


def _hits(prints: FingerprintIndex, window: F32, first: int, judge: MatchClassifier) -> Iterator[WindowMatch]:
    """Yield recordings as long as they are likely; each next one is judged as if those before were not in the index."""
    if float(np.linalg.norm(window.mean(axis=0))) > HELD:
        return
    for found, _ in zip(answers(prints, window), range(MOST_AT_ONCE), strict=False):
        probability = float(judge.probability(found.evidence))
        if probability <= judge.at_1_percent:
            return
        yield WindowMatch(first, len(window), found.alignments[0], probability, probability > judge.at_01_percent)


def _join(drafts: list[OpenMatch], hit: WindowMatch, prints: FingerprintIndex, query: F32) -> None:
    """Let a window go on with a use on whose line it lies, or lies nearly as well as at its best."""
    for draft in reversed(drafts):
        if hit.first - draft.hits[-1].first > MOST_BETWEEN * HOP:
            continue
        line, own = draft.line, hit.line.at(hit.middle_s)
        if abs(line.at(hit.middle_s) - own) <= SAME_LINE_S:
            draft.hits.append(hit)
            return
        cosines = along(prints, query[hit.first : hit.first + hit.n], hit.alignment.track_id, line, hit.first)
        if float(np.nan_to_num(cosines).mean()) >= hit.alignment.score - NEARLY:
            moved = Alignment(
                hit.alignment.track_id, line.at(hit.first * APART_S), line.ratio, hit.alignment.score, hit.n
            )
            draft.hits.append(WindowMatch(hit.first, hit.n, moved, hit.probability, hit.is_strict))
            return
    drafts.append(OpenMatch([hit]))


def along(prints: FingerprintIndex, query: F32, audio_id: str, line: TimeAlignment, first: int = 0) -> F64:
    """
    Return the cosine of each vector of a query with the recording where a line has it.

    Args:
        prints: The index.
        query: Vectors a quarter of a second apart, shape (n, 128).
        audio_id: The recording.
        line: Where it lies.
        first: Which vector of the query that the line speaks of is the first here.

    Returns:
        Shape (n,); nan beside the recording.
    """
    rows = prints.rows_of(audio_id)
    query_s = APART_S * (first + np.arange(len(query)))
    places = (line.begins_s + line.ratio * query_s) / (INDEX_STEP * APART_S)
    is_on = (places >= -1) & (places <= len(rows))
    cosines = np.full(len(query), np.nan)
    if is_on.any():
        places = np.clip(places[is_on], 0, len(rows) - 1)
        left = np.minimum(places.astype(np.int64), max(len(rows) - 2, 0))
        low, high = int(left.min()), min(int(left.max()) + 2, len(rows))
        vectors = prints.vectors(rows.start + low, rows.start + high)
        right = np.minimum(left + 1, len(rows) - 1)
        share = (places - left)[:, None]
        cosines[is_on] = (query[is_on] * (vectors[left - low] * (1 - share) + vectors[right - low] * share)).sum(axis=1)
    return cosines


def _use(prints: FingerprintIndex, query: F32, draft: OpenMatch) -> Use:
    """Follow a use's line to where it ends, and look where else in the recording it fits."""
    line, audio_id = draft.line, draft.hits[0].alignment.track_id
    begin, end, score = _extent(along(prints, query, audio_id, line), draft)
    line, n_places = _earliest(prints, query[begin : min(end, begin + N_SCANNED)], audio_id, line, begin)
    starts_s = begin * APART_S if begin == 0 else (begin - 0.5) * APART_S + FIRST_S
    ends_s = (end - 1) * APART_S + (2 * FIRST_S if end == len(query) else FIRST_S + APART_S / 2)
    surest = max(hit.probability for hit in draft.hits)
    return Use(
        audio_id=audio_id,
        starts_s=starts_s,
        ends_s=ends_s,
        reference_starts_s=max(0.0, line.at(starts_s)),
        reference_ends_s=line.at(ends_s),
        tempo_ratio=line.ratio,
        probability=surest,
        is_strict=draft.is_strict,
        n_places=n_places,
        score=score,
    )


def _extent(cosines: F64, draft: OpenMatch) -> tuple[int, int, float]:
    """Return first vector, one past the last, and mean cosine of the stretch about the windows that is alike."""
    known = np.nan_to_num(cosines)
    around = np.ones(SMOOTHED)
    smooth = np.convolve(known, around, "same") / np.convolve(np.ones(len(known)), around, "same")
    core = np.concatenate([np.arange(hit.first, hit.first + hit.n) for hit in draft.hits])
    least = ALIKE * float(np.median(smooth[core]))
    is_alike = (smooth >= least) & ~np.isnan(cosines)
    inside = core[is_alike[core]]
    begin, end = (int(inside.min()), int(inside.max()) + 1) if len(inside) else (int(core.min()), int(core.max()) + 1)
    begin -= _followed(is_alike[:begin][::-1])
    end += _followed(is_alike[end:])
    return begin, end, float(known[begin:end].mean())


def _followed(is_alike: Bool) -> int:
    """Return after how many vectors the likeness is over; a few unlike ones are passed over."""
    alike = np.flatnonzero(is_alike)
    too_wide = np.flatnonzero(np.diff(np.r_[-1, alike]) > MOST_UNLIKE)
    kept = alike[: too_wide[0]] if len(too_wide) else alike
    return int(kept[-1]) + 1 if len(kept) else 0


def _earliest(
    prints: FingerprintIndex, part: F32, audio_id: str, line: TimeAlignment, first: int
) -> tuple[TimeAlignment, int]:
    """Lay a use along all of its recording; return the earliest line that fits as well, and how many there are."""
    rows = prints.rows_of(audio_id)
    own_s = line.at(first * APART_S)
    longest_s = len(rows) * INDEX_STEP * APART_S - line.ratio * APART_S * (len(part) - 1)
    begins = np.r_[own_s, np.arange(0.0, max(longest_s, 0.0), STEP_S)]
    likeness = part @ prints.vectors(rows.start, rows.stop).T
    scores = mean_along(likeness, np.full(len(begins), line.ratio), begins, 0)
    places = [own_s]
    for at in np.argsort(-scores, kind="stable"):
        if scores[at] < AS_WELL * scores[0]:
            break
        if all(abs(begins[at] - place) >= APART_PLACES_S for place in places):
            places.append(float(begins[at]))
    return TimeAlignment(line.begins_s + min(places) - own_s, line.ratio), len(places)
