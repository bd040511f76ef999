"""
Pitch correction: cents off a score before and after, formants, unvoiced sound, vibrato; and what is refused.

Takes are made up (`bench.studio.takes`): rendered instruments, and voices of eSpeak NG that sing, each note off by up
to 80 cents, with drift, vibrato and glides. All planned notes count, also those that the tool does not find. Pitch is
measured by a sum of harmonics in frames of 60 ms, which the tool does not use; formants are those of a linear
prediction over the middle of a note, beside what reading the take faster would do to them. Vibrato is the
standard deviation of the pitch about its line, after over before, in notes that have it. Refused should be: chords,
two voices at once, drums, noise, silence.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.options import benchmark, size
from recsys.arrays import F32, F64

if TYPE_CHECKING:
    from bench.studio.takes import Take

FRAME_S, HOP_S, N_FFT = 0.06, 0.02, 1 << 17
N_HARMONICS, REACH_CENTS = 6, 160
FORMANT_ORDER, N_FORMANTS = 24, 3
MIN_VIBRATO_CENTS = 12.0  # standard deviation from which a note counts as having vibrato
UNSEEN = 100  # seeds from here on were not used while the tool was written
CHORD = (0, 4, 7, 12)  # semitones above the root
N_DRAWS, SEED = 2_000, 5


class Note(NamedTuple):
    """Measures of one planned note; formants and vibrato are empty or NaN where there are none."""

    before: float
    after: float
    formants: list[float]
    vibrato: float


def frame_cents(mono: F32, rate_hz: int, start_s: float, end_s: float, midi: float) -> F64:
    """Return the pitch of each frame of a span, off a MIDI pitch [cents], by the largest sum of harmonics near it."""
    length, grid = round(FRAME_S * rate_hz), np.arange(-REACH_CENTS, REACH_CENTS + 1)
    f0_hz = 440 * 2 ** ((midi + grid / 100 - 69) / 12)
    found = []
    for start in range(round(start_s * rate_hz), round(end_s * rate_hz) - length, round(HOP_S * rate_hz)):
        spectrum = np.abs(np.fft.rfft(mono[start : start + length] * np.hanning(length), N_FFT))
        places = np.outer(np.arange(1, N_HARMONICS + 1), f0_hz) * N_FFT / rate_hz
        found.append(grid[np.interp(places, np.arange(len(spectrum)), spectrum).sum(axis=0).argmax()])
    return np.array(found, np.float64)


def formants_hz(mono: F32, rate_hz: int) -> list[float]:
    """Return the first formants of a vowel [Hz]: resonances of bandwidth below 500 Hz of a linear prediction."""
    from bench.studio.takes import linear_prediction

    emphasised = np.append(mono[0], mono[1:] - 0.97 * mono[:-1]).astype(np.float64)
    filter_, _ = linear_prediction(emphasised, FORMANT_ORDER)
    roots = np.roots(filter_)
    roots = roots[roots.imag > 0]
    frequencies, widths = np.angle(roots) * rate_hz / (2 * np.pi), -np.log(np.abs(roots)) * rate_hz / np.pi
    return sorted(frequencies[(widths < 500) & (frequencies > 200)])[:N_FORMANTS]


def measured(take: "Take", tuned: F32) -> Iterator[Note]:
    """Yield the measures of each planned note."""
    for note in take.notes:
        length_s = note.end_s - note.start_s
        start_s, end_s = note.start_s + 0.4 * length_s, note.end_s - 0.15 * length_s
        cents = [frame_cents(it, take.rate_hz, start_s, end_s, note.pitch) for it in (take.samples[0], tuned)]
        if not len(cents[0]):
            continue
        part = slice(round(start_s * take.rate_hz), round(end_s * take.rate_hz))
        moved = _moved(take, tuned, part) if take.kind == "voice" else []
        deviations = [_about_line(it) for it in cents]
        has_vibrato = len(cents[0]) > 12 and deviations[0] >= MIN_VIBRATO_CENTS
        vibrato = deviations[1] / deviations[0] if has_vibrato else np.nan
        yield Note(float(np.median(cents[0])), float(np.median(cents[1])), moved, vibrato)


def _moved(take: "Take", tuned: F32, part: slice) -> list[float]:
    """Return by how much each formant moved, as a share of its frequency."""
    old, new = (formants_hz(it[part], take.rate_hz) for it in (take.samples[0], tuned))
    return [abs(after / before - 1) for before, after in zip(old, new, strict=False)]


def _about_line(cents: F64) -> float:
    times = np.arange(len(cents))
    return float(np.std(cents - np.polyval(np.polyfit(times, cents, 1), times))) if len(cents) > 2 else 0.0


def interval(values: list[float]) -> str:
    """Return a median with its interval of 95 %, bootstrapped over notes."""
    array = np.array(values)
    draws = np.random.default_rng(SEED).integers(len(array), size=(N_DRAWS, len(array)))
    low, high = np.percentile(np.median(array[draws], axis=1), (2.5, 97.5))
    return f"{np.median(array):.1f} ({low:.1f} to {high:.1f})"


def print_takes(kind: str, takes: list["Take"], target: str) -> list[float]:
    """Correct takes and print their figures; return the notes' distance after."""
    from recsys.errors import InputError
    from recsys.studio.voice.scores import read_target
    from recsys.studio.voice.tune import Limits, tune

    notes: list[Note] = []
    n_refused = n_unvoiced = n_changed = 0
    for take in takes:
        goal = take.score if target == "score" else read_target(None, take.key)
        try:
            tuned = tune(take.samples, take.rate_hz, goal, Limits()).samples
        except InputError:
            n_refused += 1
            tuned = take.samples
        notes += measured(take, tuned[0])
        n_unvoiced += int(take.is_unvoiced.sum())
        n_changed += int((tuned != take.samples)[0][take.is_unvoiced].sum())
    before, after = [abs(note.before) for note in notes], [abs(note.after) for note in notes]
    near, tail = np.mean(np.array(after) <= 10), np.percentile(after, 90)
    counts, medians = f"{len(takes):>5} {len(notes):>6}", f"{interval(before):<22} {interval(after):<20}"
    print(f"{kind + ', ' + target:<20} {counts}  {medians} {tail:>7.1f} {near:>6.0%} {n_refused:>8}", flush=True)
    vibrato = [note.vibrato for note in notes if not np.isnan(note.vibrato)]
    extras = [f"vibrato kept {np.median(vibrato):.2f} (n = {len(vibrato)})"] if vibrato else []
    if moved := [share for note in notes for share in note.formants]:
        shift = [2 ** (abs(note.after - note.before) / 1200) - 1 for note in notes]
        extras += [f"formants moved {np.median(moved):.2%} (90th percentile {np.percentile(moved, 90):.2%})"]
        extras += [f"by speed they would be by {np.median(shift):.2%}"]
    if n_unvoiced:
        extras += [f"unvoiced samples changed {n_changed / n_unvoiced:.2%} of {n_unvoiced:,}"]
    print(f"    {'; '.join(extras)}", flush=True)
    return after


