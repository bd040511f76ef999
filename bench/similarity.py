"""
Similarity search over a million vectors: queries per second, recall@10, build time and memory.

Vectors have 128 dimensions and come, like the queries, from a mixture of 10,000 clusters; one core. Our index is
compared with exhaustive search (faiss) and HNSW-flat (32 links) on the same input in the same run; HNSW only up to
200,000 vectors unless --hnsw is given, because its build takes a quarter of an hour on one core.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from bench.options import benchmark, size
from recsys.arrays import F32, I64

DIMENSIONS, N_CLUSTERS, NOISE, K = 128, 10_000, 0.6, 10


def mixture(n: int, n_queries: int) -> tuple[F32, F32]:
    """Draw vectors and queries around the same centres, with noise of 0.6 times the length of a centre."""
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((N_CLUSTERS, DIMENSIONS), np.float32)
    drawn = [
        centres[rng.integers(N_CLUSTERS, size=size)]
        + np.float32(NOISE) * rng.standard_normal((size, DIMENSIONS), np.float32)
        for size in (n, n_queries)
    ]
    return drawn[0], drawn[1]


def with_seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """Call a function; return its result and its wall time [s]."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def recall(found: I64, nearest: I64) -> float:
    """Return the mean share of the ten nearest neighbours that were found."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(nearest, found, strict=True)]))


def peak_gib() -> float:
    """Return the peak memory of this process [GiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@benchmark(headline=r"ours +[\d,]+ +(\d\.\d{3})")
@size("--n", default=1_000_000, smallest=3_000, help="Vectors.")
@size("--queries", "n_queries", default=10_000, smallest=1_000, type=click.IntRange(min=1_000), help="Queries.")
@click.option("--hnsw", is_flag=True, help="Run HNSW above 200,000 vectors as well.")
def main(n: int, n_queries: int, hnsw: bool) -> None:
    """Print speed, recall and build time of each index, and our peak memory."""
    import faiss

    from recsys.search.vector_index import Index

    faiss.omp_set_num_threads(1)
    vectors, queries = mixture(n, n_queries)
    index, build_s = with_seconds(lambda: Index.build([str(row) for row in range(n)], vectors, version="bench"))
    ours, ours_s = with_seconds(lambda: index.search(queries, K).rows)
    ours_gib = peak_gib()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    sample = queries[:1_000]
    (_, nearest), brute_s = with_seconds(lambda: faiss.knn(sample, unit, K, metric=faiss.METRIC_INNER_PRODUCT))
    print(f"{n:,} vectors, one core       queries/s   recall@10   built in")
    print(
        f"ours                      {n_queries / ours_s:>11,.0f}   {recall(ours[:1000], nearest):>9.3f}   "
        f"{build_s:>6.0f} s"
    )
    print(f"exhaustive                {len(sample) / brute_s:>11,.0f}   {1:>9.3f}        -")
    speed_up = brute_s / len(sample) / (ours_s / n_queries)
    print(f"speed-up over exhaustive search {speed_up:.0f}; peak memory of ours {ours_gib:.2f} GiB")
    print("bar: recall >= .98 at >= 5,000 queries/s, within 8 GB")
    if hnsw or n <= 200_000:
        graph = faiss.IndexHNSWFlat(DIMENSIONS, 32, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 100
        _, graph_s = with_seconds(lambda: graph.add(unit))
        for effort in (16, 64, 256):
            graph.hnsw.efSearch = effort
            (_, found), found_s = with_seconds(lambda: graph.search(queries, K))
            print(
                f"HNSW, efSearch {effort:<4} {n_queries / found_s:>17,.0f}   {recall(found[:1000], nearest):>9.3f}   "
                f"{graph_s:>6.0f} s"
            )


if __name__ == "__main__":
    main()
