"""
Contrastive training without labels: pieces of the same recording get similar vectors, other pieces dissimilar vectors.

Source: Chen, Kornblith, Norouzi, Hinton, A Simple Framework for Contrastive Learning of Visual Representations (ICML
2020): the loss NT-Xent; on music: Spijkervet, Burgoyne, Contrastive Learning of Musical Representations (ISMIR 2021).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from recsys.audio.embedding import embed
from recsys.audio.embedding.encoder import N_FRAMES, Encoder
from recsys.audio.embedding.pretrained import pretrained
from recsys.audio.mel import RATE_HZ, log_mel
from recsys.audio.signal import UnreadableAudio, read_audio

FORMAT = embed.FORMAT
TEMPERATURE = 0.1
LEVELS = 0.3  # largest random shift of a piece's level, in units of the log-mel scale
MAX_MASKED_BANDS, MAX_MASKED_FRAMES = 12, 24  # per piece


def network(start: str) -> Encoder:
    """Return an encoder with pretrained or with random weights."""
    return pretrained("MSD") if start == "pretrained" else Encoder()


def prepare(path: Path) -> torch.Tensor | None:
    """Read a recording as log-mel frames, shape (n_frames, 96), float16; None if unreadable or shorter than 1 s."""
    try:
        mono = read_audio(path).mono(RATE_HZ)
    except UnreadableAudio:
        return None
    return log_mel(torch.from_numpy(mono)).half() if len(mono) >= RATE_HZ else None


def batches(
    mels: Sequence[torch.Tensor], size: int, rng: np.random.Generator, *, noises: Sequence[torch.Tensor] = ()
) -> Iterator[torch.Tensor]:
    """
    Yield batches of two pieces of `size` recordings each, shape (2 * size, 187, 96): first pieces, then second pieces.

    Every recording is used once, in random order; an incomplete last batch is left out. `noises` is ignored.
    """
    del noises
    order = rng.permutation(len(mels))
    for start in range(0, len(order) - size + 1, size):
        chosen = [mels[row] for row in order[start : start + size]]
        yield torch.stack([_piece(mel, rng) for _ in range(2) for mel in chosen])


def _piece(mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Cut a random piece of 3 s, shift its level, and mask some bands and frames."""
    long_enough = mel.repeat(-(-N_FRAMES // len(mel)), 1)
    start = int(rng.integers(len(long_enough) - N_FRAMES + 1))
    piece = (long_enough[start : start + N_FRAMES].float() + float(rng.uniform(-LEVELS, LEVELS))).clamp(min=0)
    band, frame = int(rng.integers(piece.shape[1])), int(rng.integers(N_FRAMES))
    piece[:, band : band + int(rng.integers(MAX_MASKED_BANDS))] = 0
    piece[frame : frame + int(rng.integers(MAX_MASKED_FRAMES))] = 0
    return piece


def embeddings(encoder: Encoder, batch: torch.Tensor) -> torch.Tensor:
    """Return unit vectors of pieces, shape (2B, 753), each channel standardised within the batch."""
    mean = encoder(batch).mean  # (2B, 753)
    return functional.normalize((mean - mean.mean(dim=0)) / (mean.std(dim=0) + 1e-3), dim=1)


def loss(encoder: Encoder, batch: torch.Tensor) -> torch.Tensor:
    """Return NT-Xent: the cross-entropy of finding each piece's counterpart among all pieces by similarity."""
    cosines, other = pairwise_cosines(embeddings(encoder, batch))
    return functional.cross_entropy(cosines / TEMPERATURE, other)


def score(encoder: Encoder, batch: torch.Tensor) -> float:
    """Return the share of pieces whose nearest piece is the other piece of the same recording, 0..1."""
    with torch.inference_mode():
        cosines, other = pairwise_cosines(embeddings(encoder, batch))
    return float((cosines.argmax(dim=1) == other).float().mean())


def pairwise_cosines(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return all pairwise cosines, (2B, 2B), diagonal -inf, and the row of each piece's counterpart, (2B,)."""
    n = len(vectors)
    cosines = (vectors @ vectors.T).masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    return cosines, (torch.arange(n) + n // 2) % n
