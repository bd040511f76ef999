"""
Tunes: families of MTC-ANN, versions of POP909 songs among folk tunes, false alarms, and the time of a query.

Data are those of `symbolic_melodies` (RECSYS_DATA). Settings were chosen on folk tunes with equal titles (Essen,
Aird, O'Neill, Ryan), and the operating points on excerpts of POP909 songs among Aird, O'Neill and Ryan; MTC-ANN is for
this test alone. Each of its 360 melodies queries the other 359, alone and among folk tunes; mean average precision
counts a relative beyond the first 500 as not found. A version of a POP909 song should find the song's main melody
first. For false alarms, the best melody of no or another family counts, which may still be a relative that nobody has
annotated, such as a Dutch song of the Essen collection: an alarm passes the shipped point of 1 %. Intervals of 95 % are
Wilson's.
"""

from collections.abc import Sequence
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from bench.options import benchmark, data_folder, size
from bench.studio.ratios import wilson
from recsys.matching.tunes.index import TuneIndex
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.matching.tunes.reading import why_not
from recsys.matching.tunes.significance import USUAL

if TYPE_CHECKING:
    import polars as pl

FOLK = ("music21_folk_abc.parquet", "nottingham_abc.parquet")
DEPTH, LARGE, SEED = 500, 20_000, 7


def folk_tunes(n: int) -> list[Melody]:
    """Read n folk tunes that can be compared, drawn at random."""
    import polars as pl

    from recsys.synth.abc import read_abc_tolerantly

    folder = data_folder() / "symbolic_melodies"
    rows = [row for file in FOLK for row in pl.read_parquet(folder / file).select("file", "x", "abc").rows()]
    found: list[Melody] = []
    for place in np.random.default_rng(SEED).permutation(len(rows)):
        file, number, abc = rows[place]
        melody = melody_of(read_abc_tolerantly(abc, f"{file}/{number}"))
        found += [melody] if why_not(melody) is None else []
        if len(found) == n:
            break
    return found


def families(n: int) -> tuple[list[Melody], list[str]]:
    """Read n melodies of MTC-ANN, and the family of each."""
    import polars as pl

    folder = data_folder() / "symbolic_melodies"
    family = dict(pl.read_csv(folder / "mtc_ann_families.csv").iter_rows())
    notes = pl.read_parquet(folder / "mtc_ann_note_features.parquet")
    melodies = [_melody(str(name), part) for (name,), part in notes.group_by(["melody_id"], maintain_order=True)][:n]
    return melodies, [family[melody.name] for melody in melodies]


def _melody(name: str, notes: "pl.DataFrame") -> Melody:
    onset, duration, pitch, bar = (
        notes[column].to_numpy() for column in ("offset", "duration", "midi_note_num", "bar_num")
    )
    return Melody(name, onset, duration, pitch, bar)


def songs(n: int) -> tuple[list[Melody], list[tuple[str, Melody]]]:
    """Read the main melodies of POP909, and n other versions with their songs, drawn at random."""
    import polars as pl

    table = pl.read_parquet(data_folder() / "symbolic_melodies" / "pop909_melodies.parquet")
    melodies = [(row["kind"], row["song_id"], _song(row)) for row in table.iter_rows(named=True)]
    usable = [(kind, song, melody) for kind, song, melody in melodies if why_not(melody) is None]
    main = {song: melody for kind, song, melody in usable if kind == "main"}
    versions = [(song, melody) for kind, song, melody in usable if kind != "main" and song in main]
    drawn = np.random.default_rng(SEED).permutation(len(versions))[:n]
    return list(main.values()), [versions[place] for place in drawn]


def _song(row: dict[str, object]) -> Melody:
    onset, duration, pitch = (np.array(row[name]) for name in ("onset_beats", "dur_beats", "pitch"))
    order = np.argsort(onset, kind="stable")
    bars = (onset[order] // 4).astype(np.int64) + 1
    return Melody(str(row["song_id"]), onset[order], duration[order], pitch[order], bars)


def average_precision(found: Sequence[bool], n_relevant: int) -> float:
    """Return the average precision of a ranking of which some relevant items may be missing."""
    hits = np.flatnonzero(found) + 1
    return float((np.arange(1, len(hits) + 1) / hits).sum() / n_relevant)


def measure_families(melodies: list[Melody], labels: list[str], others: list[Melody]) -> str:
    """Query each melody of a family with more than one; return mean average precision, precision at 1, false alarms."""
    index = TuneIndex.of([*melodies, *others])
    names = [*labels, *([""] * len(others))]
    precisions, first, alarms = [], [], []
    for place, melody in enumerate(melodies):
        n_relevant = labels.count(labels[place]) - 1
        if n_relevant:
            ranked = [it for it in index.search(melody, DEPTH) if it.row != place]
            found = [names[it.row] == labels[place] for it in ranked]
            precisions.append(average_precision(found, n_relevant))
            first.append(found[0])
            alarms.append(min(it.expected for it in ranked if names[it.row] != labels[place]) <= USUAL)
    return (
        f"mAP {np.mean(precisions):.3f}, P@1 {np.mean(first):.3f} ({len(first)} queries, {len(others):,} others); "
        f"false alarms at 1 %: {wilson(sum(alarms), len(alarms))}"
    )


def measure_songs(main: list[Melody], versions: list[tuple[str, Melody]], others: list[Melody]) -> str:
    """Return how often a version of a song finds the main melody first."""
    index = TuneIndex.of([*main, *others])
    names = [melody.name for melody in index.melodies]
    hits = sum(names[index.search(melody, 1)[0].row] == song for song, melody in versions)
    return f"top-1 {hits / len(versions):.3f} ({len(versions)} queries, {len(main)} songs, {len(others):,} others)"


def measure_time(melodies: list[Melody], others: list[Melody], n_large: int) -> str:
    """Return the CPU time of a query in an index of this size, filled with repetitions."""
    filled = (others * (1 + n_large // len(others)))[:n_large]
    index = TuneIndex.of(filled)
    index.search(melodies[0], 1)  # arranges the index
    times = []
    for melody in melodies:
        start = process_time()
        index.search(melody, 10)
        times.append(process_time() - start)
    low, median, high = np.quantile(times, (0.1, 0.5, 0.9))
    return f"median {median:.3f} s CPU (80 %: {low:.3f} to {high:.3f}) among {n_large:,}"


@benchmark(headline=r"families alone: mAP ([\d.]+)")
@size("--melodies", "n_melodies", default=360, smallest=12, help="Melodies of MTC-ANN.")
@size("--others", "n_others", default=12_000, smallest=60, help="Folk tunes.")
@size("--versions", "n_versions", default=60, smallest=2, help="Versions of POP909 songs.")
@size("--large", "n_large", default=LARGE, smallest=80, help="Melodies of the index in which queries are timed.")
def main(n_melodies: int, n_others: int, n_versions: int, n_large: int) -> None:
    """Measure and print."""
    melodies, labels = families(n_melodies)
    print("families alone:", measure_families(melodies, labels, []), flush=True)
    others = folk_tunes(n_others)
    print("query time:", measure_time(melodies[:20], others, n_large), flush=True)
    print("songs among others:", measure_songs(*songs(n_versions), others), flush=True)
    print("families among others:", measure_families(melodies, labels, others), flush=True)


if __name__ == "__main__":
    main()