def mixtures(n: int) -> Iterator[tuple[str, F32, int]]:
    """Yield what is not one voice: its kind, samples of shape (1, n) and sampling rate."""
    from bench.studio.takes import instrument_take, played_alone, voice_take
    from recsys.synth.arrange import Event

    rate_hz = 44_100
    for seed in range(UNSEEN, UNSEEN + n):
        rng = np.random.default_rng([17, seed])
        one, other = voice_take(seed, 10), voice_take(seed + 3, 10)
        length = min(one.samples.shape[1], other.samples.shape[1])
        yield "two voices", one.samples[:, :length] + other.samples[:, :length], one.rate_hz
        program = (0, 19, 48, 24, 52)[seed % 5]
        roots = [int(root) for root in rng.integers(48, 66, 8)]
        chords = [Event(i * 0.8, i * 0.8 + 0.75, 0, root + step, 90) for i, root in enumerate(roots) for step in CHORD]
        yield "chords", _mono(played_alone(tuple(chords), program, rate_hz)), rate_hz
        drums = [Event(i * 0.25, i * 0.25 + 0.1, 9, int(rng.choice([36, 38, 42])), 100) for i in range(32)]
        yield "drums", _mono(played_alone(tuple(drums), 0, rate_hz)), rate_hz
        noise = rng.standard_normal(6 * rate_hz)
        coloured = np.cumsum(noise) if seed % 2 else noise
        yield "noise", (0.1 * coloured / np.abs(coloured).max()).astype(np.float32)[None], rate_hz
        take = instrument_take(seed, 10)
        yield "one instrument", take.samples, take.rate_hz
        yield "one voice", one.samples, one.rate_hz
    yield "silence", np.zeros((1, rate_hz), np.float32), rate_hz


def _mono(samples: F32) -> F32:
    return np.asarray(samples.mean(axis=0, keepdims=True), np.float32)


def print_refused(n: int) -> None:
    """Print how many of each kind are refused with a key as the target."""
    from recsys.errors import InputError
    from recsys.studio.voice.scores import read_target
    from recsys.studio.voice.tune import Limits, tune

    results: dict[str, list[float | None]] = {}  # share of notes left alone; None if refused
    for kind, samples, rate_hz in mixtures(n):
        try:
            notes = tune(samples, rate_hz, read_target(None, "C"), Limits()).notes
            share = float(np.mean([bool(note.left_alone) for note in notes])) if notes else 1.0
        except InputError:
            share = None
        results.setdefault(kind, []).append(share)
    for kind, shares in results.items():
        others = [share for share in shares if share is not None]
        text = f"; notes left alone in the others {np.mean(others):.0%}" if others else ""
        print(f"{kind:<16} {len(shares) - len(others)} of {len(shares)} refused{text}")


@benchmark(headline=r"all notes, score: (\d+\.\d) cents after")
@size("--takes", "n_takes", default=24, smallest=1, help="Takes per kind.")
@size("--notes", "n_notes", default=20, smallest=6, help="Notes per take.")
@size("--mixtures", "n_mixtures", default=10, smallest=1, help="Of each kind that is no single voice.")
def main(n_takes: int, n_notes: int, n_mixtures: int) -> None:
    """Print the figures of takes by kind, then what is refused."""
    from bench.studio.takes import instrument_take, voice_take

    print(f"{'takes, target':<20} takes  notes  cents off before        cents off after      90th pc   <=10  refused")
    seeds = range(UNSEEN, UNSEEN + n_takes)
    takes = {
        "voice": [voice_take(seed, n_notes) for seed in seeds],
        "instrument": [instrument_take(seed, n_notes) for seed in seeds],
    }
    after = [cents for kind, of_kind in takes.items() for cents in print_takes(kind, of_kind, "score")]
    print(f"all notes, score: {np.median(after):.1f} cents after")
    for kind, of_kind in takes.items():
        print_takes(kind, of_kind, "key")
    print_refused(n_mixtures)


if __name__ == "__main__":
    main()
