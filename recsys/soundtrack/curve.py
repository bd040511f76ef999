"""The tempo and energy that an activity asks for over its time, and how a curve is written."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from recsys.arrays import F64
from recsys.errors import InputError, did_you_mean

BPM, ENERGY = (30.0, 300.0), (0.0, 1.0)
_POINT = re.compile(r"\s*(\d+(?:\.\d+)?)\s+(\d+(?:\.\d+)?)\s+(\d*\.?\d+)\s*")


@dataclass(frozen=True)
class Curve:
    """
    Tempo and energy over time, straight between points, level before the first and after the last.

    Attributes:
        share: Time of each point as a share of the whole, ascending, 0..1.
        tempo_bpm: Tempo at each point [1/min].
        energy: Energy at each point, 0..1.
    """

    share: tuple[float, ...]
    tempo_bpm: tuple[float, ...]
    energy: tuple[float, ...]

    @classmethod
    def of(cls, *points: tuple[float, float, float]) -> Self:
        """Return the curve through points of share, tempo and energy."""
        return cls(*zip(*points, strict=True))

    @classmethod
    def parse(cls, text: str) -> tuple[Self, float]:
        """
        Read a curve such as '0 110 .4, 10 150 .8, 30 120 .5': minute, beats per minute and energy of each point.

        Returns:
            The curve, and the minute of its last point.

        Raises:
            InputError: A point has another form, a number is out of range, or the minutes do not ascend.
        """
        points = [_POINT.fullmatch(point) for point in text.split(",")]
        if not all(points):
            raise InputError(f"curve: {_FORM}")
        minutes, tempi, energies = (
            tuple(float(point[number]) for point in points if point is not None) for number in (1, 2, 3)
        )
        if any(later <= earlier for earlier, later in pairwise(minutes)):
            raise InputError(f"curve: the minutes do not ascend. {_FORM}")
        for name, values, (low, high) in (("beats per minute", tempi, BPM), ("energy", energies, ENERGY)):
            if not all(low <= value <= high for value in values):
                raise InputError(f"curve: {name} out of range, expected {low:g} to {high:g}. {_FORM}")
        if not minutes[-1]:
            raise InputError(f"curve: it ends at minute 0. {_FORM}")
        return cls(tuple(minute / minutes[-1] for minute in minutes), tempi, energies), minutes[-1]

    def values(self, share: float | F64) -> tuple[F64, F64]:
        """Return tempo [1/min] and energy at shares of the time; tempo is interpolated in octaves."""
        octaves = np.interp(share, self.share, np.log2(self.tempo_bpm))
        return np.asarray(2**octaves), np.asarray(np.interp(share, self.share, self.energy))


ACTIVITIES = {
    "run": Curve.of((0, 120, 0.55), (0.15, 160, 0.75), (0.85, 172, 0.85), (1, 120, 0.5)),
    "study": Curve.of((0, 90, 0.35), (0.1, 80, 0.3), (1, 80, 0.3)),
    "wind-down": Curve.of((0, 105, 0.5), (1, 60, 0.1)),
}


def activity(name: str) -> Curve:
    """Return the curve of an activity; raises InputError for an unknown one."""
    if name not in ACTIVITIES:
        raise InputError(
            f"There is no activity {name!r}; known: {', '.join(ACTIVITIES)}.{did_you_mean(name, ACTIVITIES)} Or give "
            "--curve"
        )
    return ACTIVITIES[name]


_FORM = "Expected points of minute, beats per minute and energy (0 to 1), such as '0 110 .4, 10 150 .8, 30 120 .5'"
