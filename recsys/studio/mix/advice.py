"""
What to try in a mix, in order of its size, each with its measured reason.

Faults need no reference: silence, undecodable sound, flat tops, DC, a channel or a stem of inverted polarity. All else
is a difference from a reference: the same stems of another mix, a mix of the same takes, or any other mix. Nothing is
advised because of what is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from recsys.arrays import F64
from recsys.studio.mix.balance import Balance, Change, same_length
from recsys.studio.mix.bands import BROAD, N_BANDS, BroadBand, broad_of_bands, covered_shares
from recsys.studio.mix.facts import PairFacts, Stem, StemFacts
from recsys.studio.mix.reference import SameTakes, inverted_takes

Kind: TypeAlias = Literal[
    "silent", "lost", "polarity", "delay", "clipped", "dc", "overload", "level", "band", "balance"
]

MIN_LEVEL_DB, MIN_BAND_DB, MIN_BALANCE_DB = 1.5, 3.0, 3.0  # smaller differences are not advised
MOST = 5  # differences from a reference that are advised
SURE_CORRELATION, SURE_MARGIN = 0.3, 0.1  # of two stems that share sound; and how much further than the other sign
MIN_DC = 0.001  # -60 dB of full scale
MIN_FLAT_TOPS = 3
INVERTED_WIDTH = 0.9  # share of the side's power, from which one channel is the inverse of the other
MIN_GAIN = 0.05  # share of all differences that a change must remove
MAX_STEP_DB = 12.0  # a larger difference is another arrangement


@dataclass(frozen=True)
class Advice:
    """
    Something to try.

    Attributes:
        kind: What it is.
        stem: The stem that it concerns; empty for the whole mix.
        band_hz: Its range of frequencies [Hz]; None for all.
        change_db: By how much to change the level [dB]; 0 for faults.
        text: What to try and why, in a sentence.
    """

    kind: Kind
    stem: str
    band_hz: BroadBand | None
    change_db: float
    text: str


def faults(stems: Sequence[StemFacts], pairs: Sequence[PairFacts], mix_peak_db: float | None) -> list[Advice]:
    """Return what is wrong whatever the music: the gravest first."""
    found = [advice for stem in stems for advice in _faults_of(stem)]
    found += _polarity(pairs)
    if mix_peak_db is not None and mix_peak_db > 0:
        over_db = float(np.ceil(mix_peak_db))
        text = f"Turn all stems down by {over_db:.0f} dB: their sum reaches {mix_peak_db:+.1f} dB of full scale"
        found.append(Advice("overload", "", None, -over_db, text))
    order: list[Kind] = ["silent", "lost", "polarity", "delay", "clipped", "overload", "dc"]
    return sorted(found, key=lambda advice: order.index(advice.kind))


def _faults_of(stem: StemFacts) -> list[Advice]:
    found: list[tuple[Kind, bool, str]] = [
        ("silent", stem.true_peak_dbtp is None, f"Export {stem.name} again: it is silent"),
        ("lost", stem.lost_s > 0, f"Export {stem.name} again: {stem.lost_s:.1f} s of it could not be decoded"),
        (
            "polarity",
            (stem.stereo_width or 0) >= INVERTED_WIDTH,
            f"Invert one channel of {stem.name}: they cancel in mono ({stem.stereo_width or 0:.0%} of its power)",
        ),
        (
            "clipped",
            stem.n_clipped >= MIN_FLAT_TOPS,
            f"Record {stem.name} again at a lower level: {stem.n_clipped:,} peaks are flat (or it is a square wave)",
        ),
        ("dc", abs(stem.dc) >= MIN_DC, f"Remove the DC of {stem.name}: its mean is {stem.dc:+.4f} of full scale"),
    ]
    return [Advice(kind, stem.name, None, 0.0, text) for kind, is_found, text in found if is_found]


def _polarity(pairs: Sequence[PairFacts]) -> list[Advice]:
    """Find stems that share sound and cancel: the one that disagrees with most others is named."""
    sure = [
        pair
        for pair in pairs
        if abs(pair.best_correlation) >= SURE_CORRELATION
        and abs(pair.best_correlation) >= abs(pair.opposite) + SURE_MARGIN
    ]
    agreement: dict[str, float] = {}
    for pair in sure:
        for name in (pair.first, pair.second):
            agreement[name] = agreement.get(name, 0.0) + pair.best_correlation
    found = []
    for pair in sure:
        first, second = sorted((pair.first, pair.second), key=lambda name: agreement[name])
        when = f"at {pair.best_lag_ms:+.1f} ms" if pair.best_lag_ms else "at the same time"
        if pair.best_correlation < 0:
            text = (
                f"Invert the polarity of {first}: it shares sound with {second}, and their correlation is "
                f"{pair.best_correlation:.2f} {when}, where it should be positive"
            )
            found.append(Advice("polarity", first, None, 0.0, text))
        elif pair.correlation < -SURE_MARGIN:
            text = (
                f"Move {pair.second} by {-pair.best_lag_ms:+.1f} ms: it shares sound with {pair.first}, their "
                f"correlation is {pair.correlation:.2f} now and would be {pair.best_correlation:.2f}"
            )
            found.append(Advice("delay", pair.second, None, 0.0, text))
    return _once(found)


def _once(advice: list[Advice]) -> list[Advice]:
    """Keep the first of each kind and stem."""
    return list({(it.kind, it.stem): it for it in reversed(advice)}.values())[::-1]


@dataclass(frozen=True)
class Differences:
    """
    What a comparison with a reference gave.

    Attributes:
        advice: What to try.
        too_large: Differences of more than `MAX_STEP_DB`, which are not advised, in sentences.
        n_compared: How many levels were compared; 0 where a reference has nothing to compare with.
    """

    advice: tuple[Advice, ...]
    too_large: tuple[str, ...]
    n_compared: int


def against_stems(own: Sequence[Stem], reference: Sequence[Stem]) -> Differences:
    """
    Compare stems with those of another mix, matched by name: each one's level beside the rest, over its active time.

    Of all changes of a stem's level, or of one of its bands, that would bring it to the reference, the first is that
    which removes most of all differences: a stem that is too low makes all others seem too loud. The next is looked
    for with the first one made. A stem whose level differs by more than `MAX_STEP_DB` is another arrangement: it is
    left out of both mixes, so that all others do not seem to differ, too.
    """
    shared = [stem.facts.name for stem in own if stem.facts.name in {other.facts.name for other in reference}]
    found = [_other_sign(name) for name in inverted_takes(own, reference)]
    mine, theirs, too_large = _comparable(own, reference, shared)
    if mine is None or theirs is None:
        return Differences(tuple(found), tuple(too_large), 0)
    n_compared = int((mine.shared_weights(theirs) > 0).sum())
    for _ in range(MOST):
        changes = _changes(mine, theirs)
        left = {change: mine.changed(change).distance(theirs) for change in changes}
        if not left:
            break
        best = min(changes, key=lambda change: left[change])
        if left[best] > (1 - MIN_GAIN) * mine.distance(theirs):
            break
        found.append(_advice_of(best, mine, theirs, own, reference))
        mine = mine.changed(best)
    return Differences(tuple(found), (*too_large, *_large_bands(mine, theirs)), n_compared)


def _comparable(
    own: Sequence[Stem], reference: Sequence[Stem], shared: Sequence[str]
) -> tuple[Balance | None, Balance | None, list[str]]:
    """Return both balances without stems that differ too much (None if no stem is left), and these in sentences."""
    left_out: list[str] = []
    texts: list[str] = []
    while names := [name for name in shared if name not in left_out]:
        mine, theirs = (
            Balance.of([stem for stem in stems if stem.facts.name not in left_out], names) for stems in (own, reference)
        )
        levels = _levels(mine, theirs)
        name = max(levels, key=lambda it: abs(levels[it]), default=None)
        if name is None or abs(levels[name]) <= MAX_STEP_DB:
            return mine, theirs, texts
        left_out.append(name)
        direction = "quieter" if levels[name] > 0 else "louder"
        texts.append(
            f"{name} is {abs(levels[name]):.0f} dB {direction} beside the other stems "
            f"than in the reference: more than {MAX_STEP_DB:.0f} dB are not advised, and it is not compared further"
        )
    return None, None, texts


def _levels(mine: Balance, theirs: Balance) -> dict[str, float]:
    """Return by how much the level of each stem would have to change [dB], of those that can be compared."""
    differences, weights = theirs.ratios_db - mine.ratios_db, mine.shared_weights(theirs)
    rows = {name: np.flatnonzero(weights[row] > 0) for row, name in enumerate(mine.names)}
    return {
        name: _weighted_median(differences[row, rows[name]], weights[row, rows[name]])
        for row, name in enumerate(mine.names)
        if len(rows[name])
    }


def _large_bands(mine: Balance, theirs: Balance) -> list[str]:
    """Say of each stem which band differs most, where it differs by more than is advised."""
    differences = np.where(mine.shared_weights(theirs) > 0, theirs.ratios_db - mine.ratios_db, 0)
    texts = []
    for name, changes in zip(mine.names, differences, strict=True):
        band = int(np.abs(changes).argmax())
        if abs(changes[band]) > MAX_STEP_DB:
            texts.append(
                f"{name} is {abs(changes[band]):.0f} dB {'quieter' if changes[band] > 0 else 'louder'} "
                f"{_between(BROAD[band])} than in the reference: more than {MAX_STEP_DB:.0f} dB are not advised"
            )
    return texts


def _changes(mine: Balance, theirs: Balance) -> list[Change]:
    """Return the changes that would bring one stem's level, or one of its bands, to the reference."""
    differences, weights = theirs.ratios_db - mine.ratios_db, mine.shared_weights(theirs)
    found = []
    for name, level in _levels(mine, theirs).items():
        row = mine.names.index(name)
        bands = np.flatnonzero(weights[row] > 0)
        if MIN_LEVEL_DB <= abs(level) <= MAX_STEP_DB:
            found.append(Change(name, None, level))
        is_large = (np.abs(differences[row]) >= MIN_BAND_DB) & (np.abs(differences[row]) <= MAX_STEP_DB)
        found += [Change(name, int(band), float(differences[row, band])) for band in bands if is_large[band]]
    return found


