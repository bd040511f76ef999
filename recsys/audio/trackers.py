"""
Play tracker modules (MOD, S3M, XM, IT) by libopenmpt, where the system has this library (Debian: libopenmpt0).

A module is played once, without its repetitions. Callers run in worker processes with limits: a hostile module affects
only itself.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np

from recsys.arrays import F32

SUFFIXES = frozenset({".it", ".mod", ".s3m", ".xm"})
RATE_HZ = 48_000
BLOCK = RATE_HZ  # samples that are played at once
MAX_BYTES = 2**26  # of a module
LIBRARIES = ("libopenmpt.so.0", "libopenmpt.0.dylib", "libopenmpt.dll")


class UnplayableModuleError(ValueError):
    """A module cannot be played; its text says why and what to do, without the name of the file."""


def played(module: bytes) -> Iterator[F32]:
    """
    Play a module.

    Args:
        module: The content of its file.

    Yields:
        Stereo samples at `RATE_HZ`, shape (2, n), float32.

    Raises:
        UnplayableModuleError: libopenmpt is missing, or does not know the content as a module.
    """
    with _opened(module) as song:
        while True:
            block = np.empty((2, BLOCK), np.float32)
            left, right = (side.ctypes.data_as(ctypes.c_void_p) for side in block)
            n = int(_library().openmpt_module_read_float_stereo(song, RATE_HZ, BLOCK, left, right))
            if not n:
                return
            yield block[:, :n]


@contextmanager
def _opened(module: bytes) -> Iterator[ctypes.c_void_p]:
    library = _library()
    silent = ctypes.cast(library.openmpt_log_func_silent, ctypes.c_void_p)
    song = ctypes.c_void_p(library.openmpt_module_create_from_memory2(module, len(module), silent, *[None] * 6))
    if not song:
        raise UnplayableModuleError("not a tracker module that libopenmpt can play")
    try:
        yield song
    finally:
        library.openmpt_module_destroy(song)


@cache
def _library() -> ctypes.CDLL:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        library.openmpt_module_create_from_memory2.argtypes = [ctypes.c_char_p, size, *[pointer] * 7]
        library.openmpt_module_create_from_memory2.restype = pointer
        library.openmpt_module_read_float_stereo.argtypes = [pointer, ctypes.c_int32, size, pointer, pointer]
        library.openmpt_module_read_float_stereo.restype = size
        library.openmpt_module_destroy.argtypes = [pointer]
        return library
    raise UnplayableModuleError("a tracker module; install libopenmpt (Debian: libopenmpt0), or convert it to WAV")
