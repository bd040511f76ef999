"""
Covers: tunes are rendered in several versions, and each version is searched among all by its chromagram.

The versions of a tune differ in key, instruments, accompaniment and up to 20 % in tempo; all last 30 seconds at most.
Others are versions of further tunes, in turn: the test part has 1,338 tunes, so some of 2,000 have two.
Tunes and instruments are those of the test part of `bench.audio.rendered`; the settings were chosen on 40 tunes in 3
versions and 200 others of its training part, of collections in the public domain. Mean average precision counts every
version as a query, and versions that are not aligned as not found. A stranger is a recording of another tune: an alarm
passes the shipped point of 1 %. Notes are the tune itself, melody and chords, searched among the same recordings.
Intervals of 95 % are Wilson's.
"""

from itertools import chain, cycle, islice
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from bench.options import benchmark, size
from bench.studio.ratios import wilson
from bench.tunes import average_precision

if TYPE_CHECKING:
    from recsys.arrays import F32
    from recsys.matching.tunes.sound import SoundIndex
    from recsys.synth.arrange import Style
    from recsys.synth.tune import Tune

SEED, N_VERSIONS, LONGEST_S, RATE_HZ = 17, 3, 30.0, 16_000


def chromagram(tune: "Tune", style: "Style", rng: np.random.Generator) -> "F32":
    """Render a version of a tune, and return its chromagram as a scan stores it."""
    from recsys.audio.features.chromagram import chromagram_of, chromagram_text
    from recsys.audio.features.harmony import profiles
    from recsys.audio.features.tonality import find_peaks, salience, tuning_cents
    from recsys.audio.spectrum import long_frames
    from recsys.synth.arrange import arrange
    from recsys.synth.render import render

    arrangement = arrange(tune, style, rng, longest_s=LONGEST_S)
    frames = long_frames(render(arrangement, rate_hz=RATE_HZ, longest_s=LONGEST_S).mean(axis=0))
    peaks = find_peaks(frames)
    heard = profiles(salience(peaks, tuning_cents(peaks)), np.square(frames).mean(axis=1))
    return chromagram_of(chromagram_text(heard))


def versions(n_tunes: int, n_others: int) -> "tuple[list[Tune], list[int], list[F32]]":
    """Return tunes, and the number of the tune and the chromagram of each version."""
    from bench.audio.rendered import pieces
    from recsys.synth.arrange import Style

    rng = np.random.default_rng(SEED)
    drawn = {piece.tune.name: piece for piece in pieces("test", 3 * (n_tunes + n_others), balanced_modes=False)}
    chosen = list(drawn.values())[: n_tunes + n_others]
    others = islice(cycle(range(n_tunes, len(chosen))), n_others)
    styles: dict[int, Style] = {}
    labels, chromagrams = [], []
    for number in chain(*([number] * N_VERSIONS for number in range(n_tunes)), others):
        piece = chosen[number]
        style = styles[number].for_cover(rng) if number in styles else Style.random(rng, programs=piece.programs)
        styles.setdefault(number, style)
        labels.append(number)
        chromagrams.append(chromagram(piece.tune, style, rng))
    return [piece.tune for piece in chosen[:n_tunes]], labels, chromagrams


def measure_covers(index: "SoundIndex", labels: list[int], chromagrams: "list[F32]", n_tunes: int) -> str:
    """Query each version of the first tunes; return mean average precision, false alarms, found relatives and time."""
    from recsys.matching.tunes.sound import USUAL

    precisions, alarms, passed, times = [], 0, [], []
    queries = [place for place, label in enumerate(labels) if label < n_tunes]
    for place in queries:
        start = process_time()
        found = [match for match in index.search(chromagrams[place]) if match.row != place]
        times.append(process_time() - start)
        is_relative = [labels[match.row] == labels[place] for match in found]
        precisions.append(average_precision(is_relative, N_VERSIONS - 1))
        points = [match.expected <= USUAL for match in found]
        alarms += any(point and not own for point, own in zip(points, is_relative, strict=True))
        passed.append(sum(point and own for point, own in zip(points, is_relative, strict=True)))
    n_pairs = len(queries) * (N_VERSIONS - 1)
    return (
        f"mAP {np.mean(precisions):.3f} ({len(queries)} queries, {len(labels) - N_VERSIONS:,} strangers); at 1 %: "
        f"covers found {wilson(sum(passed), n_pairs)}, false alarms {wilson(alarms, len(queries))}; "
        f"a query: median {np.median(times):.2f} s CPU"
    )


def measure_notes(index: "SoundIndex", labels: list[int], tunes: "list[Tune]") -> str:
    """Search the notes of each tune; return how often a version of it is found first, and false alarms."""
    from recsys.matching.tunes.melody import melody_of
    from recsys.matching.tunes.sound import TEMPOS_OF_NOTES, USUAL, chromagram_of_notes

    first, alarms = 0, 0
    for number, tune in enumerate(tunes):
        found = index.search(chromagram_of_notes(melody_of(tune)), TEMPOS_OF_NOTES)
        first += labels[found[0].row] == number
        alarms += any(match.expected <= USUAL and labels[match.row] != number for match in found)
    return f"first {wilson(first, len(tunes))}, false alarms at 1 % {wilson(alarms, len(tunes))}, {len(tunes)} tunes"


@benchmark(headline=r"covers: mAP ([\d.]+)")
@size("--tunes", "n_tunes", default=80, smallest=2, help="Tunes with three versions.")
@size("--others", "n_others", default=2_000, smallest=10, help="Versions of other tunes.")
def main(n_tunes: int, n_others: int) -> None:
    """Measure and print."""
    from recsys.matching.tunes.sound import SoundIndex

    tunes, labels, chromagrams = versions(n_tunes, n_others)
    index = SoundIndex.of(chromagrams)
    index.search(chromagrams[0])  # arranges the index
    print("covers:", measure_covers(index, labels, chromagrams, n_tunes), flush=True)
    print("notes against sound:", measure_notes(index, labels, tunes))


if __name__ == "__main__":
    main()
