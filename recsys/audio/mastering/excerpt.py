"""An excerpt of a file for the players of a report."""

from io import BytesIO
from pathlib import Path

import numpy as np
from soundfile import SoundFile

from recsys.arrays import F32, F64
from recsys.audio.features.loudness import STEP_S
from recsys.audio.signal import channel_pieces, resample, without_invalid

EXCERPT_S = 20.0
MAX_RATE_HZ = 48_000
LEAD_S = 8.0  # of an excerpt before the loudest 3 s


def excerpt(path: Path, start_s: float) -> bytes:
    """
    Return 20 s of a file as FLAC of 16 bits, at most 48 kHz.

    Args:
        path: The file, of whose channels the first two are kept.
        start_s: Beginning of the excerpt [s].

    Raises:
        UnreadableAudio: Nothing of the file can be decoded.
    """
    kept, own_hz, n_before = [], 0, 0
    for piece in channel_pieces(path):
        own_hz, start = piece.rate_hz, round(start_s * piece.rate_hz) - n_before
        kept.append(piece.samples[:2, max(0, start) : max(0, start + round(EXCERPT_S * own_hz))])
        n_before += piece.samples.shape[1]
        if n_before >= (start_s + EXCERPT_S) * own_hz:
            break
    whole = without_invalid(np.concatenate(kept, axis=1))
    rate_hz = min(own_hz, MAX_RATE_HZ)
    samples = np.clip(np.stack([resample(channel, own_hz, rate_hz) for channel in whole]), -1, 1)
    return flac(samples, rate_hz)


def flac(samples: F32, rate_hz: int) -> bytes:
    """Return samples, shape (n_channels, n_samples), at most full scale, as FLAC of 16 bits."""
    buffer = BytesIO()
    with SoundFile(buffer, "w", rate_hz, len(samples), "PCM_16", format="FLAC") as file:
        file.write(np.ascontiguousarray(samples.T))
    return buffer.getvalue()


def loudest_s(short_term_lufs: F64) -> float:
    """Return where an excerpt starts [s]: a little before the loudest 3 s of a curve of one value per 0.1 s."""
    return max(0.0, STEP_S * int(np.argmax(short_term_lufs)) - LEAD_S) if len(short_term_lufs) else 0.0