def _weighted_median(values: F64, weights: F64) -> float:
    order = values.argsort()
    total = weights[order].cumsum()
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _advice_of(
    change: Change, mine: Balance, theirs: Balance, own: Sequence[Stem], reference: Sequence[Stem]
) -> Advice:
    row = mine.names.index(change.name)
    number = int(mine.shared_weights(theirs)[row].argmax()) if change.band is None else change.band
    band, before, goal = BROAD[number], float(mine.ratios_db[row, number]), float(theirs.ratios_db[row, number])
    verb = f"Turn {change.name} {'up' if change.gain_db > 0 else 'down'} by about {abs(change.gain_db):.0f} dB"
    reason = f"it is {_beside(before)} the rest{{}}, in the reference {_beside(goal)}"
    if change.band is None:
        text = f"{verb}: {reason.format(' ' + _between(band))}"
        return Advice("level", change.name, None, change.gain_db, text)
    text = f"{verb} {_between(band)}: {reason.format(' there')}{_covering(change, own, reference)}"
    return Advice("band", change.name, band, change.gain_db, text)


def _covering(change: Change, own: Sequence[Stem], reference: Sequence[Stem]) -> str:
    """Say which stem a band that is too loud covers most, beyond what it does in the reference."""
    if change.gain_db > 0 or change.band is None:
        return ""
    mine, theirs = (_covered_by(change.name, change.band, stems) for stems in (own, reference))
    more = {name: mine[name] - theirs[name] for name in mine.keys() & theirs.keys() if mine[name] > theirs[name]}
    if not more:
        return ""
    most = max(sorted(more), key=lambda name: more[name])
    return f"; it covers {most} there in {mine[most]:.0%} of the time, in the reference in {theirs[most]:.0%}"


