"""
Hummed and played queries: takes of folk tunes are rendered with a singer's errors and searched among all tunes.

A take is a passage of a tune, from a bar in its first half on, in another key and tempo, hummed (voices and whistles of
the soundfont) or played. Notes are missing or wrong, octaves are missed, onsets are early or late; the tempo drifts;
the tuning is up to 40 cents off, drifts by up to 60 cents, and every note is off by itself; voices have vibrato. Pink
noise is added. Tunes are drawn from Essen, Aird, O'Neill, Ryan and Nottingham; settings were chosen on takes of other
tunes. A query whose tune is among the first ten counts as found, a query that is refused does not. For false alarms,
the take's own tune is left out, but tunes of its family are not. Intervals of 95 % are Wilson's.
"""

from time import process_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.options import benchmark, size
from bench.studio.ratios import wilson
from bench.tunes import folk_tunes

if TYPE_CHECKING:
    from recsys.arrays import F32, F64
    from recsys.matching.tunes.index import Resemblance, TuneIndex
    from recsys.matching.tunes.melody import Melody

HUMMED, PLAYED = (52, 53, 54, 78), (0, 24, 40, 56, 65, 71, 73, 74)  # MIDI programs
MEDIANS = (55, 74)  # range of the median pitch
TEMPO_BPM, LARGEST_DRIFT = (70, 140), 0.08
MISSING, WRONG, OCTAVE = 0.04, 0.04, 0.03  # shares of the notes
ONSET_S, NOTE_CENTS, OFF_CENTS, DRIFT_CENTS, VIBRATO_CENTS = 0.03, 15.0, 40.0, 60.0, 25.0
SNR_DB = (10, 25)
LEAST_LEFT = 16  # notes of a tune from the beginning of a take on, where it has so many
SEED, FIRST = 11, 10
RATE_HZ = 16_000


class Take(NamedTuple):
    """A take: row of its tune, whether it is hummed, samples at 16 kHz."""

    row: int
    is_hummed: bool
    mono: "F32"


class Outcome(NamedTuple):
    """Whether a take was hummed, the rank of its tune, what is expected of the best other tune, CPU time [s]."""

    is_hummed: bool
    rank: float
    expected: float
    cpu_s: float


def take_of(row: int, melody: "Melody", rng: np.random.Generator, longest_s: float) -> Take:
    """Render a take of a melody."""
    from recsys.synth.arrange import Arrangement, Event, Style
    from recsys.synth.render import render

    is_hummed = bool(rng.random() < 0.5)
    program = int(rng.choice(HUMMED if is_hummed else PLAYED))
    onset_s, end_s, pitch = _performed(melody, rng, longest_s)
    loud = rng.integers(70, 110, len(pitch)).tolist()
    events = [Event(*note) for note in zip(onset_s, end_s, [0] * len(pitch), pitch, loud, strict=True)]
    arrangement = Arrangement(tuple(events), {0: program}, Style.random(rng), 120.0, 0, False)
    mono = render(arrangement, rate_hz=RATE_HZ, longest_s=longest_s + 2).mean(axis=0)
    return Take(row, is_hummed, _noisy(_detuned(mono, onset_s, is_hummed, rng), rng))


def _performed(
    melody: "Melody", rng: np.random.Generator, longest_s: float
) -> tuple[list[float], list[float], list[int]]:
    """Return onsets, ends [s] and pitches of a passage with errors."""
    is_early = (melody.onset <= melody.length / 2) & (np.arange(len(melody), 0, -1) >= LEAST_LEFT)
    bars = np.unique(melody.bar[is_early]) if is_early.any() else melody.bar[:1]
    first = int(np.flatnonzero(melody.bar == rng.choice(bars))[0])
    quarter_s = 60 / rng.uniform(*TEMPO_BPM)
    drift = rng.uniform(-LARGEST_DRIFT, LARGEST_DRIFT)
    start_s = (melody.onset[first:] - melody.onset[first]) * quarter_s
    start_s = start_s * (1 + drift * start_s / longest_s)
    kept = np.flatnonzero((start_s < longest_s) & (rng.random(len(start_s)) >= MISSING))
    pitch = melody.pitch[first:][kept] + round(rng.uniform(*MEDIANS) - float(np.median(melody.pitch)))
    errors = rng.random(len(kept))
    pitch = pitch + np.where(errors < WRONG, rng.choice([-2, -1, 1, 2], len(kept)), 0)
    pitch = pitch + np.where(errors > 1 - OCTAVE, rng.choice([-12, 12], len(kept)), 0)
    onset_s = np.maximum.accumulate(np.maximum(start_s[kept] + rng.normal(0, ONSET_S, len(kept)), 0))
    length_s = np.maximum(melody.duration[first:][kept] * quarter_s * rng.uniform(0.7, 1.0, len(kept)), 0.05)
    end_s = np.minimum(onset_s + length_s, np.append(onset_s[1:], np.inf))
    sounds = end_s > onset_s + 0.02
    return onset_s[sounds].tolist(), end_s[sounds].tolist(), np.clip(pitch[sounds], 30, 100).tolist()


def _detuned(mono: "F32", onset_s: list[float], is_hummed: bool, rng: np.random.Generator) -> "F64":
    """Play a take at a speed that varies, so that its tuning is off, drifts, and differs from note to note."""
    time_s = np.arange(len(mono)) / RATE_HZ
    own = rng.normal(0, NOTE_CENTS, len(onset_s) + 1)[np.searchsorted(onset_s, time_s)]
    drift = rng.uniform(-DRIFT_CENTS, DRIFT_CENTS) * time_s / time_s[-1]
    vibrato = is_hummed * VIBRATO_CENTS * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time_s)
    speed = 2 ** ((rng.uniform(-OFF_CENTS, OFF_CENTS) + drift + own + vibrato) / 1200)
    return np.interp(np.cumsum(speed) / RATE_HZ, time_s, mono)


def _noisy(mono: "F64", rng: np.random.Generator) -> "F32":
    """Add pink noise."""
    n = len(mono)
    spectrum = np.fft.rfft(rng.normal(size=n)) / np.sqrt(np.arange(1, n // 2 + 2))
    noise = np.fft.irfft(spectrum, n)
    gain = 10 ** (-rng.uniform(*SNR_DB) / 20) * np.sqrt(np.square(mono).mean() / np.square(noise).mean())
    return np.asarray(mono + gain * noise, np.float32)


def outcome_of(index: "TuneIndex", take: Take) -> Outcome:
    """Search a take."""
    from recsys.errors import InputError
    from recsys.matching.tunes.reading import why_not
    from recsys.matching.tunes.take import melody_of_take

    found: list[Resemblance] = []
    start_s = process_time()
    try:
        melody = melody_of_take(take.mono, "take")
    except InputError:
        melody = None
    if melody is not None and why_not(melody) is None:
        found = index.search(melody)
    used_s = process_time() - start_s
    ranks = [place for place, it in enumerate(found, start=1) if it.row == take.row]
    others = [it.expected for it in found if it.row != take.row]
    return Outcome(take.is_hummed, ranks[0] if ranks else np.inf, min(others, default=np.inf), used_s)


def _found(outcomes: list[Outcome]) -> str:
    n_found = sum(it.rank <= FIRST for it in outcomes)
    n_first = sum(it.rank == 1 for it in outcomes)
    n = len(outcomes)
    return f"top-10 {wilson(n_found, n)}, top-1 {wilson(n_first, n)}, {n} takes" if n else "no take"


@benchmark(headline=r"hummed or played: top-10 ([\d.]+)")
@size("--takes", "n_takes", default=120, smallest=2, help="Takes.")
@size("--tunes", "n_tunes", default=5_000, smallest=40, help="Tunes that are searched.")
@size("--length", "longest_s", default=15.0, smallest=6.0, help="Length of a take [s].")
def main(n_takes: int, n_tunes: int, longest_s: float) -> None:
    """Measure and print."""
    from recsys.matching.tunes.index import TuneIndex
    from recsys.matching.tunes.melody import without_repeats
    from recsys.matching.tunes.significance import USUAL

    tunes = folk_tunes(n_tunes)
    index = TuneIndex.of([without_repeats(tune) for tune in tunes])
    index.search(index.melodies[0], 1)  # arranges the index
    rng = np.random.default_rng(SEED)
    rows = rng.permutation(len(tunes))[:n_takes].tolist()
    outcomes = [outcome_of(index, take_of(row, tunes[row], rng, longest_s)) for row in rows]
    print(f"hummed or played: {_found(outcomes)} of {longest_s:g} s among {len(tunes):,} tunes")
    print("hummed:", _found([it for it in outcomes if it.is_hummed]))
    print("played:", _found([it for it in outcomes if not it.is_hummed]))
    alarms = sum(it.expected <= USUAL for it in outcomes)
    print(f"false alarms at 1 %: {wilson(alarms, len(outcomes))}")
    print(f"a query: median {np.median([it.cpu_s for it in outcomes]):.2f} s CPU")


if __name__ == "__main__":
    main()
