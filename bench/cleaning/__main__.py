"""
Cleaning: precision and recall of duplicate links, and of wrong artists found by sound.

Duplicates: a catalogue with planted duplicates and decoys (`bench.cleaning.catalogue`). Precision is the share
of links whose two tracks are the same recording; recall is the share of planted duplicates that are in a group with
their original. The CPU time includes reading titles and credits, not generating the catalogue.

Wrong artists: recordings of demo worlds, of which some are re-uploads of another's: one second cut off, quieter, and
under another artist. They are fingerprinted and matched as in a nightly run. Found is the share of these pairs that is
proposed for review; false is the number of other pairs proposed, relative to the recordings without a re-upload.
"""

from time import process_time

import numpy as np
import polars as pl

from bench.cleaning.catalogue import Planted, planted_catalogue
from bench.cleaning.sound import wrong_artists_in
from bench.options import benchmark, size
from recsys.cleaning.duplicates import Decisions, find_duplicates
from recsys.cleaning.recordings import recordings

SEED = 7
BARS = {"precision": 0.99, "recall": 0.95, "found": 0.9, "false": 0.01}


@benchmark(headline=r"recall (\d\.\d{4})")
@size("--tracks", "n_tracks", default=200_000, smallest=400, help="Tracks of the generated catalogue.")
@size("--recordings", "n_recordings", default=240, smallest=12, help="Recordings per demo world.")
@size("--worlds", "n_worlds", default=2, smallest=1, help="Demo worlds.")
def main(n_tracks: int, n_recordings: int, n_worlds: int) -> None:
    """Print both results with their bars."""
    evaluate_duplicates(planted_catalogue(n_tracks, np.random.default_rng(SEED)))
    counts = np.zeros(4, dtype=int)
    for seed in range(SEED, SEED + n_worlds):
        counts += wrong_artists_in(n_recordings, seed)
    n_planted, n_found, n_false, n_innocent = counts.tolist()
    found, false = n_found / max(n_planted, 1), n_false / max(n_innocent, 1)
    print(f"wrong artists in {n_worlds} demo worlds of {n_recordings} recordings:")
    print(f"  found {n_found} of {n_planted} ({found:.4f}); bar {BARS['found']}: {_met(found >= BARS['found'])}")
    print(f"  false {n_false} of {n_innocent} ({false:.4f}); bar {BARS['false']}: {_met(false <= BARS['false'])}")


def evaluate_duplicates(planted: Planted) -> None:
    """Print precision, recall and CPU time of the links, and what became of each kind of planted track."""
    sounds = pl.DataFrame(
        [(*sorted(pair), 0.97, "the same sound") for pair in planted.sounds],
        {"track_id": pl.String, "other_track_id": pl.String, "share": pl.Float64, "detail": pl.String},
        orient="row",
    )
    started = process_time()
    pairs, links = find_duplicates(recordings(planted.tracks), sounds, Decisions())
    cpu_s = process_time() - started
    same_as = dict(links.select("track_id", "same_as").iter_rows())
    is_linked = {
        track_id: same_as.get(track_id, track_id) == same_as.get(original, original)
        for track_id, original in planted.original.items()
    }
    is_same = {track_id: planted.song[track_id] == planted.song[of] for track_id, of in planted.original.items()}
    precision = float(np.mean([planted.song[one] == planted.song[other] for one, other in same_as.items()]))
    recall = float(np.mean([is_linked[track_id] for track_id, same in is_same.items() if same]))
    print(f"duplicates in {planted.tracks.height:,} tracks, {links.height:,} links, {cpu_s:.1f} CPU-seconds:")
    print(f"  precision {precision:.4f}; bar {BARS['precision']}: {_met(precision >= BARS['precision'])}")
    print(f"  recall {recall:.4f}; bar {BARS['recall']}: {_met(recall >= BARS['recall'])}")
    print(f"  proposed for review: {pairs.filter(status='proposed').height:,} pairs")
    for name in dict.fromkeys(planted.kind.values()):
        own = [track_id for track_id, kind in planted.kind.items() if kind == name]
        what = "duplicate" if is_same[own[0]] else "decoy"
        print(f"  {what:<9} {name:<24} {sum(is_linked[track_id] for track_id in own):>6,} of {len(own):>6,} linked")


def _met(is_met: bool) -> str:
    return "met" if is_met else "not met"


if __name__ == "__main__":
    main()