def _covered_by(name: str, band: int, stems: Sequence[Stem]) -> dict[str, float]:
    """Return the share of time in which one stem covers each of the others in a broad band."""
    powers = same_length(stems)
    shares = {other: covered_shares(it, powers[name])[band] for other, it in powers.items() if other != name}
    return {other: float(share) for other, share in shares.items() if not np.isnan(share)}


def _other_sign(name: str) -> Advice:
    text = f"Invert the polarity of {name}: in the reference, which holds the same take, it has the other sign"
    return Advice("polarity", name, None, 0.0, text)


def _beside(ratio_db: float) -> str:
    return f"{abs(ratio_db):.0f} dB {'above' if ratio_db >= 0 else 'below'}"


def _between(band: BroadBand) -> str:
    return f"between {_hertz(band.low_hz)} and {_hertz(band.high_hz)}"


def _hertz(frequency: int) -> str:
    return f"{frequency / 1_000:g} kHz" if frequency >= 1_000 else f"{frequency} Hz"


def against_takes(found: SameTakes) -> Differences:
    """Compare stems with a mix of the same takes, whose gains were measured: those that differ from their median."""
    centre = float(np.median([abs_db for _, abs_db in found.gains_db]))
    advice = [_other_sign(name) for name in found.inverted]
    for name, gain_db in sorted(found.gains_db, key=lambda it: -abs(it[1] - centre)):
        change = gain_db - centre
        if abs(change) >= MIN_LEVEL_DB:
            direction, found_there = ("up", "louder") if change > 0 else ("down", "quieter")
            text = (
                f"Turn {name} {direction} by about {abs(change):.0f} dB: beside the other stems it is "
                f"{abs(change):.1f} dB {found_there} in the reference, which holds the same takes"
            )
            advice.append(Advice("level", name, None, change, text))
    n_compared = len(found.gains_db) if len(found.gains_db) > 1 else 0  # a level is one beside others
    return Differences(tuple(advice[: MOST + len(found.inverted)]), (), n_compared)


