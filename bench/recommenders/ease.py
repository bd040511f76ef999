"""
EASE at 20,000 tracks: speed of the closed form as a share of the machine's measured matrix multiplication rate.

The inverse of a symmetric matrix takes n^3 floating-point operations; its rate is divided by that of a plain
single-precision matrix product on the same cores in the same run. The residual of the normal equations checks that the
coefficients are the ridge regressions they should be; a second run must print the same hash. 38,000 tracks (9 GB) are
more than LAPACK's own factorisation handles on two threads.
"""

import hashlib
from time import perf_counter, process_time

import numpy as np
import scipy.sparse as sp

from bench.options import benchmark, size, size_argument
from recsys.arrays import F32, Rows

N_LIKED = 60
N_SAMPLED = 8  # rows of the Gram matrix on which the coefficients are checked


@benchmark(headline=r"GFLOP/s: \d+\.\d s, (\d+)% of it")
@size_argument("n_tracks", default=20_000, smallest=300, type=int)
@size("--users", "n_users", default=50_000, smallest=500, help="Listeners.")
@size("--product", "n_product", default=6_000, smallest=300, help="Size of the square matrices of the plain product.")
def main(n_tracks: int, n_users: int, n_product: int) -> None:
    """Measure both rates and print their ratio."""
    from recsys.recommenders.ease import ease_weights

    peak = product_rate(n_product)
    gram = gram_of(n_tracks, n_users)
    rows = np.linspace(0, n_tracks - 1, N_SAMPLED).astype(int)
    sampled = gram[rows]
    started, cpu_started = perf_counter(), process_time()
    coefficients = ease_weights(gram)
    seconds, cpu_seconds = perf_counter() - started, process_time() - cpu_started
    rate = n_tracks**3 / seconds / 1e9
    print(f"matrix product      {peak:7.1f} GFLOP/s ({n_product:,} square, float32)")
    took = f"{seconds:.1f} s, {rate / peak:.0%} of it, {cpu_seconds:.0f} CPU-s"
    print(f"EASE, {n_tracks:,} tracks {rate:7.1f} GFLOP/s: {took}")
    print(f"largest coefficient {max(coefficients.max(), -coefficients.min()):.3f}")
    print(f"largest residual    {residual(sampled, rows, coefficients):.2e} of the largest entry")
    print(f"SHA-256             {hashlib.sha256(coefficients.data).hexdigest()[:16]}")


def residual(sampled: F32, rows: Rows, coefficients: F32) -> float:
    """
    Return the largest residual of the normal equations on some rows, relative to their largest entry.

    Off the diagonal, gram @ coefficients equals gram.
    """
    error = np.abs(sampled @ coefficients - sampled)
    error[np.arange(len(rows)), rows] = 0
    return float(error.max() / np.abs(sampled).max())


def product_rate(n: int) -> float:
    """Return the fastest rate of three matrix products [GFLOP/s]."""
    rng = np.random.default_rng(7)
    left, right = (rng.standard_normal((n, n), np.float32) for _ in range(2))
    rates = []
    for _ in range(3):
        started = perf_counter()
        left @ right
        rates.append(2 * n**3 / (perf_counter() - started) / 1e9)
    return max(rates)


def gram_of(n_tracks: int, n_users: int) -> F32:
    """Return the regularized Gram matrix of synthetic likes, with a long-tailed popularity of tracks."""
    rng = np.random.default_rng(7)
    tracks = np.minimum(rng.zipf(1.2, n_users * N_LIKED) - 1, n_tracks - 1)
    tracks = np.where(tracks == n_tracks - 1, rng.integers(0, n_tracks, len(tracks)), tracks)
    likes = sp.csr_matrix(
        (np.ones(len(tracks), np.float32), tracks, np.arange(n_users + 1) * N_LIKED), (n_users, n_tracks)
    )
    likes.sum_duplicates()
    likes.data[:] = 1
    gram: F32 = (likes.T @ likes).toarray(order="C")
    gram[np.diag_indices_from(gram)] += 100
    return gram


if __name__ == "__main__":
    main()
