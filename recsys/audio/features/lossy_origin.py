"""
Whether a recording was once coded as MP3 or AAC, read from the grid of its coefficients.

These codecs cut a recording into frames of fixed length, transform each frame and round its coefficients, many of them
to 0. If a decoded recording is transformed again with frames at the same positions, the rounded coefficients reappear;
with frames shifted by a single sample they do not. So the mean logarithm of the coefficients is computed for every
possible position of the grid: a recording that was coded has one position far below all others. Music that is merely
dull, or was low-pass filtered, has none. All excerpts but any one must show it, since a click or a part of a wave can
look like a coded one. Speed changes, resampling and mixing after decoding destroy the grid, and a
recording that was treated in this way is not found.

The filter bank of MP3 is rebuilt from its definition with a prototype filter designed here (a Kaiser window; its bands
add up within 0.02 dB).

Sources: ISO/IEC 11172-3, clause C.1.3 and 2.4.3.4 (filter bank of MP3); ISO/IEC 14496-3, 4.6.11 (that of AAC); Herre,
Schug, Analysis of Decompressed Audio, The Inverse Decoder (AES 2000).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import dct
from scipy.ndimage import median_filter
from scipy.signal import firwin
from scipy.signal.windows import kaiser_bessel_derived

from recsys.arrays import F32, F64

EXCERPT = 4096  # samples of an excerpt
GRID = 9216  # excerpts start at multiples of it: 16 granules of MP3 and 9 frames of AAC
SECTION = 18  # positions of the grid of which one is an excerpt: 3.8 s at 44.1 kHz
N_EXCERPTS = (4, 5)  # that are examined, at least and at most, where there are as many; between, half of them
LEAST_EXCERPTS = 2  # below, no excerpt confirms another
GRANULE, SUBBANDS, LINES, TAPS = 576, 32, 18, 512  # of MP3
FRAME = 1024  # of AAC
KAISER_BETA, CUTOFF = 9.0, 0.0176733  # of the prototype filter; the cutoff as a share of half the sampling rate
BANDS = slice(10, 32)  # subbands that are examined; below, coefficients are rounded too finely to tell
AAC_LINES = slice(40, 700)
FLOOR_POWER = 4 / 12 * 2.0**-30  # four times the power of rounding to 16 bits: smaller coefficients say nothing
LOCAL = 15  # positions of the running median that is taken off
LEAST_SCALE = 1e-9
NEIGHBOURS = 4  # positions on each side of the lowest that may be low with it
UNIQUE = 4.0  # evidence of a lowest position that is only as low as the second lowest
EVIDENCE, STEEPNESS = 5.2, 3.0  # at which the score is 0.5, and its slope there (bench/studio/mastering.py)


class Origin(NamedTuple):
    """
    What the grid says about the origin of a recording.

    Attributes:
        score: Score of an origin as MP3 or AAC, 0..1; it rises with the evidence, but is no calibrated probability.
        codec: The codec with the stronger evidence, mp3 or aac.
        evidence: How far the best position of the grid lies below the others, in robust standard deviations, whichever
            excerpt is left out.
    """

    score: float
    codec: str
    evidence: float


def excerpts_of(samples: F32, first: int) -> F32:
    """
    Choose excerpts of consecutive samples of a recording: of each section, the one of median treble.

    Attacks are avoided, because codecs switch to shorter frames there.

    Args:
        samples: Shape (n_channels, n_samples).
        first: Number of the first sample in the recording.

    Returns:
        Excerpts, shape (n, n_views, 4096): of stereo, the left channel and the mean of both.
    """
    views = samples[:1] if len(samples) == 1 else np.stack([samples[0], (samples[0] + samples[1]) / 2])
    starts = np.arange(-first % GRID, samples.shape[1] - EXCERPT + 1, GRID)
    excerpts = np.array([views[:, start : start + EXCERPT] for start in starts], np.float32)
    chosen = [_of_median_treble(excerpts[n : n + SECTION]) for n in range(0, len(starts), SECTION)]
    return np.array(chosen, np.float32).reshape(-1, len(views), EXCERPT)


def _of_median_treble(excerpts: F32) -> F32:
    treble = np.square(np.diff(excerpts, axis=2)).sum(axis=(1, 2))
    return np.asarray(excerpts[np.argsort(treble)[len(treble) // 2]])


def lossy_origin(excerpts: F32) -> Origin | None:
    """
    Examine excerpts of one recording.

    Args:
        excerpts: Samples, shape (n_excerpts, n_views, 4096); each begins at a multiple of 9,216 samples of the file.
            Views are channels or sums of channels, since codecs round one or the other.

    Returns:
        The origin; None without two excerpts that are not silent.
    """
    audible = excerpts[np.abs(excerpts).max(axis=(1, 2), initial=0.0) > 0]
    if len(audible) < LEAST_EXCERPTS:
        return None
    n_kept = min(len(audible), int(np.clip(len(audible) // 2, *N_EXCERPTS)))
    kept = audible[np.linspace(0, len(audible) - 1, n_kept).round().astype(int)]
    views = range(kept.shape[1])
    evidence = {
        "mp3": max(_evidence(_mp3_positions(kept[:, view])) for view in views),
        "aac": max(_evidence(_aac_positions(kept[:, view])) for view in views),
    }
    codec = max(evidence, key=lambda name: evidence[name])
    strength = float(np.clip(STEEPNESS * (evidence[codec] - EVIDENCE), -50, 50))
    return Origin(float(1 / (1 + np.exp(-strength))), codec, evidence[codec])


def _evidence(positions: F64) -> float:
    """Return the least depth of the mean over all excerpts but one: a click or wave in one excerpt is no evidence."""
    pools = (positions.sum(axis=0) - positions) / (len(positions) - 1)
    return min(map(_depth, pools))


def _depth(positions: F64) -> float:
    """
    Return how far the lowest position lies below the running median, in robust standard deviations.

    A periodic wave has many low positions, so the lowest must also stand out from the second lowest.
    """
    below = median_filter(positions, LOCAL, mode="mirror") - positions
    scale = 1.4826 * float(np.median(np.abs(below)))
    if scale < LEAST_SCALE:
        return 0.0
    best = int(below.argmax())
    others = np.delete(below, np.arange(best - NEIGHBOURS, best + NEIGHBOURS + 1) % len(below))
    return min(float(below[best]) / scale, UNIQUE * float(below[best]) / float(others.max()))


def _mp3_positions(excerpts: F32) -> F64:
    """Return the mean log power of MP3 coefficients at each position of the granules, shape (n_excerpts, 576)."""
    positions = np.zeros((len(excerpts), GRANULE))
    for shift in range(SUBBANDS):
        slots = sliding_window_view(excerpts[:, shift:], TAPS, axis=1)[:, ::SUBBANDS] @ _polyphase()  # (e, s, bands)
        blocks = np.swapaxes(sliding_window_view(slots, 2 * LINES, axis=1), 0, 1)  # (starts, e, bands, 36)
        n_starts = len(blocks) // LINES * LINES
        lines = np.empty((*blocks.shape[:-1], LINES), np.float32)[:n_starts]
        for parity, transform in enumerate(_mdct_36()):
            first = (BANDS.start + parity) % 2
            lines[:, :, first::2] = blocks[:n_starts, :, first::2] @ transform
        logs = np.log(np.square(_without_aliases(lines)) + np.float32(FLOOR_POWER))
        means = logs.mean(axis=(2, 3)).reshape(-1, LINES, len(excerpts)).mean(axis=0)  # (positions, excerpts)
        positions[:, shift::SUBBANDS] = means.T
    return positions


@cache
def _polyphase() -> F32:
    """Return the filters of the examined subbands, reversed in time, each of norm 1; shape (512, n_bands)."""
    prototype = firwin(TAPS + 1, CUTOFF, window=("kaiser", KAISER_BETA))[:TAPS]
    n, band = np.arange(TAPS)[:, None], np.arange(SUBBANDS)[BANDS]
    filters = prototype[:, None] * np.cos((2 * band + 1) * (n - 16) * np.pi / 64)
    return np.ascontiguousarray(filters[::-1] / np.linalg.norm(filters, axis=0), np.float32)


@cache
def _mdct_36() -> tuple[F32, F32]:
    """Return the transform of a block of 36 samples for even and for odd subbands, each of shape (36, 18)."""
    n, line = np.arange(2 * LINES)[:, None], np.arange(LINES)
    transform = np.sin(np.pi / 36 * (n + 0.5)) * np.cos(np.pi / 72 * (2 * n + 19) * (2 * line + 1)) / 3
    inverted = transform * np.where(n % 2, -1, 1)  # the frequencies of odd subbands run downwards
    return transform.astype(np.float32), inverted.astype(np.float32)


def _without_aliases(lines: F32) -> F32:
    """Apply the butterflies of MP3 between neighbouring subbands; shape (..., n_bands, 18) loses its lowest band."""
    factors = np.array([-0.6, -0.535, -0.33, -0.185, -0.095, -0.041, -0.0142, -0.0037])
    cosine = (1 / np.sqrt(1 + factors**2)).astype(np.float32)
    sine = (factors / np.sqrt(1 + factors**2)).astype(np.float32)
    below, above = lines[..., :-1, :-9:-1], lines[..., 1:, :8]
    lines[..., :-1, :-9:-1], lines[..., 1:, :8] = below * cosine + above * sine, above * cosine - below * sine
    return lines[..., 1:, :]


def _aac_positions(excerpts: F32) -> F64:
    """Return the mean log power of AAC coefficients at each position of the frames, shape (n_excerpts, 1024)."""
    positions = np.zeros((len(excerpts), FRAME))
    window = kaiser_bessel_derived(2 * FRAME, 4 * np.pi).astype(np.float32)
    half = FRAME // 2
    n_frames = (EXCERPT - 2 * FRAME) // FRAME
    for number, excerpt in enumerate(excerpts):
        for start in range(0, n_frames * FRAME, FRAME):
            blocks = sliding_window_view(excerpt[start : start + 3 * FRAME - 1], 2 * FRAME) * window  # (1024, 2048)
            first, second, third, fourth = (blocks[:, n * half : (n + 1) * half] for n in range(4))
            folded = np.concatenate([-third[:, ::-1] - fourth, first - second[:, ::-1]], axis=1)
            lines = dct(folded, type=4, norm="ortho", axis=1)[:, AAC_LINES]
            positions[number] += np.log(np.square(lines) + np.float32(FLOOR_POWER)).mean(axis=1)
    return positions / n_frames
