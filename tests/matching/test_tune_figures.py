"""Figures that melodies share: against a plain computation, and their laws."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import log, log2, sqrt

import numpy as np
import pytest

from recsys.matching.tunes.figures import FigureIndex
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.synth.tune import compose


def composed(n: int) -> list[Melody]:
    """Compose melodies."""
    rng = np.random.default_rng(12)
    return [melody_of(compose(f"tune {number}", rng)) for number in range(n)]


def plain_figures(melody: Melody) -> Counter[tuple[int, ...]]:
    """Count figures of three notes: two intervals, and two ratios of lengths in steps of half a factor of two."""
    pitch, length = melody.pitch.tolist(), melody.iois.tolist()
    steps = [
        (pitch[i + 1] - pitch[i], max(-4, min(4, round(2 * log2(length[i + 1] / length[i])))))
        for i in range(len(pitch) - 1)
    ]
    return Counter((*a, *b) for a, b in pairwise(steps))


def test_shares_equal_a_plain_computation() -> None:
    """Cosines of square roots of counts, weighted by rarity in the collection; the query is not in it."""
    *tunes, query = composed(8)
    counts = [plain_figures(tune) for tune in tunes]
    own = plain_figures(query)

    def weight(figure: tuple[int, ...]) -> float:
        return log(1 + len(tunes) / max(1, sum(figure in count for count in counts)))

    def product(a: Counter[tuple[int, ...]], b: Counter[tuple[int, ...]]) -> float:
        return sum(sqrt(a[figure] * b[figure]) * weight(figure) ** 2 for figure in a.keys() & b.keys())

    shares = FigureIndex.of(tuple(tunes)).shares(query, np.arange(len(tunes)))

    plain = [product(own, count) / sqrt(product(own, own) * product(count, count)) for count in counts]
    assert shares == pytest.approx(plain, abs=1e-8)


def test_order_key_and_tempo_do_not_matter() -> None:
    """Two halves exchanged share nearly all figures; a transposed slow copy shares all; a drone shares none."""
    tune, other = composed(2)
    half = len(tune) // 2
    order = np.r_[half : len(tune), :half]
    duration = tune.iois[order]
    exchanged = replace(
        tune, pitch=tune.pitch[order], duration=duration, onset=np.concatenate([[0.0], np.cumsum(duration)[:-1]])
    )
    slow = replace(tune, pitch=tune.pitch - 9, onset=tune.onset * 3, duration=tune.duration * 3)
    index = FigureIndex.of((tune, other))
    drone = Melody("drone", np.arange(2.0), np.ones(2), np.array([60, 60]), np.ones(2, np.int64))

    assert index.shares(slow, np.array([0])).tolist() == [1.0]
    assert index.shares(exchanged, np.array([0]))[0] > 0.9
    assert index.shares(drone, np.arange(2)).tolist() == [0.0, 0.0]
