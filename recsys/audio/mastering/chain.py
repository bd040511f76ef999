"""
A corrected copy of a file: gain, linear-phase equaliser, true-peak limiter and dither, in this order.

The file is processed piece by piece with context on both sides of each piece, so that pieces leave no seam and a long
file needs no more memory than a short one. The copy is measured while it is written; if its true peak exceeds the
ceiling, it is written again with a lower one.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.signal import oaconvolve

from recsys import files
from recsys.arrays import F32, I32, Bool
from recsys.audio.features.loudness import LoudnessMeter, TruePeakMeter
from recsys.audio.mastering.balance import Comparison
from recsys.audio.mastering.dither import dithered
from recsys.audio.mastering.equaliser import LENGTH_S, corrections, linear_phase
from recsys.audio.mastering.facts import Facts
from recsys.audio.mastering.limiter import CONTEXT_S, limited
from recsys.audio.mastering.platforms import Platform
from recsys.audio.signal import Depth, channel_pieces, open_samples, without_invalid
from recsys.audio.writing import AudioWriter, Form, form_of, whole_numbers
from recsys.errors import InputError, SetupError
from recsys.lake.measured import Loudness

DEPTHS: dict[int, Depth] = {16: "16 bit", 24: "24 bit"}
MAX_GAIN_DB = 20.0
MAX_REDUCTION_DB = 12.0  # by which the limiter may lower the highest peak
GAIN_ATTEMPTS = 2  # that make up for the loudness which the limiter takes
LEAST_EFFECT = 0.5  # loudness per gain [LU/dB]: where the limiter takes more, gain is not raised
LEAST_DB = 0.05  # a smaller change is none
MARGIN_DB = 0.05  # by which the limiter stays below the ceiling, since dither is added after it
MAX_ATTEMPTS = 5
_Block: TypeAlias = tuple[F32, int, int]  # samples with context, and how many at its two ends are context


@dataclass(frozen=True)
class Plan:
    """
    What is done to a file.

    Attributes:
        gain_db: Gain [dB].
        bands_db: Gain of each octave band, 10 values [dB]; empty without an equaliser.
        ceiling_dbtp: True peak that the copy does not exceed [dBTP]; None without a limiter.
        n_bits: Bits of the copy, 16 or 24.
        seed: Seed of the dither.
        target_lufs: Loudness that the copy was to have [LUFS]; None without a target.
        is_exact: Whether the copy has the bytes of the file.
        is_dithered: Whether samples are rounded with dither; without, the copy has the samples of the file.
    """

    gain_db: float = 0.0
    bands_db: tuple[float, ...] = ()
    ceiling_dbtp: float | None = None
    n_bits: int = 24
    seed: int = 0
    target_lufs: float | None = None
    is_exact: bool = False
    is_dithered: bool = True


class Processed(NamedTuple):
    """
    Consecutive samples of a processed file.

    Attributes:
        samples: Shape (n_channels, n).
        has_sound: Whether the source has a sample other than 0 in this channel, within the length of the equaliser.
        rate_hz: Sampling rate [Hz].
    """

    samples: F32
    has_sound: Bool
    rate_hz: int


def plan(path: Path, facts: Facts, comparison: Comparison | None, target: Platform | None, n_bits: int | None) -> Plan:
    """
    Decide what to do to a file: move it towards a reference, bring it to a platform's loudness, limit its peak.

    Args:
        path: The file.
        facts: What was measured of the file.
        comparison: The file against a reference. Its balance stays as it is without one, and against several
            recordings, which differ more from each other than a correction would change.
        target: The platform; None leaves its loudness as it is.
        n_bits: Bits of the copy, 16 or 24. [default: those of the file, 24 for more than 16 and for lossy files]
    """
    bits = n_bits or (16 if facts.is_lossless and (facts.delivery.effective_bits or 24) <= 16 else 24)
    bands = () if comparison is None else _bands(comparison)
    level, peak = facts.loudness.loudness_lufs, facts.loudness.true_peak_dbtp
    if target is None or peak is None:
        return Plan(bands_db=bands, ceiling_dbtp=-1.0 if bands else None, n_bits=bits)
    gain_db = 0.0 if level is None else _gain(path, bands, facts.loudness, target)
    is_done = abs(gain_db) < LEAST_DB and not bands and peak <= target.ceiling_dbtp
    ceiling = None if is_done else target.ceiling_dbtp
    return Plan(0.0 if is_done else gain_db, bands, ceiling, bits, target_lufs=target.target_lufs)


def _bands(comparison: Comparison) -> tuple[float, ...]:
    gains = corrections(comparison) if len(comparison.reference.levels) == 1 else np.zeros(0)
    return tuple(gains.tolist()) if np.abs(gains).max(initial=0.0) >= LEAST_DB else ()


def for_copy(decided: Plan, path: Path, out: Path, facts: Facts, n_bits: int | None) -> Plan:
    """
    Return a plan that changes no more than is asked.

    If nothing is to be changed, it copies the bytes of the file where suffix and bits are to be the same, and else the
    samples where the copy has as many bits as they use.
    """
    if decided.gain_db or decided.bands_db or decided.ceiling_dbtp is not None:
        return decided
    n_used = facts.delivery.effective_bits if facts.is_lossless else None
    is_dithered = n_used is None or n_used > decided.n_bits
    return replace(decided, is_exact=_keeps_bytes(path, out, facts, n_bits), is_dithered=is_dithered)


def _keeps_bytes(path: Path, out: Path, facts: Facts, n_bits: int | None) -> bool:
    if out.suffix.lower() != path.suffix.lower():
        return False
    return n_bits is None or _has_bits(path, facts, n_bits)


def _has_bits(path: Path, facts: Facts, n_bits: int) -> bool:
    if facts.codec.startswith("pcm_"):
        return str(n_bits) in facts.codec
    with open_samples(path) as stream:
        return stream.depth == DEPTHS[n_bits]


def _gain(path: Path, bands: tuple[float, ...], loudness: Loudness, target: Platform) -> float:
    """Return the gain with which the limited file has the loudness of a target, or comes closest to it [dB]."""
    before = _loudness_of(path, Plan(bands_db=bands)) if bands else loudness
    level, peak = before.loudness_lufs, before.true_peak_dbtp
    if level is None or peak is None:
        return 0.0
    most_db = min(MAX_GAIN_DB, target.ceiling_dbtp + MAX_REDUCTION_DB - peak)
    gain_db = float(np.clip(target.target_lufs - level, -MAX_GAIN_DB, most_db))
    before_db, before_lufs = gain_db, -np.inf
    for _ in range(GAIN_ATTEMPTS):
        if peak + gain_db <= target.ceiling_dbtp:
            break
        found = _loudness_of(path, Plan(gain_db, bands, target.ceiling_dbtp)).loudness_lufs
        if found is None or found - before_lufs < LEAST_EFFECT * (gain_db - before_db):
            return before_db
        before_db, before_lufs = gain_db, found
        gain_db = max(gain_db, min(most_db, gain_db + target.target_lufs - found))
        if gain_db - before_db < LEAST_DB:
            break
    return gain_db


def write_copy(path: Path, out: Path, plan: Plan) -> None:
    """
    Write a processed copy of a file, atomically; it replaces an earlier copy of this name.

    Args:
        path: The file.
        out: The copy, a .wav or .flac file, or of any name if the plan is to copy the bytes of the file.
        plan: What is done.

    Raises:
        InputError: The copy has another suffix, is the file itself, or its format cannot hold the channels.
        SetupError: The limiter did not reach the ceiling.
    """
    if out.exists() and out.samefile(path):
        raise InputError(f"{out} is the file itself; expected another name for the copy. Give one: --out FILE")
    form = None if plan.is_exact else form_of(out)
    with files.new_files([out]) as (partial,):
        if form is None:
            shutil.copyfile(path, partial)
        else:
            _write(path, partial, form, plan)


def _write(path: Path, partial: Path, form: Form, plan: Plan) -> None:
    """Write a copy below the ceiling."""
    lowered_db = MARGIN_DB
    for _ in range(MAX_ATTEMPTS):
        inner = None if plan.ceiling_dbtp is None else plan.ceiling_dbtp - lowered_db
        peak = _write_once(path, partial, form, plan, inner)
        if plan.ceiling_dbtp is None or peak is None or peak <= plan.ceiling_dbtp - MARGIN_DB / 2:
            return
        lowered_db += peak - plan.ceiling_dbtp + MARGIN_DB
    raise SetupError(
        f"The limiter did not reach {plan.ceiling_dbtp:g} dBTP in {MAX_ATTEMPTS} attempts; nothing was written. "
        "Give a lower target or less gain"
    )


def _write_once(path: Path, partial: Path, form: Form, plan: Plan, ceiling_dbtp: float | None) -> float | None:
    """Write a copy and return its true peak [dBTP]."""
    rng, meter = np.random.default_rng(plan.seed), TruePeakMeter()
    pieces = processed(path, plan, ceiling_dbtp)
    first = next(pieces)
    with open_samples(path) as stream:
        declared_s = stream.declared_s
    shape = (first.rate_hz, len(first.samples), DEPTHS[plan.n_bits])
    with AudioWriter(partial, form, *shape, declared_s=declared_s, source=path) as writer:
        for piece in chain([first], pieces):
            whole = _whole(piece, plan, rng)
            meter.add(whole.astype(np.float32) / np.float32(2 ** (plan.n_bits - 1)))
            writer.write(whole)
    return meter.result()


def _whole(piece: Processed, plan: Plan, rng: np.random.Generator) -> I32:
    """Return samples as whole numbers of the bits of the copy."""
    if plan.is_dithered:
        return dithered(piece.samples, plan.n_bits, rng, piece.has_sound)
    return whole_numbers(piece.samples, DEPTHS[plan.n_bits])


def processed(path: Path, plan: Plan, ceiling_dbtp: float | None) -> Iterator[Processed]:
    """
    Yield the processed samples of a file, before dither.

    Args:
        path: The file.
        plan: Gain and equaliser.
        ceiling_dbtp: Ceiling of the limiter [dBTP]; None without one.

    Yields:
        Pieces of about a minute; concatenated, they are as long as the file.
    """
    decoded = channel_pieces(path)
    first = next(decoded)
    taps = linear_phase(np.array(plan.bands_db), first.rate_hz) if plan.bands_db else None
    n_context = round(CONTEXT_S * first.rate_hz)
    gain = np.float32(10 ** (plan.gain_db / 20))
    pieces = (without_invalid(piece.samples) for piece in chain([first], decoded))
    for block, n_before, n_after in _with_context(pieces, n_context):
        samples = block * gain
        if taps is not None:
            samples = oaconvolve(samples, taps[None], mode="same", axes=1).astype(np.float32)
        if ceiling_dbtp is not None:
            samples = limited(samples, first.rate_hz, ceiling_dbtp)
        inner = slice(n_before, samples.shape[1] - n_after)
        yield Processed(samples[:, inner], _has_sound(block, first.rate_hz)[:, inner], first.rate_hz)


def _has_sound(source: F32, rate_hz: int) -> Bool:
    """Return for each sample whether its channel has one other than 0 within the length of the equaliser."""
    return np.asarray(maximum_filter1d(source != 0, 2 * round(LENGTH_S * rate_hz) + 1, axis=1, mode="constant"))


def _with_context(pieces: Iterable[F32], n_context: int) -> Iterator[_Block]:
    """Yield each piece with samples of its neighbours before and after it, and how many these are."""
    before, current = None, None
    for following in pieces:
        if current is not None:
            yield _block(before, current, following[:, :n_context])
            before = (current if before is None else np.concatenate([before, current], axis=1))[:, -n_context:]
        current = following
    if current is not None:
        yield _block(before, current, current[:, :0])


def _block(before: F32 | None, current: F32, after: F32) -> _Block:
    parts = [part for part in (before, current, after) if part is not None]
    return np.concatenate(parts, axis=1), 0 if before is None else before.shape[1], after.shape[1]


def _loudness_of(path: Path, plan: Plan) -> Loudness:
    """Measure a file after gain, equaliser and limiter."""
    pieces = processed(path, plan, plan.ceiling_dbtp)
    first = next(pieces)
    meter = LoudnessMeter(first.rate_hz, len(first.samples))
    for piece in chain([first], pieces):
        meter.add(piece.samples)
    return meter.result()
