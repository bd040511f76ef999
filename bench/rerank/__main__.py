"""
Re-ranking 2,500 listeners x 500 candidates with every rule, on one core, beside a plain greedy choice.

Synthetic taste of 10,000 tracks: the time depends on sizes only. The peer chooses for a tenth of the listeners, its
time taken ten times. What rules cost on real listeners: `bench.rerank.prices`.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.options import benchmark, size
from bench.rerank.timing import measure


@benchmark(headline=r"all rules +(\d+\.\d\d) s for")
@size("--listeners", "n_listeners", default=2_500, smallest=50, help="Whose lists are chosen.")
@size("--tracks", "n_tracks", default=10_000, smallest=500, help="Of the catalogue.")
@size("--candidates", "n_candidates", default=500, smallest=50, help="That a list is chosen from.")
def main(n_listeners: int, n_tracks: int, n_candidates: int) -> None:
    """Time each rule alone, all together, and the plain choice."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # read where polars is imported, as the new process does: one core means one
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(measure, n_listeners, n_tracks, n_candidates).result()


if __name__ == "__main__":
    main()