def against_mix(own: Sequence[Stem], reference: Stem) -> Differences:
    """Compare the balance by band of the stems' sum with that of any mix, and name the stem with most power there."""
    powers = same_length(own)
    total = sum(powers.values(), np.zeros((1, N_BANDS)))
    members = broad_of_bands()
    mine, theirs = (members @ it.sum(axis=0) for it in (total, reference.powers))
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = 10 * np.log10((theirs / theirs.sum()) / (mine / mine.sum()))
    found, too_large = [], []
    for band in np.argsort(-np.abs(np.nan_to_num(changes, posinf=0, neginf=0))):
        change = float(changes[band])
        if MAX_STEP_DB < abs(change) < np.inf:
            too_large.append(
                f"The mix has {abs(change):.0f} dB {'less' if change > 0 else 'more'} {_between(BROAD[band])} than the "
                f"reference: more than {MAX_STEP_DB:.0f} dB are not advised"
            )
        if MIN_BALANCE_DB <= abs(change) <= MAX_STEP_DB:
            share = {name: float((it.sum(axis=0) @ members[band]) / mine[band]) for name, it in powers.items()}
            most = max(sorted(share), key=lambda name: share[name])
            direction, amount = ("up", "less") if change > 0 else ("down", "more")
            text = (
                f"Try {most} {direction} {_between(BROAD[band])}: the mix has {abs(change):.0f} dB {amount} there than "
                f"the reference, and {share[most]:.0%} of it is {most}"
            )
            found.append(Advice("balance", most, BROAD[band], change, text))
    return Differences(tuple(found[:MOST]), tuple(too_large), int(np.isfinite(changes).sum()))


def mismatches(stems: Sequence[StemFacts]) -> list[str]:
    """Say which stems differ in length or sampling rate, which makes them hard to line up."""
    texts = []
    for first, second in pairwise(stems):
        if abs(first.duration_s - second.duration_s) > 0.1:
            texts.append(
                f"{first.name} and {second.name} differ in length by {abs(first.duration_s - second.duration_s):.1f} s"
            )
        if first.rate_hz != second.rate_hz:
            texts.append(f"{first.name} has {first.rate_hz:,} Hz, {second.name} {second.rate_hz:,} Hz")
    return texts
