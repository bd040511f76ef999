"""What matching costs: CPU time of indexing, and of queries in an index filled up with perturbed copies; its size."""

from pathlib import Path
from time import process_time

import numpy as np

from bench.distorted import RATE_HZ
from bench.matching.answers import index, network
from bench.matching.queries import SEED, TEST, Cell, queries
from bench.options import audio_folder
from bench.recordings import recordings
from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, VECTOR_HOP_S
from recsys.audio.signal import read_audio
from recsys.matching.alignment import align_query
from recsys.matching.fingerprint_index import FingerprintIndex

PERTURBED = 0.5  # length of what is added to a vector of length 1
LENGTH_S = 10


def filled(own: FingerprintIndex, hours: float) -> FingerprintIndex:
    """Fill an index up with perturbed copies of its recordings."""
    rng = np.random.default_rng(SEED)
    ids, vectors = list(own.ids), [own.vectors(*own.starts[at : at + 2]) for at in range(len(own))]
    n_wanted, n = int(hours * 3_600 / (INDEX_STEP * VECTOR_HOP_S)), sum(map(len, vectors))
    while n < n_wanted:
        copied = vectors[len(vectors) % len(own)]
        moved = copied + PERTURBED * rng.standard_normal(copied.shape, np.float32) / np.sqrt(copied.shape[1])
        vectors.append(np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32))
        ids.append(f"copy {len(ids)}")
        n += len(copied)
    return FingerprintIndex.build(ids, vectors, version=own.version)


def tell_price(home: Path, hours: float, most: int) -> None:
    """Print the size of an index of so many hours, and the CPU time of indexing and of queries of 10 s."""
    own = recordings(audio_folder())[TEST.known][:most]
    begun = process_time()
    rows = sum(len(network().vectors(read_audio(path).mono(RATE_HZ), RATE_HZ)) for path in own)
    seconds = (process_time() - begun) / (rows * VECTOR_HOP_S / 3_600)
    print(f"indexing, with decoding: {seconds:.1f} CPU-s per hour of audio")
    prints = filled(index(home), hours)
    pieces = list(queries(Cell(home, TEST.known, TEST.noise, LENGTH_S, len(own), most, with_peer=False), "phone"))
    vectors = [network().vectors(piece.sound, RATE_HZ) for piece in pieces]
    begun = process_time()
    answers = [align_query(prints, each) for each in vectors]
    each_ms = 1000 * (process_time() - begun) / len(vectors)
    first = [found.alignments[0].track_id if found.alignments else "" for found in answers]
    right = np.mean([name == piece.path.name for name, piece in zip(first, pieces, strict=True)])
    n_rows = int(prints.starts[-1])
    full_h = n_rows * INDEX_STEP * VECTOR_HOP_S / 3_600
    print(f"{full_h:.0f} h: {n_rows:,} vectors, {prints.n_bytes / 2**20 / full_h:.2f} MB an hour")
    print(f"10 s by phone: {each_ms:.1f} ms CPU an answer, the original first in {right:.0%}")
