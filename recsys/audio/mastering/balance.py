"""
Tonal balance: levels of octave bands against those of reference recordings.

Advice is given only against a reference: without one, a band 3 dB too loud cannot be distinguished from the character
of the music (AUC 0.54 against the norm of its genre). Against another master of the same recording, it can be named.
Against several recordings, it cannot: they differ by more. Only bands that would be unusual among them are named
then, and the comparison says how large a difference is usual.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.arrays import F64, Bool
from recsys.audio.features.spectral_balance import CENTRES_HZ

NOT_HEARD_DB = -70.0  # a band below this level is not compared
MIN_DIFFERENCE_DB = 1.5  # a smaller difference is not named
USUAL_STDS = 2.5  # standard deviations between recordings within which one more is usual
TYPICAL_STD_DB, TYPICAL_WEIGHT = 3.5, 4  # of a band between recordings of an artist, counted as so many of them


@dataclass(frozen=True, eq=False)
class Reference:
    """
    Tonal balance of one or several recordings.

    Attributes:
        title: What they are, in words.
        levels: Levels of the octave bands relative to their sum, shape (n_recordings, 10) [dB].
    """

    title: str
    levels: F64

    @property
    def mean(self) -> F64:
        """Mean of each band, after the overall levels were aligned, shape (10,) [dB]."""
        return np.asarray(self._aligned.mean(axis=0))

    @property
    def std(self) -> F64:
        """Standard deviation of each band between the recordings, shape (10,) [dB]; 0 for a single one."""
        n = len(self.levels)
        return np.asarray(self._aligned.std(axis=0, ddof=1)) if n > 1 else np.zeros(self.levels.shape[1])

    @property
    def usual_db(self) -> F64:
        """How far one more recording is from the mean of several, at most as a rule, shape (10,) [dB]; 0 for one."""
        n = len(self.levels)
        if n == 1:
            return np.zeros(self.levels.shape[1])
        variance = TYPICAL_WEIGHT * TYPICAL_STD_DB**2 + (n - 1) * np.square(self.std)
        std = np.sqrt(variance / (TYPICAL_WEIGHT + n - 1))
        return np.asarray(USUAL_STDS * std * np.sqrt(1 + 1 / n))

    @property
    def _aligned(self) -> F64:
        centre = np.median(self.levels, axis=0)
        is_heard = (self.levels > NOT_HEARD_DB) & (centre > NOT_HEARD_DB)
        differences = np.where(is_heard, self.levels - centre, np.nan)
        differences[~is_heard.any(axis=1)] = 0  # nothing to align by
        return np.asarray(self.levels - np.nanmedian(differences, axis=1)[:, None])


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    A recording against a reference.

    Attributes:
        reference: The reference.
        difference_db: For each octave band, how far the recording is above it, shape (10,) [dB]; NaN where one of them
            has no sound there. Overall level does not count: the median over the bands is 0.
        is_named: The bands in which the difference is more than 1.5 dB and more than is usual between the references.
    """

    reference: Reference
    difference_db: F64
    is_named: Bool

    @classmethod
    def of(cls, levels: tuple[float, ...], reference: Reference) -> Self:
        """Compare the band levels of a recording with a reference."""
        own, mean = np.array(levels), reference.mean
        is_heard = (own > NOT_HEARD_DB) & (mean > NOT_HEARD_DB)
        difference = np.where(is_heard, own - mean - _shift(own - mean, is_heard), np.nan)
        limit = np.maximum(MIN_DIFFERENCE_DB, reference.usual_db)
        return cls(reference, difference, np.nan_to_num(np.abs(difference)) > limit)

    def sentences(self) -> list[str]:
        """Return a sentence per named band, or that there is none, and what cannot be judged."""
        is_one, title = len(self.reference.levels) == 1, self.reference.title
        usual = ["" if is_one else f", where up to {most:.1f} dB are usual" for most in self.reference.usual_db]
        named = [
            f"{band_name(n)}: {abs(off):.1f} dB {'above' if off > 0 else 'below'} {title}{usual[n]}"
            for n, off in enumerate(self.difference_db)
            if self.is_named[n]
        ]
        least = f"{MIN_DIFFERENCE_DB} dB" if is_one else "is usual among them"
        none = [] if named else [f"No octave differs from {title} by more than {least}."]
        return [*named, *none, *([] if is_one else [self._unjudged()])]

    def _unjudged(self) -> str:
        """Return the sentence that says which differences several references cannot show."""
        usual_db = self.reference.usual_db[np.isfinite(self.difference_db)]
        if not len(usual_db):
            return f"Nothing was compared: no octave has sound in both the file and {self.reference.title}."
        return (
            f"Among these {len(self.reference.levels)} recordings, differences up to {usual_db.min():.0f} to "
            f"{usual_db.max():.0f} dB are usual, depending on the octave: whether the balance is wrong by less cannot "
            "be judged by them. Compare with another master of the same recording."
        )


def band_name(band: int) -> str:
    """
    Return the name of an octave band.

    >>> band_name(1), band_name(9)
    ('63 Hz', '16 kHz')
    """
    hz = CENTRES_HZ[band]
    return f"{hz / 1000:g} kHz" if hz >= 1000 else f"{np.floor(hz + 0.5):.0f} Hz"


def _shift(difference: F64, is_heard: Bool) -> float:
    """Return the difference in overall level: the median over the bands with sound."""
    return float(np.median(difference[is_heard])) if is_heard.any() else 0.0
