"""Asks for queries: each is distorted once and given to this project's matching and, where it is there, Chromaprint."""

import sys
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import process_time

import numpy as np

from bench.matching.distortions import DISTORTIONS, RATE_HZ
from bench.matching.queries import Cell, Numbers, Query, Side, in_index, queries, render, sound_of
from bench.peers import chromaprint
from bench.peers.chromaprint import U32, Chromaprint
from recsys.arrays import F32, F64
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter
from recsys.matching.alignment import answer
from recsys.matching.fingerprint_index import FingerprintIndex

OURS, PEER = "ours", "chromaprint.npz"


@dataclass(frozen=True, eq=False)
class Guess:
    """
    What a matcher makes of a query.

    Attributes:
        is_found: Whether it names the right recording first.
        off_s: How far the beginning is off; nan where it is not found [s].
        evidence: By which it is judged how sure that is: see `answer`; for Chromaprint its score alone.
        cpu_s: Of the fingerprint, of the search.
    """

    is_found: bool
    off_s: float
    evidence: F64
    cpu_s: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Asked:
    """A query's distortion, the recording it was cut out of, and what was made of it; no peer where it is not there."""

    distortion: str
    recording: str
    ours: Guess
    peer: Guess | None


@cache
def network() -> Fingerprinter:
    """Load the shipped fingerprint network."""
    return Fingerprinter.load()


@cache
def index(home: Path) -> FingerprintIndex:
    """Load the index that `prepare` has built."""
    return FingerprintIndex.load(home / OURS, version=network().version)


@cache
def _peer(home: Path) -> Chromaprint:
    return Chromaprint.load(home / PEER)


def prepare(home: Path, pool: Executor, most: int, *, with_peer: bool) -> None:
    """Render, and index the same recordings for every matcher."""
    render(home, pool, most)
    paths = in_index(home, most)
    names = [path.name for path in paths]
    FingerprintIndex.build(names, list(pool.map(_vectors, paths)), version=network().version).save(home / OURS)
    if with_peer:
        Chromaprint.build(names, list(pool.map(_items, paths))).save(home / PEER)


def _vectors(path: Path) -> F32:
    return network().vectors(sound_of(path), RATE_HZ)[::INDEX_STEP]


def _items(path: Path) -> U32:
    return chromaprint.items_of(sound_of(path), RATE_HZ)


@dataclass(frozen=True, eq=False)
class Told:
    """What was made of uses, of real strangers, and of rendered ones."""

    known: list[Asked]
    strangers: list[Asked]
    rendered: list[Asked]


def ask(pool: Executor, home: Path, side: Side, length_s: int, n: Numbers) -> Told:
    """Ask for all that one side asks for."""
    has_peer = (home / PEER).exists()
    known, strangers = (
        Cell(home, of, side.noise, length_s, n.real, n.most, has_peer) for of in (side.known, side.strangers)
    )
    rendered = Cell(home, side.rendered, side.noise, length_s, n.rendered, n.most, with_peer=False)
    return Told(_asked(pool, known), _asked(pool, strangers), _asked(pool, rendered))


def _asked(pool: Executor, cell: Cell) -> list[Asked]:
    told = []  # and how far it is, on stderr
    for at, some in enumerate(pool.map(partial(_ask, cell), DISTORTIONS), start=1):
        told.extend(some)
        print(f"{cell.length_s} s, {cell.of}: {at} of {len(DISTORTIONS)} distortions", file=sys.stderr, flush=True)
    return told


def _ask(cell: Cell, name: str) -> list[Asked]:
    peer = _peer(cell.home) if cell.with_peer else None
    return [
        Asked(name, query.path.name, _guess(index(cell.home), query), _peers_guess(peer, query) if peer else None)
        for query in queries(cell, name)
    ]


def _guess(prints: FingerprintIndex, query: Query) -> Guess:
    begun = process_time()
    vectors = network().vectors(query.sound, RATE_HZ)
    heard = process_time()
    found = answer(prints, vectors)
    cpu_s = (heard - begun, process_time() - heard)
    first = found.alignments[0] if found.alignments else None
    if first is None or first.track_id != query.path.name:
        return Guess(False, np.nan, found.evidence, cpu_s)
    return Guess(True, abs(first.offset_s - query.begins_s), found.evidence, cpu_s)


def _peers_guess(peer: Chromaprint, query: Query) -> Guess:
    begun = _cpu_s()
    items = chromaprint.items_of(query.sound, RATE_HZ)
    heard = _cpu_s()
    best = peer.best(items)
    cpu_s = (heard - begun, _cpu_s() - heard)
    evidence = np.array([best.score if best else 0.0])
    if best is None or best.name != query.path.name:
        return Guess(False, np.nan, evidence, cpu_s)
    return Guess(True, abs(best.begins_s - query.begins_s), evidence, cpu_s)


def _cpu_s() -> float:
    """Return the CPU time of this process and of the commands it has started."""
    children = getrusage(RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime
