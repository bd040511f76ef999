"""
Similarity search over a million vectors: how fast, how exact, how large.

Vectors of 128 dimensions from a mixture of 10,000 clusters, queries from the same, one core. Ours against brute force
(faiss, every vector looked at) and HNSW-flat (32 links) on the same input in the same run; HNSW only up to 200,000
vectors unless --hnsw, since its build takes a quarter of an hour on one core.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from bench.options import benchmark, size
from recsys.arrays import F32, I64

DIMENSIONS, N_CLUSTERS, SPREAD, K = 128, 10_000, 0.6, 10


def mixture(n: int, n_queries: int) -> tuple[F32, F32]:
    """Vectors and queries, spread round the same centres; noise of 0.6 of a centre's length."""
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((N_CLUSTERS, DIMENSIONS), np.float32)
    drawn = [
        centres[rng.integers(N_CLUSTERS, size=size)]
        + np.float32(SPREAD) * rng.standard_normal((size, DIMENSIONS), np.float32)
        for size in (n, n_queries)
    ]
    return drawn[0], drawn[1]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Do some work; return what it gave, and how long it took [s]."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def recall(found: I64, right: I64) -> float:
    """Share of the ten nearest that were found."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(right, found, strict=True)]))


def peak_gib() -> float:
    """Most memory that the process ever took [GiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@benchmark(headline=r"ours +[\d,]+ +(\d\.\d{3})")
@size("--n", default=1_000_000, smallest=3_000, help="Vectors.")
@size("--queries", "n_queries", default=10_000, smallest=1_000, type=click.IntRange(min=1_000), help="Queries.")
@click.option("--hnsw", is_flag=True, help="HNSW above 200,000 vectors, too.")
def main(n: int, n_queries: int, hnsw: bool) -> None:
    """Print the table."""
    import faiss

    from recsys.search.vector_index import Index

    faiss.omp_set_num_threads(1)
    vectors, queries = mixture(n, n_queries)
    index, build_s = timed(lambda: Index.build([str(row) for row in range(n)], vectors, version="bench"))
    ours, ours_s = timed(lambda: index.search(queries, K).rows)
    ours_gib = peak_gib()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    some = queries[:1_000]
    (_, right), brute_s = timed(lambda: faiss.knn(some, unit, K, metric=faiss.METRIC_INNER_PRODUCT))
    print(f"{n:,} vectors, one core       queries/s   recall@10   built in")
    print(
        f"ours                      {n_queries / ours_s:>11,.0f}   {recall(ours[:1000], right):>9.3f}   "
        f"{build_s:>6.0f} s"
    )
    print(f"brute force               {len(some) / brute_s:>11,.0f}   {1:>9.3f}        -")
    print(f"ratio {brute_s / len(some) / (ours_s / n_queries):.0f}; peak memory of ours {ours_gib:.2f} GiB")
    print("bar: recall >= .98 at >= 5,000 queries/s, within 8 GB")
    if hnsw or n <= 200_000:
        graph = faiss.IndexHNSWFlat(DIMENSIONS, 32, faiss.METRIC_INNER_PRODUCT)
        graph.hnsw.efConstruction = 100
        _, graph_s = timed(lambda: graph.add(unit))
        for effort in (16, 64, 256):
            graph.hnsw.efSearch = effort
            (_, found), found_s = timed(lambda: graph.search(queries, K))
            print(
                f"HNSW, efSearch {effort:<4} {n_queries / found_s:>17,.0f}   {recall(found[:1000], right):>9.3f}   "
                f"{graph_s:>6.0f} s"
            )


if __name__ == "__main__":
    main()
