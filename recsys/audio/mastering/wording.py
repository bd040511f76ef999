"""Mastering facts in words: a table of values with units, and a sentence for each thing that deserves attention."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from recsys.audio.mastering.balance import band_name
from recsys.audio.mastering.chain import LEAST_DB, MAX_GAIN_DB, MAX_REDUCTION_DB, Plan
from recsys.audio.mastering.facts import Facts

UNKNOWN = "unknown"
LEAST_CLIPPED = 10  # samples that are worth a sentence
LOUD_DC = 0.005  # share of full scale
LONG_START_S, LONG_END_S = 2.0, 5.0  # as in sql/intermediate/delivery_faults.sql
CANCELLING = 0.75  # stereo width from which mono loses 6 dB
MONO_BAND_DB = 6.0
MISSED_LU = 0.3  # a copy this close to its target meets it
PROBABLE = 0.9  # score of a lossy origin, as in sql/intermediate/delivery_faults.sql


class Row(NamedTuple):
    """A fact: its name, and its value with the unit."""

    name: str
    value: str


def rows(facts: Facts) -> list[Row]:
    """Return the facts of a file as a table."""
    level, sent = facts.loudness, facts.delivery
    return [
        Row("codec, rate, channels", f"{facts.codec}, {facts.rate_hz:,} Hz, {facts.n_channels}"),
        Row("length", f"{facts.duration_s:,.1f} s"),
        Row("integrated loudness", _value(level.loudness_lufs, "LUFS")),
        Row("loudness range", _value(level.loudness_range_lu, "LU")),
        Row("highest short-term loudness (3 s)", _value(facts.max_short_term_lufs, "LUFS")),
        Row("highest momentary loudness (0.4 s)", _value(facts.max_momentary_lufs, "LUFS")),
        Row("true peak", _value(level.true_peak_dbtp, "dBTP", 2)),
        Row("true peak over loudness", _value(facts.peak_to_loudness_lu, "LU")),
        Row("crest factor", _value(sent.crest_db, "dB")),
        Row("clipped samples", _value(sent.clipped_samples, "", 0)),
        Row("overs between samples", f"{facts.n_overs:,}"),
        Row("correlation of the channels", _value(sent.channel_correlation, "", 2)),
        Row("most lost in mono", _mono(facts)),
        Row("offset (direct current)", _value(None if facts.is_silent else sent.dc_offset, "of full scale", 4)),
        Row("silence at the start", _value(sent.silent_start_s, "s", 2)),
        Row("silence at the end", _value(sent.silent_end_s, "s", 2)),
        Row("bandwidth", _value(sent.bandwidth_hz, "Hz", 0)),
        Row("bits in use", _value(sent.effective_bits, "", 0)),
        Row("score of MP3 or AAC origin", _value(sent.lossy_origin, "", 2)),
    ]


def remarks(facts: Facts) -> list[str]:
    """Return a sentence for each thing that deserves attention."""
    if facts.is_silent:
        return [_of_silence(facts)]
    return [*_of_level(facts), *_of_stereo(facts), *_of_delivery(facts)]


def _of_silence(facts: Facts) -> str:
    if facts.n_invalid:
        return (
            f"{facts.n_invalid:,} samples are not numbers or far above full scale, and no other is above 0, so nothing "
            "can be measured. Export anew."
        )
    return "The file is silent: every sample is 0, so nothing else can be measured."


def _of_level(facts: Facts) -> Iterator[str]:
    n_clipped, peak = facts.delivery.clipped_samples or 0, facts.loudness.true_peak_dbtp or 0.0
    if facts.loudness.loudness_lufs is None:
        yield "Loudness is unknown: it needs at least 0.4 s above -70 LUFS."
    if facts.n_invalid:
        yield f"{facts.n_invalid:,} samples are not numbers or far above full scale; they were taken as 0. Export anew."
    if n_clipped >= LEAST_CLIPPED:
        yield f"{n_clipped:,} samples lie in flat tops at the peak, as after clipping. A square wave has them, too."
    if peak > 0:
        yield f"The true peak is {peak:.1f} dB above full scale ({facts.n_overs:,} places): players and encoders clip."
    offset = max(facts.dc_offsets, key=abs)
    if abs(offset) > LOUD_DC and facts.loudness.loudness_lufs is not None:
        yield f"A channel is off zero by {offset:.3f} of full scale (direct current). Filter below 20 Hz."


def _of_stereo(facts: Facts) -> Iterator[str]:
    width, loss = facts.loudness.stereo_width, facts.mono_loss_db
    if facts.n_channels == 2 and facts.delivery.channel_correlation is None:
        yield "One of the two channels is silent."
    elif facts.n_channels == 2 and width is not None and width >= CANCELLING:
        yield "The channels cancel each other in mono; one of them is probably inverted."
    elif loss is not None and max(loss) > MONO_BAND_DB:
        bands = ", ".join(band_name(n) for n, lost in enumerate(loss) if lost > MONO_BAND_DB)
        yield f"Mono loses more than {MONO_BAND_DB:g} dB in these octaves: {bands}."
    if facts.n_channels > 2:
        yield f"There are {facts.n_channels} channels: loudness weighs all alike, correlation and mono are unknown."


def _of_delivery(facts: Facts) -> Iterator[str]:
    sent, origin = facts.delivery, facts.origin
    if (sent.silent_start_s or 0) > LONG_START_S or (sent.silent_end_s or 0) > LONG_END_S:
        yield f"Long silence: {sent.silent_start_s:.1f} s at the start, {sent.silent_end_s:.1f} s at the end."
    was_lossy = origin is not None and origin.score >= PROBABLE
    is_lossy = was_lossy or not facts.is_lossless
    if origin is not None and was_lossy:
        edge = f" Its spectrum ends at {sent.bandwidth_hz:,.0f} Hz." if _has_edge(facts) else ""
        yield f"A lossless file, but its samples were probably once coded as {origin.codec.upper()} (listen).{edge}"
    elif sent.source_rate_hz is not None and sent.source_rate_hz < facts.rate_hz and not is_lossy:
        yield (
            f"The spectrum ends at {sent.bandwidth_hz:,.0f} Hz, as if raised from {sent.source_rate_hz:,} Hz to "
            f"{facts.rate_hz:,} Hz."
        )
    elif _has_edge(facts) and not is_lossy:
        yield f"The spectrum ends in a steep edge at {sent.bandwidth_hz:,.0f} Hz: it was low-pass filtered."
    if sent.effective_bits is not None and sent.effective_bits < 16:
        yield f"Only {sent.effective_bits} bits are in use."


def _has_edge(facts: Facts) -> bool:
    return facts.delivery.bandwidth_hz is not None and facts.delivery.bandwidth_hz < 0.97 * facts.rate_hz / 2


def _mono(facts: Facts) -> str:
    if facts.mono_loss_db is None or facts.is_silent:
        return UNKNOWN
    worst = int(np.argmax(facts.mono_loss_db))
    return f"{facts.mono_loss_db[worst]:.1f} dB at {band_name(worst)}"


def _value(number: float | None, unit: str, digits: int = 1) -> str:
    return UNKNOWN if number is None else f"{number:,.{digits}f} {unit}".rstrip()


def done(plan: Plan, after: Facts | None) -> str:
    """Return what was done for a copy, and how far it stays from its target; `after` was measured of it."""
    if plan.is_exact:
        return "an exact copy, since nothing was to be changed."
    if not plan.is_dithered:
        return f"the same samples in {plan.n_bits} bits, since nothing was to be changed."
    moved = ", ".join(f"{band_name(n)} {gain:+.1f} dB" for n, gain in enumerate(plan.bands_db) if abs(gain) >= LEAST_DB)
    parts = [
        f"gain {plan.gain_db:+.1f} dB",
        *([f"equaliser {moved}"] if moved else []),
        *([] if plan.ceiling_dbtp is None else [f"limited to {plan.ceiling_dbtp:g} dBTP"]),
        f"dithered to {plan.n_bits} bits",
    ]
    return ", ".join(parts) + "." + _missed(plan, None if after is None else after.loudness.loudness_lufs)


def _missed(plan: Plan, level: float | None) -> str:
    if plan.target_lufs is None or level is None or abs(plan.target_lufs - level) < MISSED_LU:
        return ""
    missing = plan.target_lufs - level
    if abs(plan.gain_db) >= MAX_GAIN_DB:
        why = f"its gain changes by at most {MAX_GAIN_DB:g} dB"
    else:
        why = f"the limiter took it, which lowers peaks by at most {MAX_REDUCTION_DB:g} dB"
    return f" It stays {abs(missing):.1f} LU {'below' if missing > 0 else 'above'} the target: {why}."
