"""
Training of fingerprints: a second of music and its distorted copy get similar vectors, different music dissimilar ones.

A batch also contains other seconds of the same recordings, so that the network learns to distinguish them. Most copies
are covered by other sounds, down to 10 dB below them, since covered uses are the hardest to find. The source of the
loss is named in `contrastive`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from recsys.arrays import F32, Rows
from recsys.audio.fingerprint.fingerprinter import (
    FIRST_VECTOR_S,
    HOP,
    N_FFT,
    N_SAMPLES,
    RATE_HZ,
    VECTOR_HOP_S,
    Fingerprint,
    Fingerprinter,
    n_vectors,
)
from recsys.audio.fingerprint.fingerprinter import spectrogram as spectrogram_of
from recsys.audio.signal import UnreadableAudio, read_audio
from recsys.audio.training import distort
from recsys.audio.training.tasks.contrastive import pairwise_cosines

FORMAT = "fingerprint1"
TEMPERATURE = 0.05
EXCERPT = 12 * RATE_HZ  # samples of an excerpt before its distortion
DISTORTED = 10 * RATE_HZ  # samples used of the distorted excerpt, which may be shorter than 12 s
EXCERPTS_PER_RECORDING = 4  # per epoch
PAIRS_PER_EXCERPT = 14  # at least half a second apart
CHANGES = {"none": 0.4, "speed": 0.15, "tempo": 0.15, "pitch": 0.15, "tempo and pitch": 0.15}  # their probabilities
COVERS = {"none": 0.1, "sounds": 0.45, "music": 0.2, "sounds and music": 0.1, "made noise": 0.15}
LAYERS = (0.6, 0.25, 0.15)  # probabilities that one, two or three recorded sounds are heard at once


class Pairs(NamedTuple):
    """
    Clean and distorted excerpts, and the rows of corresponding vectors.

    Attributes:
        clean: Spectrograms of the excerpts, shape (B, n_frames, 112).
        distorted: Spectrograms of the distorted excerpts, shape (B, n_frames_distorted, 112).
        clean_rows: Rows of the paired vectors in each clean excerpt, shape (B, 14).
        distorted_rows: Rows of the corresponding vectors in each distorted excerpt, shape (B, 14).
    """

    clean: torch.Tensor
    distorted: torch.Tensor
    clean_rows: torch.Tensor
    distorted_rows: torch.Tensor


def network(start: str) -> nn.Module:
    """Return the shipped network, or one with random weights."""
    return Fingerprinter.load().network if start == "pretrained" else Fingerprint()


def prepare(path: Path) -> torch.Tensor | None:
    """Read a recording at 8 kHz and level 1, shape (n,), float16; None if it is unreadable, silent or too short."""
    try:
        mono = read_audio(path).mono(RATE_HZ)
    except UnreadableAudio:
        return None
    level = float(np.sqrt(np.square(mono, dtype=np.float64).mean())) if len(mono) else 0.0
    return torch.from_numpy(mono / np.float32(level)).half() if level and len(mono) > 2 * N_SAMPLES else None


def batches(
    sounds: Sequence[torch.Tensor], size: int, rng: np.random.Generator, *, noises: Sequence[torch.Tensor] = ()
) -> Iterator[Pairs]:
    """
    Yield batches of excerpts, clean and distorted.

    Every recording gives four excerpts, in random order; an incomplete last batch is left out.

    Args:
        sounds: Recordings prepared by `prepare`.
        size: Excerpts per batch.
        rng: Random generator for excerpts and distortions.
        noises: Recorded noise and speech, read by `prepare`, which are mixed in as well as made noise.
    """
    order = np.concatenate([rng.permutation(len(sounds)) for _ in range(EXCERPTS_PER_RECORDING)])
    for start in range(0, len(order) - size + 1, size):
        pairs = [_pair(sounds, int(row), rng, noises) for row in order[start : start + size]]
        clean, distorted, clean_rows, distorted_rows = (
            torch.from_numpy(np.stack(arrays)) for arrays in zip(*pairs, strict=True)
        )
        yield Pairs(spectrogram_of(clean), spectrogram_of(distorted), clean_rows, distorted_rows)


def _pair(
    sounds: Sequence[torch.Tensor], row: int, rng: np.random.Generator, noises: Sequence[torch.Tensor]
) -> tuple[F32, F32, Rows, Rows]:
    """Return an excerpt, its distorted copy, and the rows of vectors that describe the same moments in both."""
    excerpt = _excerpt(sounds[row], rng)
    other = _excerpt(sounds[int(rng.integers(len(sounds)))], rng)
    changed, ratio = _distorted(excerpt, other, noises, rng)
    late = int(rng.integers(len(changed) - DISTORTED + 1)) if ratio > 1 else int(rng.integers(EXCERPT - DISTORTED))
    rows = np.arange(int(rng.integers(2)), _n_vectors(EXCERPT), 2)
    partners = ((FIRST_VECTOR_S + VECTOR_HOP_S * rows) / ratio - late / RATE_HZ - FIRST_VECTOR_S) / VECTOR_HOP_S
    rows = rows[(partners > -0.5) & (partners < _n_vectors(DISTORTED) - 0.5)]
    rows = rng.permutation(rows)[:PAIRS_PER_EXCERPT]
    partners = ((FIRST_VECTOR_S + VECTOR_HOP_S * rows) / ratio - late / RATE_HZ - FIRST_VECTOR_S) / VECTOR_HOP_S
    return excerpt, changed[late : late + DISTORTED], rows, np.rint(partners).astype(np.int64)


def _n_vectors(n_samples: int) -> int:
    return n_vectors(1 + (n_samples - N_FFT) // HOP)


def _excerpt(sound: torch.Tensor, rng: np.random.Generator) -> F32:
    start = int(rng.integers(max(1, len(sound) - EXCERPT)))
    return np.resize(sound[start : start + EXCERPT].float().numpy(), EXCERPT)


def _distorted(sound: F32, other: F32, noises: Sequence[torch.Tensor], rng: np.random.Generator) -> tuple[F32, float]:
    """Distort an excerpt as typical for uploads; return it and the ratio of its tempo to the original."""
    sound, ratio = _transposed(sound, rng)
    if rng.random() < 0.35:
        sound = distort.with_reverb(sound, RATE_HZ, rng.uniform(0.2, 1.8), rng, wet_db=rng.uniform(-6, 6))
    sound = _covered(sound, other, noises, rng)
    if rng.random() < 0.35:
        low_hz = rng.uniform(150, 600) if rng.random() < 0.7 else 0
        sound = distort.band_limited(sound, RATE_HZ, low_hz, rng.uniform(1_500, 3_900))
    if rng.random() < 0.1:
        sound = distort.compressed(sound, RATE_HZ)
    if rng.random() < 0.1:
        sound = distort.mp3_coded(sound, RATE_HZ, 16)
    return sound, ratio


def _transposed(sound: F32, rng: np.random.Generator) -> tuple[F32, float]:
    """Change pitch by up to 3 semitones, tempo by up to 15 %, speed by up to 8 %, or nothing."""
    change = _drawn(CHANGES, rng)
    if change == "speed":
        ratio = rng.uniform(0.92, 1.08)
        return distort.with_speed(sound, ratio), ratio
    if "pitch" in change:
        sound = distort.with_pitch(sound, RATE_HZ, rng.uniform(-3, 3))
    if "tempo" not in change:
        return sound, 1.0
    ratio = rng.uniform(0.85, 1.15)
    return distort.with_tempo(sound, RATE_HZ, ratio), ratio


def _covered(sound: F32, other: F32, noises: Sequence[torch.Tensor], rng: np.random.Generator) -> F32:
    """Mix in recorded sounds, other music, both, or noise from white to brown; one excerpt in ten stays as it is."""
    cover = _drawn(COVERS, rng)
    if "music" in cover:
        sound = distort.with_background(sound, other, rng.uniform(0, 10), rng)
    if "sounds" in cover and noises:
        sound = distort.with_background(sound, _sounds(noises, rng), rng.uniform(-10, 10), rng)
    if cover == "made noise":
        noise = distort.coloured_noise(len(sound), rng.uniform(0, 1), rng)
        sound = distort.with_background(sound, noise, rng.uniform(-10, 10), rng)
    return sound


def _sounds(noises: Sequence[torch.Tensor], rng: np.random.Generator) -> F32:
    """Return up to three layers of recorded sounds at once, at different speeds and levels, shape (96_000,)."""
    mixed = np.zeros(EXCERPT, np.float32)
    for _ in range(1 + int(rng.choice(len(LAYERS), p=LAYERS))):
        clips = [noises[row].float().numpy() for row in rng.integers(len(noises), size=rng.integers(1, 4))]
        layer = distort.with_speed(np.concatenate(clips)[: 2 * EXCERPT], rng.uniform(0.7, 1.4))
        mixed += np.resize(layer, EXCERPT) * np.float32(10 ** (rng.uniform(-6, 6) / 20))
    return mixed


def _drawn(probabilities: dict[str, float], rng: np.random.Generator) -> str:
    return str(rng.choice(list(probabilities), p=list(probabilities.values())))


def loss(encoder: nn.Module, batch: Pairs) -> torch.Tensor:
    """
    Return the contrastive loss (NT-Xent, see `contrastive`).

    It is the cross-entropy of finding the distorted counterpart of each clean vector among all vectors of the batch,
    and the reverse.
    """
    cosines, other = pairwise_cosines(torch.cat(_vectors(encoder, batch)))
    return functional.cross_entropy(cosines / TEMPERATURE, other)


def score(encoder: nn.Module, batch: Pairs) -> float:
    """Return the share of distorted vectors whose nearest clean vector is the corresponding one, 0..1."""
    with torch.inference_mode():
        clean, distorted = _vectors(encoder, batch)
    return float(((distorted @ clean.T).argmax(dim=1) == torch.arange(len(clean))).float().mean())


def _vectors(encoder: nn.Module, batch: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Return the paired vectors of clean and of distorted excerpts, shape (B * 14, 128) each.

    The network computes with 16 bits where the processor has instructions for it: twice as fast as with 32 there, and
    ten times slower elsewhere.
    """
    rows = torch.arange(len(batch.clean))[:, None]
    with torch.autocast("cpu", torch.bfloat16, enabled=_has_bfloat16()):
        clean, distorted = encoder(batch.clean).float(), encoder(batch.distorted).float()
    return clean[rows, batch.clean_rows].flatten(0, 1), distorted[rows, batch.distorted_rows].flatten(0, 1)


def _has_bfloat16() -> bool:
    processor = torch.cpu.get_capabilities()
    return any(processor.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
