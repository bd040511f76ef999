"""
Two pieces of one recording are to lie near each other, and far from pieces of all others: nobody has to label anything.

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
LEVELS = 0.3  # how far a piece's level may be moved, in units of the log-mel scale
MOST_BANDS, MOST_FRAMES = 12, 24  # that may be blanked out in a piece


def network(start: str) -> Encoder:
    """Return an encoder with the pretrained weights, or with random ones."""
    return pretrained("MSD") if start == "pretrained" else Encoder()


def prepare(path: Path) -> torch.Tensor | None:
    """Read a recording as log-mel frames, shape (n_frames, 96), float16; None where nothing can be heard."""
    try:
        mono = read_audio(path).mono(RATE_HZ)
    except UnreadableAudio:
        return None
    return log_mel(torch.from_numpy(mono)).half() if len(mono) >= RATE_HZ else None


def batches(
    mels: Sequence[torch.Tensor], size: int, rng: np.random.Generator, *, noises: Sequence[torch.Tensor] = ()
) -> Iterator[torch.Tensor]:
    """
    Yield two pieces of each of `size` recordings, shape (2 * size, 187, 96): the first pieces, then the second.

    Every recording comes once, in a drawn order; an incomplete last batch is left out. Noise is not mixed in.
    """
    del noises
    order = rng.permutation(len(mels))
    for start in range(0, len(order) - size + 1, size):
        some = [mels[at] for at in order[start : start + size]]
        yield torch.stack([_piece(mel, rng) for _ in range(2) for mel in some])


def _piece(mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Cut 3 s out, move its level, and blank out some bands and frames."""
    long_enough = mel.repeat(-(-N_FRAMES // len(mel)), 1)
    start = int(rng.integers(len(long_enough) - N_FRAMES + 1))
    piece = (long_enough[start : start + N_FRAMES].float() + float(rng.uniform(-LEVELS, LEVELS))).clamp(min=0)
    band, frame = int(rng.integers(piece.shape[1])), int(rng.integers(N_FRAMES))
    piece[:, band : band + int(rng.integers(MOST_BANDS))] = 0
    piece[frame : frame + int(rng.integers(MOST_FRAMES))] = 0
    return piece


def places(encoder: Encoder, batch: torch.Tensor) -> torch.Tensor:
    """Return where pieces lie, as vectors of length 1: each channel in units of its spread in the batch."""
    mean = encoder(batch).mean  # (2B, 753)
    return functional.normalize((mean - mean.mean(dim=0)) / (mean.std(dim=0) + 1e-3), dim=1)


def loss(encoder: Encoder, batch: torch.Tensor) -> torch.Tensor:
    """Return NT-Xent: minus the log of the other piece's share among all pieces, by likeness."""
    cosines, other = likeness(places(encoder, batch))
    return functional.cross_entropy(cosines / TEMPERATURE, other)


def score(encoder: Encoder, batch: torch.Tensor) -> float:
    """Return the share of pieces to which the other piece of their recording is nearest, 0..1."""
    with torch.inference_mode():
        cosines, other = likeness(places(encoder, batch))
    return float((cosines.argmax(dim=1) == other).float().mean())


def likeness(vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the cosines of all pieces, none with itself, (2B, 2B), and which is the other piece of each, (2B,)."""
    n = len(vectors)
    cosines = (vectors @ vectors.T).masked_fill(torch.eye(n, dtype=torch.bool), -torch.inf)
    return cosines, (torch.arange(n) + n // 2) % n
