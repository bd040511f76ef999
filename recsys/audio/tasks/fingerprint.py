"""
A second of music and the same second distorted are to lie near each other; other seconds, far away.

Other seconds of the same recording stand in each batch too, so that the network must tell neighbours apart. Source of
the loss: see `contrastive`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from recsys.audio import distort
from recsys.audio.fingerprint import N_SAMPLES, RATE_HZ, Fingerprint, spectrogram
from recsys.audio.signal import F32, UnreadableAudio, read_audio
from recsys.audio.tasks.contrastive import likeness
from recsys.errors import InputError

FORMAT = "fingerprint1"
TEMPERATURE = 0.05
EXCERPT = 12 * RATE_HZ  # what is distorted at a time
SECONDS_EACH = 8  # pairs cut out of an excerpt
MOST_OFF = 0.26 * RATE_HZ  # half of what lies between two segments of an index


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


def batches(sounds: Sequence[torch.Tensor], size: int, rng: np.random.Generator) -> Iterator[torch.Tensor]:
    """
    Yield segments of `size` recordings, shape (2 * size * 8, 64, 112): the clean ones, then the same ones distorted.

    Every recording comes once, in a drawn order; an incomplete last batch is left out.
    """
    order = rng.permutation(len(sounds))
    for start in range(0, len(order) - size + 1, size):
        pairs = [_pairs(sounds, int(at), rng) for at in order[start : start + size]]
        clean, distorted = (np.concatenate(each) for each in zip(*pairs, strict=True))
        yield spectrogram(torch.from_numpy(np.concatenate([clean, distorted])))


def _pairs(sounds: Sequence[torch.Tensor], at: int, rng: np.random.Generator) -> tuple[F32, F32]:
    """Cut seconds out of a recording, and the same ones out of its distortion, shape (8, n_samples) each."""
    excerpt = _excerpt(sounds[at], rng)
    other = _excerpt(sounds[int(rng.integers(len(sounds)))], rng)
    changed, ratio = _distorted(excerpt, other, rng)
    half = N_SAMPLES // 2
    margin = int(half * 1.2 + MOST_OFF) + 1  # room for a slower piece that begins earlier
    middles = rng.integers(margin, len(excerpt) - margin, SECONDS_EACH)
    places = middles / ratio + rng.uniform(-MOST_OFF, MOST_OFF, SECONDS_EACH)
    starts = np.clip(places.astype(int) - half, 0, len(changed) - N_SAMPLES)
    clean = np.stack([excerpt[middle - half : middle - half + N_SAMPLES] for middle in middles])
    return clean, np.stack([changed[start : start + N_SAMPLES] for start in starts])


def _excerpt(sound: torch.Tensor, rng: np.random.Generator) -> F32:
    start = int(rng.integers(max(1, len(sound) - EXCERPT)))
    return np.resize(sound[start : start + EXCERPT].float().numpy(), EXCERPT)


def _distorted(sound: F32, other: F32, rng: np.random.Generator) -> tuple[F32, float]:
    """Do to a piece what uploads do; return it, and by how much it became faster."""
    sound, ratio = _moved(sound, rng)
    if rng.random() < 0.3:
        sound = distort.in_room(sound, RATE_HZ, rng.uniform(0.2, 1.5), rng, wet_db=rng.uniform(-6, 6))
    if rng.random() < 0.7:
        sound = _covered(sound, other, rng)
    if rng.random() < 0.3:
        low_hz, high_hz = ((300, 3_400), (0, 2_000), (500, 3_800))[rng.integers(3)]
        sound = distort.through_band(sound, RATE_HZ, low_hz, high_hz)
    if rng.random() < 0.15:
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


def _covered(sound: F32, other: F32, rng: np.random.Generator) -> F32:
    """Mix in noise, or other music."""
    way = rng.integers(3)
    if way == 0:
        return distort.with_other(sound, other, rng.uniform(2, 15), rng)
    noise = (distort.white_noise if way == 1 else distort.pink_noise)(len(sound), rng)
    return distort.with_other(sound, noise, rng.uniform(-5, 15), rng)


def loss(encoder: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Return NT-Xent over all pairs of the batch."""
    cosines, other = likeness(encoder(batch))
    return functional.cross_entropy(cosines / TEMPERATURE, other)


def score(encoder: nn.Module, batch: torch.Tensor) -> float:
    """Return the share of distorted seconds to which their clean one is the nearest clean one, 0..1."""
    with torch.inference_mode():
        clean, distorted = encoder(batch).chunk(2)
    return float(((distorted @ clean.T).argmax(dim=1) == torch.arange(len(clean))).float().mean())
