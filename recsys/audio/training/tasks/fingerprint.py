"""
A second of music and the same second distorted are to lie near each other; other seconds, far away.

Other seconds of the same recording stand in each batch too, so that the network must tell neighbours apart. Source of
the loss: see `contrastive`.
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
    APART_S,
    FIRST_S,
    HOP,
    N_FFT,
    N_SAMPLES,
    RATE_HZ,
    Fingerprint,
    n_vectors,
)
from recsys.audio.fingerprint.fingerprinter import spectrogram as spectrogram_of
from recsys.audio.signal import UnreadableAudio, read_audio
from recsys.audio.training import distort
from recsys.audio.training.tasks.contrastive import likeness
from recsys.errors import InputError

FORMAT = "fingerprint1"
TEMPERATURE = 0.05
EXCERPT = 12 * RATE_HZ  # what is distorted at a time
DISTORTED = 10 * RATE_HZ  # and so much of it is looked at: of a piece played faster no more is left
EXCERPTS_EACH = 4  # of a recording in an epoch
SECONDS_EACH = 14  # pairs of an excerpt, half a second and more apart


class Pairs(NamedTuple):
    """
    Pieces, clean and distorted, and which of their vectors belong together.

    Attributes:
        clean: Spectrograms, shape (B, n_frames, 112).
        distorted: Spectrograms, shape (B, n_frames of a shorter piece, 112).
        clean_at, distorted_at: Which vectors of each piece, shape (B, 14).
    """

    clean: torch.Tensor
    distorted: torch.Tensor
    clean_at: torch.Tensor
    distorted_at: torch.Tensor


def network(start: str) -> nn.Module:
    """Return a network of random weights."""
    if start != "random":
        raise InputError(f"The fingerprint starts from random weights only, found start = {start!r}")
    return Fingerprint()


def prepare(path: Path) -> torch.Tensor | None:
    """Read a recording at 8 kHz, shape (n,), float16, its level 1; None where nothing can be heard."""
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
    Yield pieces of `size` recordings, clean and distorted.

    Every recording comes four times, in a drawn order; an incomplete last batch is left out.

    Args:
        sounds: Recordings as `prepare` gives them.
        size: Pieces in a batch.
        rng: Draws pieces and distortions.
        noises: Recorded noise that is mixed in beside white and pink.
    """
    order = np.concatenate([rng.permutation(len(sounds)) for _ in range(EXCERPTS_EACH)])
    for start in range(0, len(order) - size + 1, size):
        pieces = [_piece(sounds, int(at), rng, noises) for at in order[start : start + size]]
        clean, distorted, clean_at, distorted_at = (
            torch.from_numpy(np.stack(each)) for each in zip(*pieces, strict=True)
        )
        yield Pairs(spectrogram_of(clean), spectrogram_of(distorted), clean_at, distorted_at)


def _piece(
    sounds: Sequence[torch.Tensor], at: int, rng: np.random.Generator, noises: Sequence[torch.Tensor]
) -> tuple[F32, F32, Rows, Rows]:
    """Cut a piece out and distort it; say which seconds of it are to lie near which."""
    excerpt = _excerpt(sounds[at], rng)
    other = _excerpt(sounds[int(rng.integers(len(sounds)))], rng)
    noise = noises[int(rng.integers(len(noises)))].float().numpy() if noises else distort.pink_noise(EXCERPT, rng)
    changed, ratio = _distorted(excerpt, other, noise, rng)
    late = int(rng.integers(len(changed) - DISTORTED + 1)) if ratio > 1 else int(rng.integers(EXCERPT - DISTORTED))
    seconds = np.arange(int(rng.integers(2)), _n_vectors(EXCERPT), 2)
    place = ((FIRST_S + APART_S * seconds) / ratio - late / RATE_HZ - FIRST_S) / APART_S
    seconds = seconds[(place > -0.5) & (place < _n_vectors(DISTORTED) - 0.5)]
    seconds = rng.permutation(seconds)[:SECONDS_EACH]
    place = ((FIRST_S + APART_S * seconds) / ratio - late / RATE_HZ - FIRST_S) / APART_S
    return excerpt, changed[late : late + DISTORTED], seconds, np.rint(place).astype(np.int64)


