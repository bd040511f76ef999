"""Is a reference mix one of the same takes? Then the gain of each stem in it is measured, by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from recsys.arrays import F32, F64
from recsys.studio.mix.facts import Stem

MIN_EXPLAINED = 0.6  # share of the reference's power that the stems explain, from which it holds the same takes
MIN_STEM_SHARE = 0.002  # of the explained power: the gain of a quieter stem is not measured
MIN_GAIN = 0.05


@dataclass(frozen=True)
class SameTakes:
    """
    Gains of stems in a mix of the same takes.

    Attributes:
        explained: Share of the reference's power that the stems explain, 0..1.
        gains_db: Name and gain in the reference of each stem that is loud enough [dB].
        inverted: Names of stems that have the other sign there.
    """

    explained: float
    gains_db: tuple[tuple[str, float], ...]
    inverted: tuple[str, ...]


def same_takes(stems: Sequence[Stem], reference: Stem) -> SameTakes | None:
    """Measure the gains of stems in a reference, moved in time as a whole; None if it does not hold the same takes."""
    sounding = [stem for stem in stems if stem.wave.any()]
    if not sounding or not reference.wave.any():
        return None
    length = max(len(stem.wave) for stem in sounding)
    waves = np.stack([np.pad(stem.wave, (0, length - len(stem.wave))) for stem in sounding]).astype(np.float64)
    target = _aligned(reference.wave, waves)
    products = waves @ waves.T
    gains = np.linalg.lstsq(products, waves @ target, rcond=1e-9)[0]
    explained = 1 - float(np.square(target - gains @ waves).sum() / max(np.square(target).sum(), 1e-20))
    if explained < MIN_EXPLAINED:
        return None
    shares = np.square(gains) * np.diag(products) / max(float(np.square(target).sum()), 1e-20)
    names = [stem.facts.name for stem in sounding]
    kept = [i for i in range(len(names)) if shares[i] >= MIN_STEM_SHARE and abs(gains[i]) >= MIN_GAIN]
    signs = np.sign(gains[kept])
    common = np.sign(signs.sum()) or np.sign((signs * shares[kept]).sum())  # that of most stems, or of most power
    return SameTakes(
        explained,
        tuple((names[i], float(20 * np.log10(abs(gains[i])))) for i in kept),
        tuple(names[i] for i in kept if gains[i] * common < 0),
    )


def inverted_takes(stems: Sequence[Stem], others: Sequence[Stem]) -> list[str]:
    """Return the names of stems whose namesake among others holds the same take with the other sign."""
    namesakes = {stem.facts.name: stem for stem in others}
    return [
        stem.facts.name
        for stem in stems
        if (other := namesakes.get(stem.facts.name)) is not None
        and (found := same_takes([stem], other)) is not None
        and _is_opposite(stem.wave, other.wave)
        and found.gains_db
    ]


def _is_opposite(wave: F32, other: F32) -> bool:
    return float(_aligned(other, wave[None].astype(np.float64)) @ wave) < 0


def _aligned(reference: F32, waves: F64) -> F64:
    """Return the reference moved to where stems, shape (n_stems, n), correlate most with it, cut or filled to n."""
    length = waves.shape[1]
    n = next_fast_len(length + len(reference), real=True)
    spectrum = rfft(reference.astype(np.float64), n)
    likeness = np.zeros(n)
    for wave in waves:
        likeness += np.square(irfft(np.conj(rfft(wave, n)) * spectrum, n)) / float(wave @ wave)
    lag = int(likeness.argmax())
    lag = lag - n if lag > n // 2 else lag
    moved = reference[lag:] if lag > 0 else np.pad(reference, (-lag, 0))
    return np.pad(moved[:length], (0, max(0, length - len(moved)))).astype(np.float64)
