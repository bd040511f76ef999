"""What matching costs: CPU time of indexing, of queries in a large index, and of its changes; the size of the index."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from bench.audio.recordings import recordings
from bench.matching.answers import index
from bench.matching.distortions import RATE_HZ
from bench.matching.queries import SEED, TEST, QuerySet, queries
from bench.matching.search import best, looks_of, network
from bench.options import audio_folder
from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, VECTOR_HOP_S
from recsys.audio.signal import read_audio
from recsys.matching.fingerprint_index import FingerprintIndex

PERTURBED = 0.5  # expected length of the noise added to a vector of length 1
LENGTH_S = 10


def enlarged(small: FingerprintIndex, hours: float) -> FingerprintIndex:
    """Return the index with perturbed copies of its recordings added until it holds `hours` of audio."""
    rng = np.random.default_rng(SEED)
    ids, vectors = list(small.ids), [small.vectors(*small.starts[row : row + 2]) for row in range(len(small))]
    n_target, n = int(hours * 3_600 / (INDEX_STEP * VECTOR_HOP_S)), sum(map(len, vectors))
    while n < n_target:
        original = vectors[len(vectors) % len(small)]
        copied = original + PERTURBED * rng.standard_normal(original.shape, np.float32) / np.sqrt(original.shape[1])
        vectors.append(np.asarray(copied / np.linalg.norm(copied, axis=1, keepdims=True), np.float32))
        ids.append(f"copy {len(ids)}")
        n += len(original)
    return FingerprintIndex.build(ids, vectors, version=small.version)


def print_costs(home: Path, hours: float, max_per_part: int) -> None:
    """Print the size of an index of `hours` of audio, and the CPU time of indexing and of queries of 10 s."""
    paths = recordings(audio_folder())[TEST.indexed][:max_per_part]
    started = process_time()
    n_windows = sum(len(network().vectors(read_audio(path).mono(RATE_HZ), RATE_HZ)) for path in paths)
    indexing_s = process_time() - started
    print(f"indexing, with decoding: {indexing_s / (n_windows * VECTOR_HOP_S / 3_600):.1f} CPU-s per hour of audio")
    large = enlarged(index(home), hours)
    query_set = QuerySet(home, TEST.indexed, TEST.noise, LENGTH_S, len(paths), max_per_part, with_peer=False)
    excerpts = list(queries(query_set, "phone"))
    started = process_time()
    looks = [looks_of(query.sound, RATE_HZ) for query in excerpts]
    fingerprint_ms = 1000 * (process_time() - started) / len(looks)
    started = process_time()
    answers = [best(large, of_query, LENGTH_S) for of_query in looks]
    query_ms = 1000 * (process_time() - started) / len(looks)
    share_found = np.mean([found.recording == query.path.name for found, query in zip(answers, excerpts, strict=True)])
    n_rows = int(large.starts[-1])
    indexed_h = n_rows * INDEX_STEP * VECTOR_HOP_S / 3_600
    print(f"{indexed_h:.0f} h: {n_rows:,} vectors, {large.n_bytes / 2**20 / indexed_h:.2f} MB per hour")
    print(
        f"10 s by phone, at {len(looks[0])} pitches: fingerprints {fingerprint_ms:.1f} ms, search {query_ms:.1f} ms "
        f"CPU per query, the original ranked first in {share_found:.0%}"
    )
    with TemporaryDirectory() as folder:
        print_changes(large, Path(folder) / "index", looks)


def print_changes(index: FingerprintIndex, folder: Path, queries: list[list[F32]]) -> None:
    """Print the time to save and load an index, to remove a recording and add it again, and to build it anew."""
    name = index.ids[0]
    vectors = index.vectors(*index.starts[:2])
    with _printing_time("save"):
        index.save(folder)
    print(f"on disk: {sum(path.stat().st_size for path in folder.iterdir()) / 2**20:.0f} MB")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        own_mb, of_files_mb = pool.submit(_memory_mb, folder, queries).result()
    print(f"memory, loaded, after {len(queries)} queries: {own_mb:.0f} MB and {of_files_mb:.0f} MB of its files")
    with _printing_time("load"):
        loaded = FingerprintIndex.load(folder)
    with _printing_time("remove one recording"):
        loaded.remove([name])
    with _printing_time("add one recording"):
        loaded.add([name], [vectors])
    every = [loaded.vectors(*loaded.starts[row : row + 2]) for row in range(len(loaded))]
    with _printing_time("build anew from the vectors of another network"):
        FingerprintIndex.build(loaded.ids, every, version="another")


def _memory_mb(folder: Path, queries: list[list[F32]]) -> tuple[float, float]:
    """Return the memory that this process needs to load and search an index: its own, and of mapped files [MB]."""
    before = _resident_mb()
    loaded = FingerprintIndex.load(folder)
    for looks in queries:
        best(loaded, looks, LENGTH_S)
    after = _resident_mb()
    return after["RssAnon"] - before["RssAnon"], after["RssFile"] - before["RssFile"]


def _resident_mb() -> dict[str, float]:
    lines = (line.split() for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return {words[0].rstrip(":"): int(words[1]) / 1_024 for words in lines if words[0].startswith("Rss")}


@contextmanager
def _printing_time(what: str) -> Iterator[None]:
    started, used = perf_counter(), process_time()
    yield
    print(f"{what}: {perf_counter() - started:.2f} s, {process_time() - used:.2f} CPU-s")
