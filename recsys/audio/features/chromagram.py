"""
The chromagram of a recording: which pitch classes sound when. Tunes in sound are compared by it (`matching/tunes`).

It is written as text of twelve hexadecimal digits per frame, C to B: the strength of each pitch class relative to the
strongest one of its frame, 0 to f. All are 0 where the recording is nearly silent. Neither words nor voices can be
heard in it, but melody and harmony can.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.features.harmony import QUIET
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import HOP_LONG

FRAME_S = HOP_LONG / RATE_HZ  # from one frame to the next [s]
MIDDLE, HIGH, LEVEL = 1, 2, 5  # of the profiles of `harmony.profiles`
LARGEST = 15
LONGEST_FRAMES = 2_344  # ten minutes: what follows is not compared
DIGITS = "0123456789abcdef"


def chromagram_text(profiles: F32) -> str:
    """
    Return the chromagram of the first ten minutes as text.

    Args:
        profiles: Profiles of pitch classes in each long frame, shape (n_frames, 6, 12) (`harmony.profiles`).
    """
    profiles = profiles[:LONGEST_FRAMES]
    heard = profiles[:, MIDDLE] + profiles[:, HIGH]
    strongest = np.maximum(heard.max(axis=1, keepdims=True), 1e-6)
    is_silent = profiles[:, LEVEL, :1] <= QUIET
    steps = np.where(is_silent, 0, np.rint(LARGEST * heard / strongest)).astype(np.uint8)
    return steps.tobytes().translate(bytes.maketrans(bytes(range(16)), DIGITS.encode())).decode()


def chromagram_of(text: str) -> F32:
    """Return the strength of the pitch classes C to B in each frame, 0..1, shape (n_frames, 12)."""
    steps = np.frombuffer(text.encode().translate(bytes.maketrans(DIGITS.encode(), bytes(range(16)))), np.uint8)
    return (steps.reshape(-1, 12) / LARGEST).astype(np.float32)
