"""Level of each stem beside the rest, by broad band, in its active time, and what changes of gains do to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from recsys.arrays import F64
from recsys.studio.mix.bands import BROAD, MIN_WEIGHT, broad_of_bands, is_active
from recsys.studio.mix.facts import Stem


class Change(NamedTuple):
    """A change of a stem's gain [dB]: in one broad band, or in all."""

    name: str
    band: int | None
    gain_db: float


@dataclass(frozen=True, eq=False)
class Balance:
    """
    Power of stems in the active time of each.

    Attributes:
        names: Stems that are compared.
        powers: Power of every stem in the active time of each compared one, those that are compared first and in their
            order. Shape (n_compared, n_stems, n_broad).
        weights: Share of each broad band in the loudness of a compared stem (power to the 0.3). Shape (n_compared,
            n_broad).
    """

    names: tuple[str, ...]
    powers: F64
    weights: F64

    @classmethod
    def of(cls, stems: Sequence[Stem], compared: Sequence[str]) -> Self:
        """Measure stems, of which some are compared."""
        by_name, members = same_length(stems), broad_of_bands()
        ordered = [by_name[name] for name in compared] + [it for name, it in by_name.items() if name not in compared]
        active = [is_active(by_name[name]) for name in compared]
        powers = np.array([[members @ other[frames].sum(axis=0) for other in ordered] for frames in active])
        bands = [by_name[name][frames].sum(axis=0) for name, frames in zip(compared, active, strict=True)]
        loudness = np.array([members @ band**0.3 for band in bands])
        weights = loudness / np.maximum(loudness.sum(axis=1, keepdims=True), 1e-12)
        return cls(tuple(compared), powers, weights)

    @property
    def ratios_db(self) -> F64:
        """Power of each compared stem over that of the rest [dB], shape (n_compared, n_broad); NaN without either."""
        rows = np.arange(len(self.names))
        own = self.powers[rows, rows]
        rest = self.powers.sum(axis=1) - own
        is_known = (own > 1e-12) & (rest > 1e-12)
        return np.where(is_known, 10 * np.log10(np.where(is_known, own, 1) / np.where(is_known, rest, 1)), np.nan)

    def shared_weights(self, other: "Balance") -> F64:
        """Return the lesser weight of both in each band; 0 where it is small or a ratio is not known."""
        weights = np.minimum(self.weights, other.weights)
        is_known = ~np.isnan(self.ratios_db + other.ratios_db)
        return np.where(is_known & (weights >= MIN_WEIGHT), weights, 0.0)

    def distance(self, other: "Balance") -> float:
        """Return the sum of the weighted differences of all ratios [dB]."""
        return float((self.shared_weights(other) * np.abs(np.nan_to_num(self.ratios_db - other.ratios_db))).sum())

    def changed(self, change: Change) -> Self:
        """Return the balance after a change; weights stay those of the sound as it is."""
        powers = self.powers.copy()
        bands = range(len(BROAD)) if change.band is None else (change.band,)
        powers[:, self.names.index(change.name), list(bands)] *= 10 ** (change.gain_db / 10)
        return replace(self, powers=powers)


def same_length(stems: Sequence[Stem]) -> dict[str, F64]:
    """Return the band powers of stems by name, the shorter ones filled with silence."""
    n_frames = max(len(stem.powers) for stem in stems)
    return {stem.facts.name: np.pad(stem.powers, ((0, n_frames - len(stem.powers)), (0, 0))) for stem in stems}
