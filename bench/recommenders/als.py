"""
ALS: cost of a fit beside that of implicit's, and of a half-step beside direct solutions row by row.

Both libraries fit the same synthetic likes with the same number of factors and epochs, on one core; ours without track
features, which implicit does not have. The direct solution is the closed form of the normal equations by a Cholesky
factorisation; the error of the half-step is relative to it, the largest of all rows.
"""

from time import process_time

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from bench.options import benchmark, size
from recsys.arrays import F32, Csr

EPOCHS, UNOBSERVED, PENALTY = 8, 0.05, 10.0


@benchmark(headline=r"ALS .* (\d+\.\d+) times implicit's")
@size("--users", "n_users", default=2_500, smallest=100, help="Listeners.")
@size("--tracks", "n_tracks", default=4_000, smallest=150, help="Tracks.")
@size("--liked", "n_liked", default=66, smallest=10, help="Tracks per listener.")
@size("--factors", "n_factors", default=256, smallest=16, help="Factors.")
def main(n_users: int, n_tracks: int, n_liked: int, n_factors: int) -> None:
    """Print the CPU time of both fits, and the CPU time and the error of a half-step."""
    from recsys.recommenders.parts.least_squares import half_step

    weights = likes(n_users, n_tracks, n_liked)
    with threadpool_limits(1):
        ours, peer = our_fit_s(weights, n_factors), implicit_fit_s(weights, n_factors)
    print(f"ALS {ours:8.2f} CPU-s, implicit {peer:8.2f} CPU-s: {ours / max(peer, 1e-9):.2f} times implicit's")
    fixed = np.random.default_rng(8).standard_normal((n_tracks, n_factors), np.float32)
    penalties = np.full(n_users, PENALTY)
    started = process_time()
    solved = half_step(weights, fixed, unobserved=UNOBSERVED, penalties=penalties)
    middle = process_time()
    exact = direct(weights, fixed)
    took, plain = middle - started, process_time() - middle
    error = float((np.linalg.norm(solved - exact, axis=1) / np.linalg.norm(exact, axis=1)).max())
    print(f"half-step {took:.2f} CPU-s, direct {plain:.2f} CPU-s: {plain / max(took, 1e-9):.1f} times as long")
    print(f"largest error {error:.1e}")


def likes(n_users: int, n_tracks: int, n_liked: int) -> Csr:
    """Return likes of weight 1 with a long-tailed popularity of tracks. CSR, shape (n_users, n_tracks), float32."""
    rng = np.random.default_rng(7)
    popularity = 1 / np.arange(10, n_tracks + 10)
    chosen = [rng.choice(n_tracks, n_liked, replace=False, p=popularity / popularity.sum()) for _ in range(n_users)]
    return sp.csr_matrix(
        (np.ones(n_users * n_liked, np.float32), np.concatenate(chosen), np.arange(n_users + 1) * n_liked),
        (n_users, n_tracks),
    )


def our_fit_s(weights: Csr, n_factors: int) -> float:
    """Return the CPU time of `EPOCHS` alternations of our half-step [s]."""
    from recsys.recommenders.als import TRAINING_TOLERANCE
    from recsys.recommenders.parts.least_squares import half_step

    by_track = weights.T.tocsr()
    fixed = np.random.default_rng(7).standard_normal((weights.shape[1], n_factors), np.float32) * np.float32(0.01)
    started = process_time()
    for _ in range(EPOCHS):
        for side in (weights, by_track):
            penalties = np.full(side.shape[0], PENALTY)
            fixed = half_step(side, fixed, unobserved=UNOBSERVED, penalties=penalties, tolerance=TRAINING_TOLERANCE)
    return process_time() - started


def implicit_fit_s(weights: Csr, n_factors: int) -> float:
    """Return the CPU time of implicit's fit [s]."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(n_factors, PENALTY, iterations=EPOCHS, random_state=7, num_threads=1)
    started = process_time()
    model.fit(weights / UNOBSERVED, show_progress=False)
    return process_time() - started


def direct(weights: Csr, fixed: F32) -> npt.NDArray[np.float64]:
    """Return the closed form of each row of a half-step, in double precision."""
    from scipy.linalg import cho_factor, cho_solve

    wide = fixed.astype(np.float64)
    shared = UNOBSERVED * wide.T @ wide + PENALTY * np.eye(wide.shape[1])
    rows = []
    for row in range(weights.shape[0]):
        own, values = wide[weights[row].indices], weights[row].data.astype(np.float64)
        rows.append(cho_solve(cho_factor(shared + (own.T * values) @ own), own.T @ values))
    return np.stack(rows)


if __name__ == "__main__":
    main()
