"""
Exact top-100 for 50,000 listeners over 20,000 tracks with 128 factors, seen tracks filtered: ours and implicit's.

Both use two threads. implicit is timed twice: with BLAS's default threads, and with one BLAS thread per worker, which
is the fastest it can be. Run it on an otherwise idle machine.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from bench.options import benchmark, size
from recsys.arrays import F32, I32
from recsys.recommenders.parts.topk import N_BLOCK, Mask, top_k

FACTORS, K, N_SEEN, N_THREADS, ROUNDS = 128, 100, 60, 2, 3


@benchmark(headline=r"ours +(\d+\.\d\d) +1.00x")
@size("--listeners", "n_users", default=50_000, smallest=200, help="Listeners to rank for.")
@size("--tracks", "n_tracks", default=20_000, smallest=1_000, help="Tracks in the catalogue.")
def main(n_users: int, n_tracks: int) -> None:
    """Time all variants in alternation, so that a busy moment affects all of them, and print the best of each."""
    from implicit.cpu.als import AlternatingLeastSquares

    rng = np.random.default_rng(7)
    users = rng.standard_normal((n_users, FACTORS), np.float32)
    tracks = rng.standard_normal((n_tracks, FACTORS), np.float32) * rng.gamma(2, 1, (n_tracks, 1)).astype(np.float32)
    indptr = np.arange(n_users + 1) * N_SEEN
    seen = sp.csr_matrix(
        (np.ones(indptr[-1], np.float32), rng.integers(0, n_tracks, indptr[-1]), indptr), (n_users, n_tracks)
    )
    seen.sum_duplicates()
    mask = Mask(seen, np.ones((1, n_tracks), np.bool_), np.zeros(n_users, np.int64))
    model = AlternatingLeastSquares(FACTORS, num_threads=N_THREADS)
    model.user_factors, model.item_factors = users, tracks

    def ours() -> I32:
        return top_k(lambda rows, out: np.matmul(users[rows], tracks.T, out=out), mask, K, n_threads=N_THREADS).tracks

    def theirs() -> I32:
        ranked: I32 = model.recommend(np.arange(n_users), seen, N=K)[0]
        return ranked

    def theirs_one_blas_thread() -> I32:
        with threadpool_limits(1, user_api="blas"):
            return theirs()

    def product() -> None:
        multiply_in_blocks(users, tracks)

    variants = {
        "ours": ours,
        "implicit, default BLAS": theirs,
        "implicit, BLAS 1 thread": theirs_one_blas_thread,
        "sgemm": product,
    }
    seconds, rankings = time_alternating(variants)
    print_table(seconds, rankings, 2 * n_users * n_tracks * FACTORS / 1e9)


def multiply_in_blocks(users: F32, tracks: F32) -> None:
    """Compute the matrix product alone, in our blocks: a lower bound for any exact method that scores all tracks."""

    def work(worker: int) -> None:
        out = np.empty((N_BLOCK, len(tracks)), np.float32)
        for start in range(worker * N_BLOCK, len(users), N_THREADS * N_BLOCK):
            block = users[start : start + N_BLOCK]
            np.matmul(block, tracks.T, out=out[: len(block)])

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(work, range(N_THREADS)))


def time_alternating(variants: dict[str, Callable[[], I32 | None]]) -> tuple[dict[str, float], dict[str, I32 | None]]:
    """Return each variant's shortest time [s] and its ranking, None for the plain product."""
    seconds = dict.fromkeys(variants, float("inf"))
    rankings: dict[str, I32 | None] = {}
    for _ in range(ROUNDS):
        for name, variant in variants.items():
            start = perf_counter()
            rankings[name] = variant()
            seconds[name] = min(seconds[name], perf_counter() - start)
    return seconds, rankings


def print_table(seconds: dict[str, float], rankings: dict[str, I32 | None], gflop: float) -> None:
    """Print per variant: time, time over ours, rate, rate over that of the plain product, share of equal tracks."""
    print(f"{'variant':28} {'s':>6} {'ours is':>8} {'GFLOP/s':>8} {'of sgemm':>8} {'same tracks':>11}")
    for name, time in seconds.items():
        ranking, ours = rankings[name], rankings["ours"]
        same = "" if ranking is None or ours is None else f"{(ranking == ours).mean():.5f}"
        speed = f"{time / seconds['ours']:7.2f}x {gflop / time:8.1f} {seconds['sgemm'] / time:8.0%}"
        print(f"{name:28} {time:6.2f} {speed} {same:>11}")


if __name__ == "__main__":
    main()
