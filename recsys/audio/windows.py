"""
Process a stream of any length in windows that overlap, in constant memory.

A function that reads a whole window, such as a network, so applies to a recording of any length: where two windows
overlap, its results are cross-faded, so that what it does at the ends of a window is not heard.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from recsys.arrays import F32

WINDOW_S = 11  # length of a window, in which the networks of separation have 474 of their 512 frames
HOP_S = 9  # from one window to the next


def crossfaded(
    blocks: Iterable[F32], function: Callable[[F32], F32], *, n_window: int, n_hop: int
) -> Iterator[tuple[F32, F32]]:
    """
    Apply a function to windows of a stream.

    Args:
        blocks: Consecutive samples, shape (n_channels, n).
        function: Takes a window, shape (n_channels, at most n_window), and returns an array of its shape.
        n_window: Length of a window; only the last is shorter [samples].
        n_hop: From the start of one window to the next, at least half of n_window [samples].

    Yields:
        Consecutive samples as they came in and as the function returns them, each of shape (n_channels, n), in total as
        many as came in. All but the last have the length n_hop.
    """
    fade_in = np.linspace(0, 1, n_window - n_hop, dtype=np.float32)
    before = None
    for window, is_last in windows_of(blocks, n_window=n_window, n_hop=n_hop):
        result = function(window)
        if before is not None:
            n_shared = before.shape[1]
            faded = before + fade_in * (result[:, :n_shared] - before)
            result = np.concatenate([faded, result[:, n_shared:]], axis=1)
        if is_last:
            yield window, result
        else:
            yield window[:, :n_hop], result[:, :n_hop]
            before = result[:, n_hop:]


def windows_of(blocks: Iterable[F32], *, n_window: int, n_hop: int) -> Iterator[tuple[F32, bool]]:
    """Yield windows of a stream, and whether a window is the last, which ends where the stream ends."""
    waiting: list[F32] = []
    n_waiting = 0
    for block in blocks:
        waiting.append(block)
        n_waiting += block.shape[1]
        if n_waiting > n_window:
            joined = np.concatenate(waiting, axis=1)
            while joined.shape[1] > n_window:
                yield joined[:, :n_window], False
                joined = joined[:, n_hop:]
            waiting, n_waiting = [joined], joined.shape[1]
    if waiting:
        yield np.concatenate(waiting, axis=1), True
