"""
Run the queries of the matching benchmark.

Each query is distorted once and given to our matching and, where it is installed, to Chromaprint. The answers to the
queries of one part, length and distortion are a cell; finished cells are read from the folder of an interrupted run.
"""

import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time
from typing import Any, Self
from zlib import crc32

import numpy as np

from bench.matching.distortions import RATE_HZ, SPEECH
from bench.matching.queries import (
    Parts,
    Query,
    QueryCounts,
    QuerySet,
    indexed_files,
    queries,
    read_sound,
    render,
    speech_files,
)
from bench.matching.search import best, calibration, looks_of, network
from bench.matching.sounds import other_sounds
from bench.peers import chromaprint
from bench.peers.chromaprint import U32, Chromaprint
from recsys import files
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP
from recsys.matching.fingerprint_index import FingerprintIndex

OURS, PEER = "ours", "chromaprint.npz"


@dataclass(frozen=True)
class Answer:
    """
    One matcher's answer to a query.

    Attributes:
        is_found: Whether the right recording is ranked first.
        offset_error_s: Error of the offset in the recording [s]; NaN if it is not found.
        score: Ours is a significance, see `search.Best`; Chromaprint's is its own score.
        cpu_s: CPU time of the fingerprint and of the search [s].
    """

    is_found: bool
    offset_error_s: float
    score: float
    cpu_s: tuple[float, float]


@dataclass(frozen=True)
class QueryResult:
    """A query's distortion and recording, and the answers to it; `peer` is None without Chromaprint."""

    distortion: str
    recording: str
    ours: Answer
    peer: Answer | None

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the result that `as_json` stored."""
        peer = stored["peer"] and Answer(**stored["peer"])
        return cls(stored["distortion"], stored["recording"], Answer(**stored["ours"]), peer)


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
    if not (home / OURS).exists():
        FingerprintIndex.build(names, list(pool.map(_vectors, paths)), version=network().version).save(home / OURS)
    if with_peer and not (home / PEER).exists():
        Chromaprint.build(names, list(pool.map(_items, paths))).save(home / PEER)


def _vectors(path: Path) -> F32:
    return network().vectors(read_sound(path), RATE_HZ)[::INDEX_STEP]


def _items(path: Path) -> U32:
    return chromaprint.items_of(read_sound(path), RATE_HZ)


@dataclass(frozen=True, eq=False)
class Results:
    """The results of uses, of real strangers, of rendered strangers, and of sounds that are no music."""

    uses: list[QueryResult]
    strangers: list[QueryResult]
    rendered: list[QueryResult]
    other_sounds: list[QueryResult]


def run_queries(
    pool: Executor, home: Path, parts: Parts, length_s: int, counts: QueryCounts, distortions: Sequence[str]
) -> Results:
    """Run the queries of one length for the calibration or the test."""
    n_real, max_per_part, has_peer = counts.real, counts.max_per_part, (home / PEER).exists()
    uses, strangers = (
        QuerySet(home, part, parts.noise, length_s, n_real, max_per_part, has_peer)
        for part in (parts.indexed, parts.strangers)
    )
    rendered = QuerySet(home, parts.rendered, parts.noise, length_s, counts.rendered, max_per_part, with_peer=False)
    speech = list(SPEECH) if speech_files(home, parts.noise) else []
    found = _run_all(pool, uses, [*distortions, *speech])
    unknown, unknown_rendered = (_run_all(pool, query_set, distortions) for query_set in (strangers, rendered))
    return Results(found, unknown, unknown_rendered, _other_sounds(home, parts.noise, length_s))


def _run_all(pool: Executor, query_set: QuerySet, distortions: Iterable[str]) -> list[QueryResult]:
    """Run a query set with some distortions, reporting progress on stderr."""
    results, names = [], list(distortions)
    progress = f"{query_set.length_s} s, {query_set.part}"
    for n_done, some in enumerate(pool.map(partial(_cell, query_set), names), start=1):
        results.extend(some)
        print(f"{progress}: {n_done} of {len(names)} distortions", file=sys.stderr, flush=True)
    return results


def _cell(query_set: QuerySet, distortion: str) -> list[QueryResult]:
    """Run the queries of a cell, or read their results if an interrupted run has stored them."""
    path = (
        query_set.home / f"cells {_calibration_id()}" / f"{query_set.part}, {query_set.length_s} s, {distortion}.json"
    )
    if path.exists():
        return [QueryResult.from_json(stored) for stored in files.read_json(path)]
    results = _run(query_set, distortion)
    files.write_json(path, [result.as_json() for result in results])
    return results


def _calibration_id() -> str:
    return f"{crc32(repr(calibration()).encode()):08x}"


def _run(query_set: QuerySet, distortion: str) -> list[QueryResult]:
    own, peer = index(query_set.home), _peer(query_set.home) if query_set.with_peer else None
    return [
        QueryResult(
            distortion,
            query.path.name,
            _our_answer(own, query, query_set.length_s),
            _peers_answer(peer, query) if peer else None,
        )
        for query in queries(query_set, distortion)
    ]


def _other_sounds(home: Path, part: str, length_s: int) -> list[QueryResult]:
    """Search sounds that are no music: whatever is found is false."""
    return [
        QueryResult("none", name, _our_answer(index(home), Query(Path(name), 0.0, sound), length_s), None)
        for name, sound in other_sounds(home, part, length_s)
    ]


def _our_answer(fingerprints: FingerprintIndex, query: Query, length_s: int) -> Answer:
    started = process_time()
    looks = looks_of(query.sound, RATE_HZ)
    fingerprinted = process_time()
    first = best(fingerprints, looks, length_s)
    cpu_s = (fingerprinted - started, process_time() - fingerprinted)
    if first.recording != query.path.name:
        return Answer(False, np.nan, first.significance, cpu_s)
    return Answer(True, abs(first.offset_s - query.offset_s), first.significance, cpu_s)


def _peers_answer(peer: Chromaprint, query: Query) -> Answer:
    started = _cpu_s()
    items = chromaprint.items_of(query.sound, RATE_HZ)
    fingerprinted = _cpu_s()
    first = peer.best(items)
    cpu_s = (fingerprinted - started, _cpu_s() - fingerprinted)
    if first is None or first.name != query.path.name:
        return Answer(False, np.nan, first.score if first else 0.0, cpu_s)
    return Answer(True, abs(first.offset_s - query.offset_s), first.score, cpu_s)


def _cpu_s() -> float:
    """Return the CPU time of this process and of its finished child processes [s]."""
    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
