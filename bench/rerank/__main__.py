"""
Re-ranking 2,500 listeners x 500 candidates with every rule, on one core, beside a plain greedy implementation.

Interactions with 10,000 tracks are synthetic; the time depends on sizes only. The plain implementation runs on a tenth
of the listeners, and its time is multiplied by ten. What rules cost on real listeners: `bench.rerank.prices`.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.options import benchmark, size
from bench.rerank.timing import measure


@benchmark(headline=r"all rules +(\d+\.\d\d) s for")
@size("--listeners", "n_listeners", default=2_500, smallest=50, help="Listeners to re-rank for.")
@size("--tracks", "n_tracks", default=10_000, smallest=500, help="Tracks in the catalogue.")
@size("--candidates", "n_candidates", default=500, smallest=50, help="Candidates per listener.")
def main(n_listeners: int, n_tracks: int, n_candidates: int) -> None:
    """Time each rule alone, all together, and the plain implementation."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # polars reads it when it is imported, so the work runs in a new process
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(measure, n_listeners, n_tracks, n_candidates).result()


if __name__ == "__main__":
    main()