def _n_vectors(n_samples: int) -> int:
    return n_vectors(1 + (n_samples - N_FFT) // HOP)


def _excerpt(sound: torch.Tensor, rng: np.random.Generator) -> F32:
    start = int(rng.integers(max(1, len(sound) - EXCERPT)))
    return np.resize(sound[start : start + EXCERPT].float().numpy(), EXCERPT)


def _distorted(sound: F32, other: F32, noise: F32, rng: np.random.Generator) -> tuple[F32, float]:
    """Do to a piece what uploads do; return it, and by how much it became faster."""
    sound, ratio = _moved(sound, rng)
    if rng.random() < 0.35:
        sound = distort.in_room(sound, RATE_HZ, rng.uniform(0.2, 1.8), rng, wet_db=rng.uniform(-6, 6))
    if rng.random() < 0.8:
        sound = _covered(sound, other, noise, rng)
    if rng.random() < 0.35:
        low_hz = rng.uniform(150, 600) if rng.random() < 0.7 else 0
        sound = distort.through_band(sound, RATE_HZ, low_hz, rng.uniform(1_500, 3_900))
    if rng.random() < 0.1:
        sound = distort.squeezed(sound, RATE_HZ)
    if rng.random() < 0.1:
        sound = distort.through_mp3(sound, RATE_HZ, 16)
    return sound, ratio


def _moved(sound: F32, rng: np.random.Generator) -> tuple[F32, float]:
    """Change pitch by up to 3 semitones, tempo by up to 15 %, speed by up to 8 %, or nothing."""
    way = rng.integers(5)
    if way == 0:
        return sound, 1.0
    if way == 1:
        ratio = rng.uniform(0.92, 1.08)
        return distort.with_speed(sound, ratio), ratio
    ratio = rng.uniform(0.85, 1.15) if way in {2, 3} else 1.0
    if way in {3, 4}:
        sound = distort.with_pitch(sound, RATE_HZ, rng.uniform(-3, 3))
    return (distort.with_tempo(sound, RATE_HZ, ratio), ratio) if ratio != 1 else (sound, 1.0)


def _covered(sound: F32, other: F32, noise: F32, rng: np.random.Generator) -> F32:
    """Mix in recorded noise, other music, white or pink noise."""
    way = rng.choice(4, p=(0.45, 0.2, 0.1, 0.25))
    if way == 1:
        return distort.with_other(sound, other, rng.uniform(0, 12), rng)
    if way == 0:
        noise = distort.with_speed(noise, rng.uniform(0.7, 1.4))
    else:
        noise = (distort.white_noise if way == 2 else distort.pink_noise)(len(sound), rng)
    return distort.with_other(sound, noise, rng.uniform(-7, 12), rng)


def loss(encoder: nn.Module, batch: Pairs) -> torch.Tensor:
    """Return NT-Xent over all pairs of the batch."""
    cosines, other = likeness(torch.cat(_vectors(encoder, batch)))
    return functional.cross_entropy(cosines / TEMPERATURE, other)


def score(encoder: nn.Module, batch: Pairs) -> float:
    """Return the share of distorted seconds to which their clean one is the nearest clean one, 0..1."""
    with torch.inference_mode():
        clean, distorted = _vectors(encoder, batch)
    return float(((distorted @ clean.T).argmax(dim=1) == torch.arange(len(clean))).float().mean())


def _vectors(encoder: nn.Module, batch: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the vectors of the clean seconds and of the distorted ones, shape (B * 14, 128) each."""
    rows = torch.arange(len(batch.clean))[:, None]
    clean, distorted = encoder(batch.clean), encoder(batch.distorted)
    return clean[rows, batch.clean_at].flatten(0, 1), distorted[rows, batch.distorted_at].flatten(0, 1)
