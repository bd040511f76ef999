"""
Run the queries of the matching benchmark.

Each query is distorted once and given to our matching and, where it is installed, to Chromaprint.
"""

import sys
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

import numpy as np

from bench.matching.distortions import DISTORTIONS, RATE_HZ
from bench.matching.queries import Parts, Query, QueryCounts, QuerySet, indexed_files, queries, read_sound, render
from bench.peers import chromaprint
from bench.peers.chromaprint import U32, Chromaprint
from recsys.arrays import F32, F64
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter
from recsys.matching.alignment import align_query
from recsys.matching.fingerprint_index import FingerprintIndex

OURS, PEER = "ours", "chromaprint.npz"


@dataclass(frozen=True, eq=False)
class Answer:
    """
    One matcher's align_query to a query.

    Attributes:
        is_found: Whether the right recording is ranked first.
        offset_error_s: Error of the offset in the recording [s]; NaN if it is not found.
        evidence: Input of the match classifier, see `alignment.align_query`; Chromaprint's is its score.
        cpu_s: CPU time of the fingerprint and of the search [s].
    """

    is_found: bool
    offset_error_s: float
    evidence: F64
    cpu_s: tuple[float, float]


@dataclass(frozen=True, eq=False)
class QueryResult:
    """A query's distortion and recording, and the answers to it; `peer` is None without Chromaprint."""

    distortion: str
    recording: str
    ours: Answer
    peer: Answer | None


@cache
def network() -> Fingerprinter:
    """Load the shipped fingerprint network."""
    return Fingerprinter.load()


@cache
def index(home: Path) -> FingerprintIndex:
    """Load the index that `prepare` built."""
    return FingerprintIndex.load(home / OURS, version=network().version)


@cache
def _peer(home: Path) -> Chromaprint:
    return Chromaprint.load(home / PEER)


def prepare(home: Path, pool: Executor, max_per_part: int, *, with_peer: bool) -> None:
    """Render the pieces, and index the same recordings for both matchers."""
    render(home, pool, max_per_part)
    paths = indexed_files(home, max_per_part)
    names = [path.name for path in paths]
    FingerprintIndex.build(names, list(pool.map(_vectors, paths)), version=network().version).save(home / OURS)
    if with_peer:
        Chromaprint.build(names, list(pool.map(_items, paths))).save(home / PEER)


def _vectors(path: Path) -> F32:
    return network().vectors(read_sound(path), RATE_HZ)[::INDEX_STEP]


def _items(path: Path) -> U32:
    return chromaprint.items_of(read_sound(path), RATE_HZ)


@dataclass(frozen=True, eq=False)
class Results:
    """The results of uses, of real strangers and of rendered strangers."""

    uses: list[QueryResult]
    strangers: list[QueryResult]
    rendered: list[QueryResult]


def run_queries(pool: Executor, home: Path, parts: Parts, length_s: int, counts: QueryCounts) -> Results:
    """Run the queries of one length for the calibration or the test."""
    n_real, max_per_part, has_peer = counts.real, counts.max_per_part, (home / PEER).exists()
    uses, strangers = (
        QuerySet(home, part, parts.noise, length_s, n_real, max_per_part, has_peer)
        for part in (parts.indexed, parts.strangers)
    )
    rendered = QuerySet(home, parts.rendered, parts.noise, length_s, counts.rendered, max_per_part, with_peer=False)
    return Results(_run_all(pool, uses), _run_all(pool, strangers), _run_all(pool, rendered))


def _run_all(pool: Executor, query_set: QuerySet) -> list[QueryResult]:
    """Run a query set with every distortion, reporting progress on stderr."""
    results = []
    progress = f"{query_set.length_s} s, {query_set.part}"
    for n_done, some in enumerate(pool.map(partial(_run, query_set), DISTORTIONS), start=1):
        results.extend(some)
        print(f"{progress}: {n_done} of {len(DISTORTIONS)} distortions", file=sys.stderr, flush=True)
    return results


def _run(query_set: QuerySet, distortion: str) -> list[QueryResult]:
    own, peer = index(query_set.home), _peer(query_set.home) if query_set.with_peer else None
    return [
        QueryResult(distortion, query.path.name, _our_answer(own, query), _peers_answer(peer, query) if peer else None)
        for query in queries(query_set, distortion)
    ]


def _our_answer(fingerprints: FingerprintIndex, query: Query) -> Answer:
    started = process_time()
    vectors = network().vectors(query.sound, RATE_HZ)
    fingerprinted = process_time()
    found = align_query(fingerprints, vectors)
    cpu_s = (fingerprinted - started, process_time() - fingerprinted)
    first = found.alignments[0] if found.alignments else None
    if first is None or first.track_id != query.path.name:
        return Answer(False, np.nan, found.evidence, cpu_s)
    return Answer(True, abs(first.offset_s - query.offset_s), found.evidence, cpu_s)


def _peers_answer(peer: Chromaprint, query: Query) -> Answer:
    started = _cpu_s()
    items = chromaprint.items_of(query.sound, RATE_HZ)
    fingerprinted = _cpu_s()
    best = peer.best(items)
    cpu_s = (fingerprinted - started, _cpu_s() - fingerprinted)
    evidence = np.array([best.score if best else 0.0])
    if best is None or best.name != query.path.name:
        return Answer(False, np.nan, evidence, cpu_s)
    return Answer(True, abs(best.offset_s - query.offset_s), evidence, cpu_s)


def _cpu_s() -> float:
    """Return the CPU time of this process and of its finished child processes [s]."""
    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
