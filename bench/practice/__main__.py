"""
Practice: takes with planted errors, judged against the truth.

Takes are folk tunes (`symbolic_melodies`, RECSYS_DATA) played by rendered instruments with a tempo curve of 8 %,
jitter of 25 ms, drift of 15 cents, out-of-tune notes, other keys and tunings, in rooms and noise
(`bench.practice.takes`). Thresholds were chosen on the half `tune`; `test` has other tunes, instruments and rooms. The
networks saw neither. R is the share of planted errors that are named, P the share of what is named that is planted;
notes left open count as not named. A note is late or early from 100 ms off the tempo curve on; naming one that is off
by 75 to 100 ms is no false claim. A quarter of the takes has no planted error: every claim on these is a false alarm.
Intervals of 95 % are Wilson's.
"""

from time import process_time
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, size
from bench.practice.score import KINDS, Counts
from bench.studio.ratios import wilson

if TYPE_CHECKING:
    from bench.practice.takes import Half, Take

SEED, N_NOTES = 5, 56
FIRST_OF_TEST = 100  # tune, so that the half `tune` has as many at most
LONG_S = 180.0


def takes_of(half: "Half", n: int) -> list[tuple["Take", bool]]:
    """Return takes of a half, and whether they are without planted errors."""
    from bench.practice.takes import make_take, passage
    from bench.tunes import folk_tunes

    first = FIRST_OF_TEST if half == "test" else 0
    made = []
    for number, tune in enumerate(folk_tunes(first + n)[first:]):
        rng = np.random.default_rng([SEED, number, int(half == "test")])
        is_clean = number % 4 == 3
        made.append((make_take(passage(tune, N_NOTES), half, rng, errors=0.0 if is_clean else 1.0), is_clean))
    return made


def voice_takes(n: int) -> list[tuple["Take", bool]]:
    """Return takes sung by eSpeak NG, and whether they are without planted errors."""
    from bench.practice.takes import make_voice_take, passage
    from bench.tunes import folk_tunes

    made = []
    for number, tune in enumerate(folk_tunes(FIRST_OF_TEST + n)[FIRST_OF_TEST:]):
        is_clean = number % 4 == 3
        rng = np.random.default_rng([SEED, number, 2])
        made.append((make_voice_take(passage(tune, N_NOTES), rng, errors=0.0 if is_clean else 1.0), is_clean))
    return made


def counted(takes: list[tuple["Take", bool]], *, by_kind: bool) -> Counts:
    """Judge takes and count."""
    from recsys.audio.pitch import RATE_HZ
    from recsys.audio.signal import resample
    from recsys.practice.take import judge_sound

    whole, kinds = Counts(), dict[str, Counts]()
    for take, is_clean in takes:
        judged, _, _ = judge_sound(resample(take.mono, take.rate_hz, RATE_HZ), take.melody)
        for counts in (whole, kinds.setdefault(take.kind, Counts())):
            counts.add(take, judged, is_clean=is_clean)
    if by_kind:
        for kind, counts in kinds.items():
            print(f"{kind}: {_ratios(counts)}; left open {counts.unsure} of {counts.notes}")
    return whole


def _ratios(counts: Counts) -> str:
    n = counts
    return ", ".join(f"{it} R {n.found[it]}/{n.planted[it]} P {n.true[it]}/{n.claimed[it]}" for it in KINDS)


def print_counts(name: str, counts: Counts) -> None:
    """Print the figures of a row."""
    print(f"{name}: {counts.notes} notes")
    for kind in KINDS:
        found = wilson(counts.found[kind], counts.planted[kind]) if counts.planted[kind] else "-"
        true = wilson(counts.true[kind], counts.claimed[kind]) if counts.claimed[kind] else "-"
        print(f"  {kind}: R {found} of {counts.planted[kind]}, P {true} of {counts.claimed[kind]}")
    if counts.clean_notes:
        print(f"  false alarms: {counts.alarms} of {counts.clean_notes} notes without errors")
    print(f"  left open: {counts.unsure / counts.notes:.3f} of the notes")
    print(f"  cents of steady notes: mean distance {np.mean(counts.cents):.1f}, median {np.median(counts.cents):.1f}")


def print_time(take: "Take") -> None:
    """Print the time for a take of three minutes: one take, repeated."""
    from dataclasses import replace

    from recsys.audio.pitch import RATE_HZ
    from recsys.audio.signal import resample
    from recsys.practice.take import judge_sound

    n_repeats = int(np.ceil(LONG_S * take.rate_hz / len(take.mono)))
    mono = resample(np.tile(take.mono, n_repeats), take.rate_hz, RATE_HZ)
    melody, steps = take.melody, np.arange(n_repeats)
    onset = np.concatenate([melody.onset + step * (melody.length + 2) for step in steps])
    long = replace(
        melody,
        onset=onset,
        duration=np.tile(melody.duration, n_repeats),
        pitch=np.tile(melody.pitch, n_repeats),
        bar=np.tile(melody.bar, n_repeats),
    )
    start_s = process_time()
    judge_sound(mono, long)
    print(f"a take of {len(mono) / RATE_HZ:.0f} s with {len(long)} notes: {process_time() - start_s:.1f} CPU-s")


@benchmark(headline=r"wrong: R ([\d.]+)")
@size("--takes", default=48, smallest=2, type=click.IntRange(2, FIRST_OF_TEST), help="Takes of instruments.")
@size("--voices", default=12, smallest=0, type=click.IntRange(0), help="Takes of eSpeak NG.")
@size(
    "--time/--no-time",
    "with_time",
    default=True,
    smallest=False,
    help="Also measure the time of a take of three minutes.",
)
@click.option(
    "--half", type=click.Choice(["tune", "test"]), default="test", show_default=True, help="Half of the takes."
)
@click.option("--by-kind", is_flag=True, help="Also print each instrument and voice.")
def main(takes: int, voices: int, with_time: bool, half: "Half", by_kind: bool) -> None:
    """Judge takes and print what was found."""
    made = takes_of(half, takes)
    print_counts(f"instruments, {half}", counted(made, by_kind=by_kind))
    if voices:
        print_counts("eSpeak NG", counted(voice_takes(voices), by_kind=by_kind))
    if with_time:
        print_time(made[0][0])


if __name__ == "__main__":
    main()
